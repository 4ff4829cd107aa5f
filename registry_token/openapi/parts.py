"""What the descriptions of operations have in common: errors, credentials, parameters."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework import serializers
from rest_framework.views import APIView

# Who may ask: the names are those of `SECURITY_SCHEMES`, each dict one way that suffices.
BY_TOKEN_OR_SESSION: Any = [{"accessToken": []}, {"session": []}]
NOBODY_ASKED: Any = [{}]
SECURITY_SCHEMES = {
    "accessToken": {
        "type": "http",
        "scheme": "bearer",
        "bearerFormat": "JWT",
        "description": "An access token of the Authority with the OAuth scope of the operation",
    },
    "accessTokenAsPassword": {
        "type": "http",
        "scheme": "basic",
        "description": "Any user name; the password is an access token of the Authority",
    },
    "session": {
        "type": "apiKey",
        "in": "cookie",
        "name": "sessionid",
        "description": "Who is logged in to the admin and has the operation's permission",
    },
}
CODES = ("UNSUPPORTED", "UNAUTHORIZED", "DENIED", "TOOMANYREQUESTS", "UNAVAILABLE", "UNKNOWN")


class Described(APIView):
    """The base of descriptions. They are never served."""

    authentication_classes = ()


class OneError(serializers.Serializer[Any]):
    """What is wrong, and what to do."""

    code = serializers.ChoiceField(CODES)
    message = serializers.CharField(help_text="A sentence for people, with the fix")
    detail = serializers.DictField(help_text="For programs; `reason` is a stable word")


class Errors(serializers.Serializer[Any]):
    """The form of every error: docs/errors.md."""

    errors = OneError(many=True)


_WHEN = {
    400: "Malformed: the message names the parameter and the fix",
    401: "No access token, or one that does not hold",
    403: "Known, but not allowed",
    404: "There is no such thing",
    405: "Another method",
    413: "The form is too long",
    414: "The request line is too long",
    415: "Not a form",
    429: "Too many failed authentications of the client's network, or too much at once",
    431: "A header field is too long",
    503: "Something that is needed is away; try again",
}


def errors(*statuses: int) -> dict[int, OpenApiResponse]:
    """The answers of these statuses."""
    return {status: OpenApiResponse(Errors, _WHEN[status]) for status in statuses}


def query(name: str, schema: Any, text: str, **more: Any) -> OpenApiParameter:
    """A parameter of the query; `schema` is a Python type or a JSON schema."""
    return OpenApiParameter(name, schema, OpenApiParameter.QUERY, description=text, **more)


def text_of(longest: int, shortest: int = 0) -> dict[str, Any]:
    """The JSON schema of a printable text: characters."""
    return {"type": "string", "minLength": shortest, "maxLength": longest}


def answer_header(name: str, text: str, *statuses: int | str) -> OpenApiParameter:
    """A header field of the answers with these statuses."""
    response = [str(status) for status in statuses] if statuses else True
    return OpenApiParameter(name, str, OpenApiParameter.HEADER, description=text, response=response)


REQUEST_ID = answer_header("X-Request-ID", "Also in the log and in the issuance row")
CHALLENGE = answer_header("WWW-Authenticate", "The scheme to authenticate by", 401)
RETRY_AFTER = answer_header("Retry-After", "Seconds", 429, 503)


def operation(
    name: str, summary: str, text: str, *, tag: str, parameters: Any = (), **more: Any
) -> Any:
    """Describe a method of a `Described`; `more` as in drf-spectacular's extend_schema."""
    return extend_schema(
        operation_id=name,
        summary=summary,
        description=text,
        tags=[tag],
        parameters=[*parameters, REQUEST_ID],
        **more,
    )
