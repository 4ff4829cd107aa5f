"""The endpoints that clients and registries call: /token and /jwks. They decide nothing."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qs

from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.http.request import UnreadablePostError
from rest_framework.views import APIView

from registry_token import failures, throttle
from registry_token.access import format_scopes
from registry_token.errors import (
    MalformedRequest,
    MethodNotAllowed,
    TokenError,
    TooLarge,
    TooManyRequests,
    Unauthenticated,
    UnsupportedMediaType,
    answer_to,
    error_body,
    method_not_allowed,
    signing_unavailable,
)
from registry_token.exchange import Origin, exchange_token
from registry_token.signing import RegistryToken, SigningKeyError, signing_key
from registry_token.token_request import MAX_FORM, TokenRequest, from_form, from_query

MAX_PARAMETERS = 200
FORM = "application/x-www-form-urlencoded"


class TokenView(APIView):
    """GET and POST /token: an Authority access token for a registry token."""

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """APIView's, for a resource of one representation that authenticates by itself: without
        negotiation, authenticators, permissions and a second request object around the first. They
        would cost a third of what the signature costs.
        """
        try:
            response = self._answer(request)
        except Exception as error:
            answer = answer_to(error, request)
            if answer is None:  # a fault of ours: Django logs it and answers 500
                raise
            response = answer
        response["Cache-Control"] = "no-store"  # RFC 6749, 5.1
        return response

    def _answer(self, request: HttpRequest) -> HttpResponse:
        asked = _asked(request)
        context: Any = request
        origin = Origin(
            request_id=context.request_id,
            remote_address=context.client_address,
            user_agent=request.META.get("HTTP_USER_AGENT", ""),
        )
        try:
            token = exchange_token(asked, origin, datetime.now(UTC))
        except Unauthenticated as refusal:
            raise _throttled(refusal, request, asked) from None
        return HttpResponse(json.dumps(_body(token)), content_type="application/json")


def _asked(request: HttpRequest) -> TokenRequest:
    """What a request asks for. Raises TokenError."""
    authorization = request.META.get("HTTP_AUTHORIZATION", "")
    match request.method:
        case "GET":  # Distribution docs/content/spec/auth/token.md
            return from_query(_parameters(request.META.get("QUERY_STRING", "")), authorization)
        case "POST":  # Distribution docs/content/spec/auth/oauth.md
            return from_form(_form(request), authorization)
    # HEAD would issue a token; OPTIONS would describe the view.
    raise MethodNotAllowed(f"{request.method} is not answered here; use GET or POST")


def _form(request: HttpRequest) -> dict[str, list[str]]:
    """The request's form, of bounded size. Raises TokenError."""
    has_body = request.META.get("CONTENT_LENGTH") not in (None, "", "0")
    if has_body and request.content_type != FORM:
        raise UnsupportedMediaType(
            f"a POST carries a form of the type {FORM}, not {request.content_type!r}"
        )
    try:
        body = request.read(MAX_FORM + 1)
    except UnreadablePostError:
        raise MalformedRequest("the form ended before its announced length") from None
    if len(body) > MAX_FORM:
        raise TooLarge(f"the form is longer than {MAX_FORM} bytes")
    return _parameters(body.decode("latin-1"))


def _throttled(refusal: Unauthenticated, request: HttpRequest, asked: TokenRequest) -> TokenError:
    """The refusal, or 429 when the client's network has had too many. A probe has none."""
    context: Any = request
    credential = asked.subject_token or request.META.get("HTTP_AUTHORIZATION", "")
    if not credential:
        return refusal
    retry_after = throttle.failed(
        context.client_address,
        credential,
        method=request.method or "",
        limit=settings.THROTTLE_FAILURES,
    )
    failures.note(context.client_address, refusal.reason, throttled=retry_after > 0)
    return TooManyRequests(retry_after) if retry_after else refusal


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
