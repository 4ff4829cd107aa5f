"""The endpoints that clients and registries call: /token and /jwks. They decide nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from typing import IO, Any, cast
from urllib.parse import parse_qs

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.http.request import UnreadablePostError
from rest_framework.negotiation import BaseContentNegotiation
from rest_framework.parsers import BaseParser
from rest_framework.renderers import BaseRenderer, JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from registry_token.access import format_scopes
from registry_token.errors import (
    MalformedRequest,
    TooLarge,
    error_body,
    method_not_allowed,
    signing_unavailable,
    token_exception_handler,
)
from registry_token.exchange import Origin, exchange_token
from registry_token.signing import RegistryToken, SigningKeyError, signing_key
from registry_token.token_request import (
    MAX_FORM,
    Parameters,
    TokenRequest,
    from_form,
    from_query,
)

MAX_PARAMETERS = 200


class FormParser(BaseParser):
    """application/x-www-form-urlencoded of bounded size, as a mapping of names to values."""

    media_type = "application/x-www-form-urlencoded"

    def parse(
        self,
        stream: IO[Any],
        media_type: str | None = None,
        parser_context: Mapping[str, Any] | None = None,
    ) -> dict[str, list[str]]:
        """Read the form. Raises TooLarge, MalformedRequest."""
        try:
            body = stream.read(MAX_FORM + 1)
        except UnreadablePostError:
            raise MalformedRequest("the form ended before its announced length") from None
        if len(body) > MAX_FORM:
            raise TooLarge(f"the form is longer than {MAX_FORM} bytes")
        return _parameters(body.decode("latin-1"))


class IgnoreAccept(BaseContentNegotiation):
    """There is one representation; some clients ask for types that they do not need."""

    def select_parser(self, request: Request, parsers: Iterable[BaseParser]) -> BaseParser | None:
        """The form parser for forms, whatever their charset parameter; else None, which is 415."""
        media_type = (request.content_type or "").partition(";")[0].strip().lower()
        return next((parser for parser in parsers if parser.media_type == media_type), None)

    def select_renderer(
        self, request: Request, renderers: Iterable[BaseRenderer], format_suffix: str | None = None
    ) -> tuple[BaseRenderer, str]:
        """JSON."""
        return next(iter(renderers)), "application/json"


class TokenView(APIView):
    """GET and POST /token: an Authority access token for a registry token."""

    authentication_classes = ()
    permission_classes = ()
    throttle_classes = ()
    parser_classes = (FormParser,)
    renderer_classes = (JSONRenderer,)
    content_negotiation_class = IgnoreAccept
    # HEAD would issue a token; OPTIONS would describe the view.
    http_method_names = ["get", "post"]

    def get(self, request: Request) -> Response:
        """Distribution docs/content/spec/auth/token.md."""
        query = _parameters(request.META.get("QUERY_STRING", ""))
        return self._answer(request, from_query(query, _authorization(request)))

    def post(self, request: Request) -> Response:
        """Distribution docs/content/spec/auth/oauth.md."""
        form = cast(Parameters, request.data)
        return self._answer(request, from_form(form, _authorization(request)))

    def _answer(self, request: Request, asked: TokenRequest) -> Response:
        context: Any = request._request
        origin = Origin(
            request_id=context.request_id,
            remote_address=context.client_address,
            user_agent=request.META.get("HTTP_USER_AGENT", ""),
        )
        return Response(_body(exchange_token(asked, origin, datetime.now(UTC))))

    def get_exception_handler(self) -> Callable[[Exception, dict[str, Any]], Response | None]:
        """Errors as container clients read them."""
        return token_exception_handler

    def finalize_response(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """RFC 6749, 5.1: nothing of this may be stored."""
        response: Response = super().finalize_response(request, *args, **kwargs)
        response["Cache-Control"] = "no-store"
        return response


def _authorization(request: Request) -> str:
    authorization: str = request.META.get("HTTP_AUTHORIZATION", "")
    return authorization


def _parameters(encoded: str) -> dict[str, list[str]]:
    try:
        return parse_qs(encoded, keep_blank_values=True, max_num_fields=MAX_PARAMETERS)
    except ValueError:
        raise MalformedRequest(f"there are more than {MAX_PARAMETERS} parameters") from None


def _body(token: RegistryToken) -> dict[str, Any]:
    """Both names of the token: docker reads access_token after a POST, old clients token."""
    return {
        "token": token.encoded,
        "access_token": token.encoded,
        "expires_in": token.expires_in,
        "issued_at": f"{token.issued_at:%Y-%m-%dT%H:%M:%SZ}",
        "scope": format_scopes(token.access),
    }


def jwks(request: HttpRequest) -> HttpResponse:
    """GET /jwks: the public signing key as a JSON Web Key Set (RFC 7517, 5)."""
    if request.method not in ("GET", "HEAD"):
        return method_not_allowed(("GET", "HEAD"))
    try:
        keys = [signing_key().jwk()]
    except SigningKeyError:
        answer = signing_unavailable()
        body = error_body(answer.code, answer.message, answer.detail)
        return JsonResponse(body, status=answer.status, headers=answer.headers())
    return JsonResponse({"keys": keys}, headers={"Cache-Control": "public, max-age=300"})
