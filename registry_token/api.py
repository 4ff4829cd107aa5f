"""The API under /api/v1/: JSON for programs, errors in the same form as those of /token.

Who may ask: people with a session of the admin, by their permissions; programs with an access token
of the Authority, by its OAuth scopes.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from typing import Any, ClassVar

from django.conf import settings
from django.http import HttpResponse
from rest_framework import exceptions
from rest_framework.authentication import BaseAuthentication, SessionAuthentication
from rest_framework.negotiation import BaseContentNegotiation
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.views import APIView

from registry_token import failures, throttle
from registry_token.authority import Caller, authenticate
from registry_token.errors import (
    Denied,
    MalformedRequest,
    TooManyRequests,
    Unauthenticated,
    answer_to,
    error_body,
    method_not_allowed,
)


class AccessToken(BaseAuthentication):
    """`Authorization: Bearer`, by the one verifier. Failures are throttled as those of /token."""

    def authenticate(self, request: Request) -> tuple[Any, Caller] | None:
        """The caller, both as who asks and by what."""
        scheme, _, token = request.META.get("HTTP_AUTHORIZATION", "").partition(" ")
        if scheme.lower() != "bearer":
            return None
        try:
            caller = authenticate(token.strip(" "), challenge="Bearer")
        except Unauthenticated as refusal:
            self._count_failure(request, token, refusal.reason)
            raise
        return caller, caller

    def _count_failure(self, request: Any, token: str, reason: str) -> None:
        retry_after = throttle.failed(
            request.client_address, token, method="GET", limit=settings.THROTTLE_FAILURES
        )
        failures.note(request.client_address, reason, throttled=retry_after > 0)
        if retry_after:
            raise TooManyRequests(retry_after) from None


class OneRepresentation(BaseContentNegotiation):
    """Whatever `Accept` says, the answer is JSON."""

    def select_parser(self, request: Request, parsers: Iterable[Any]) -> Any:
        """The first one."""
        return next(iter(parsers))

    def select_renderer(self, request: Request, renderers: Iterable[Any], *_: Any) -> Any:
        """The first one."""
        renderer = next(iter(renderers))
        return renderer, renderer.media_type


class ApiView(APIView):
    """A view of the API; `permission` and `scope` open it to people and to programs."""

    http_method_names = ["get", "head"]
    authentication_classes = (AccessToken, SessionAuthentication)
    permission_classes = ()  # `initial` checks, with a message
    renderer_classes = (JSONRenderer,)
    content_negotiation_class = OneRepresentation

    permission: ClassVar[str]
    scope: ClassVar[str]

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """Refuse who may not ask. Raises Denied, NotAuthenticated, Unauthenticated."""
        super().initial(request, *args, **kwargs)
        require(request, self.permission, self.scope)

    def get_exception_handler(self) -> Callable[..., HttpResponse | None]:
        """Errors as of /token."""
        return _answer_to_error

    def finalize_response(self, request: Any, response: Any, *args: Any, **kwargs: Any) -> Any:
        """No answer is kept by anybody."""
        response["Cache-Control"] = "no-store"
        return super().finalize_response(request, response, *args, **kwargs)


def require(request: Request, permission: str, scope: str) -> None:
    """Refuse people without the permission, programs without the OAuth scope.

    Raises NotAuthenticated, Denied.
    """
    user: Any = request.user
    if isinstance(request.auth, Caller):
        if scope not in request.auth.scopes:
            raise Denied(
                f"the access token lacks the scope {scope}; ask the Authority for a token with it",
                reason="insufficient_scope",
            )
    elif user is None or not user.is_authenticated:
        raise exceptions.NotAuthenticated
    elif not (user.is_staff and user.has_perm(permission)):
        raise Denied(
            f"your account lacks the permission {permission}; ask an administrator for it",
            reason="permission_missing",
        )


def values_of(request: Request, *, single: Collection[str], many: Collection[str]) -> Any:
    """The query: a text or None for each `single` parameter, a list for each of `many`.

    Raises MalformedRequest.
    """
    known = [*single, *many]
    if unknown := [name for name in request.query_params if name not in known]:
        raise MalformedRequest(
            f"unknown parameter {', '.join(unknown[:3])}; known are {', '.join(known)}"
        )
    given = {name: request.query_params.getlist(name) for name in known}
    for name in single:
        if len(given[name]) > 1:
            raise MalformedRequest(f"{name} is given {len(given[name])} times; give it once")
    return {name: given[name] if name in many else next(iter(given[name]), None) for name in known}


def _answer_to_error(error: Exception, context: dict[str, Any]) -> HttpResponse | None:
    if isinstance(error, exceptions.NotAuthenticated):
        refusal = Unauthenticated(
            "log in to the admin, or send an access token of the Authority as Bearer token",
            reason="no_credentials",
            challenge="Bearer",
        )
        response = refusal.response()
        # RFC 6750, 3.1: no error where there were no credentials.
        response["WWW-Authenticate"] = response["WWW-Authenticate"].partition(",")[0]
        return response
    if isinstance(error, exceptions.MethodNotAllowed):
        return method_not_allowed(("GET", "HEAD"))
    if isinstance(error, exceptions.APIException):
        body = error_body("UNSUPPORTED", str(error.detail))
        return HttpResponse(
            JSONRenderer().render(body), status=error.status_code, content_type="application/json"
        )
    return answer_to(error, context["request"]._request)
