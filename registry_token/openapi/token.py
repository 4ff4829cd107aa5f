"""GET and POST /token."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import OpenApiResponse
from rest_framework import serializers

from registry_token.openapi.parts import (
    CHALLENGE,
    RETRY_AFTER,
    Described,
    errors,
    operation,
    query,
    text_of,
)
from registry_token.token_request import MAX_SCOPE_LENGTH, MAX_SCOPES, MAX_SERVICE_LENGTH

_SERVICE = text_of(MAX_SERVICE_LENGTH, 1)
SCOPES = {"type": "array", "items": {"type": "string"}}
_SCOPE_TEXT = (
    "What is asked for, as `TYPE:NAME:ACTIONS`, for example `repository:acme/app:pull`; several"
    f" times, or several separated by blanks; at most {MAX_SCOPES}, each of at most"
    f" {MAX_SCOPE_LENGTH} characters. Without any the answer is a log-in"
)
_CREDENTIALS: Any = [{"accessToken": []}, {"accessTokenAsPassword": []}, {}]


class RegistryToken(serializers.Serializer[Any]):
    """A token for the registry, with exactly what was granted of what was asked for."""

    token = serializers.CharField(help_text="RS256; verified with /jwks")
    access_token = serializers.CharField(help_text="The same")
    expires_in = serializers.IntegerField(help_text="Seconds after issued_at")
    issued_at = serializers.DateTimeField()
    scope = serializers.CharField(help_text="What was granted", allow_blank=True)


_FORM = {
    "application/x-www-form-urlencoded": {
        "type": "object",
        "required": ["grant_type", "service"],
        "properties": {
            "grant_type": {"type": "string", "enum": ["password", "refresh_token"]},
            "service": _SERVICE,
            "scope": {"type": "string", "description": _SCOPE_TEXT},
            "password": {
                "type": "string",
                "format": "password",
                "description": "The access token, for the grant type password",
            },
            "refresh_token": {
                "type": "string",
                "format": "password",
                "description": "The access token, for the grant type refresh_token",
            },
            "client_id": {"type": "string", "description": "Ignored, as is every other field"},
        },
    }
}


def _answers(*more: int) -> dict[int, OpenApiResponse]:
    return {200: OpenApiResponse(RegistryToken), **errors(400, 401, 403, 429, 431, 503, *more)}


class Token(Described):
    """Both methods."""

    @operation(
        "getToken",
        "Exchange an access token for a registry token",
        "The way of docker and its kin (Distribution, token.md). Parameters that are not listed,"
        " such as `account`, are ignored.",
        tag="token",
        auth=_CREDENTIALS,
        parameters=[
            query(
                "service",
                _SERVICE,
                "The registry, by its name in `registry.services`",
                required=True,
            ),
            query("scope", SCOPES, _SCOPE_TEXT, explode=True, style="form"),
            CHALLENGE,
            RETRY_AFTER,
        ],
        responses=_answers(414),
    )
    def get(self, request: Any) -> None: ...

    @operation(
        "postToken",
        "Exchange an access token for a registry token, by a form",
        "The way of containerd and buildx (Distribution, oauth.md): the credential is the form's"
        " field that has the name of its grant type, or stands in the header; not in both.",
        tag="token",
        auth=_CREDENTIALS,
        parameters=[CHALLENGE, RETRY_AFTER],
        request=_FORM,
        responses=_answers(413, 415),
    )
    def post(self, request: Any) -> None: ...
