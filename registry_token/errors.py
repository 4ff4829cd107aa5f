"""Everything that ends a request without a token, and how it is told to the client.

Body: the errors list of the OCI Distribution specification, which all container clients read.
Codes and statuses of /token: the subclasses of `TokenError` below are the only place that pairs
them. What Django and the worker refuse is paired where it is answered.
"""

from __future__ import annotations

import logging
import math
from typing import Any, ClassVar

from django.conf import settings
from django.db import Error as DatabaseError
from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views import defaults

from registry_token.logs import decisions, printable
from registry_token.signing import SigningKeyError

logger = logging.getLogger(__name__)

MANAGEMENT_PATHS = ("/admin/", "/static/")


class TokenError(Exception):
    """A request that ends without a token: HTTP status, error code, message for the caller.

    `reason` is a short stable word for logs; `detail` an object for programs.
    """

    status: ClassVar[int]
    code: ClassVar[str]

    def __init__(self, message: str, *, reason: str, detail: dict[str, Any] | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.reason = reason
        # What follows a colon is for the log alone.
        self.detail = detail or {"reason": self.reason.partition(":")[0]}

    def headers(self) -> dict[str, str]:
        """Header fields that belong to the answer."""
        return {}

    def response(self) -> HttpResponse:
        """The answer."""
        body = error_body(self.code, self.message, self.detail)
        return JsonResponse(body, status=self.status, headers=self.headers())


class MalformedRequest(TokenError):
    """The request is none: a parameter is missing, contradictory or too long."""

    def __init__(self, message: str) -> None:
        super().__init__(message, reason="malformed_request")

    status = 400
    code = "UNSUPPORTED"


class NotFound(TokenError):
    """There is no such thing, though its kind is served."""

    status = 404
    code = "UNSUPPORTED"


class TooLarge(TokenError):
    """The request's body is longer than any real client's."""

    def __init__(self, message: str) -> None:
        super().__init__(message, reason="too_large")

    status = 413
    code = "UNSUPPORTED"


class MethodNotAllowed(TokenError):
    """Neither GET nor POST."""

    def __init__(self, message: str) -> None:
        super().__init__(message, reason="method_not_allowed")

    status = 405
    code = "UNSUPPORTED"

    def headers(self) -> dict[str, str]:
        """RFC 9110, 15.5.6."""
        return {"Allow": "GET, POST"}


class UnsupportedMediaType(TokenError):
    """A POST without a form."""

    def __init__(self, message: str) -> None:
        super().__init__(message, reason="unsupported_media_type")

    status = 415
    code = "UNSUPPORTED"


class Unauthenticated(TokenError):
    """No caller token, or one that does not hold."""

    status = 401
    code = "UNAUTHORIZED"

    def __init__(self, message: str, *, reason: str, challenge: str = "Basic") -> None:
        super().__init__(message, reason=reason)
        self.challenge = challenge

    def headers(self) -> dict[str, str]:
        """`WWW-Authenticate` in the caller's scheme: docker prints errors by Bearer twice."""
        realm = settings.REGISTRY_REALM or "registry-token"
        error = ', error="invalid_token"' if self.challenge == "Bearer" else ""
        return {"WWW-Authenticate": f'{self.challenge} realm="{realm}"{error}'}


class Denied(TokenError):
    """The caller is known, and gets nothing."""

    status = 403
    code = "DENIED"


class NotNow(TokenError):
    """The same request may be answered later. `retry_after` in seconds."""

    def __init__(self, message: str, *, reason: str, retry_after: float = 2) -> None:
        super().__init__(message, reason=reason)
        self.retry_after = retry_after

    def headers(self) -> dict[str, str]:
        """`Retry-After` in whole seconds."""
        return {"Retry-After": str(max(1, math.ceil(self.retry_after)))}


class Unavailable(NotNow):
    """The question could not be answered now."""

    status = 503
    code = "UNAVAILABLE"


class TooManyRequests(NotNow):
    """A failed authentication after too many others of the client's network."""

    status = 429
    code = "TOOMANYREQUESTS"

    def __init__(self, retry_after: int) -> None:
        message = (
            "too many failed log-ins from this network in the last minute; log in with a valid"
            f" access token, or try again in {retry_after} seconds"
        )
        super().__init__(message, reason="too_many_failures", retry_after=retry_after)


def error_body(code: str, message: str, detail: dict[str, Any] | None = None) -> dict[str, Any]:
    """The errors list with one error. `detail` is for programs and always an object: docker takes
    a text there for a second message.
    """
    return {"errors": [{"code": code, "message": message, "detail": detail or {}}]}


def answer_to(error: Exception, request: HttpRequest) -> HttpResponse | None:
    """The answer that tells the client of an error; None for what Django shall answer with 500."""
    answer = _as_token_error(error)
    if answer is None:
        return None
    if answer is not error:
        _log_cause(error, request)
    # Those are logged as decisions, or once for all of their network and minute.
    if not isinstance(answer, (Denied, TooManyRequests)):
        _log_undecided(answer, request)
    return answer.response()


def _as_token_error(error: Exception) -> TokenError | None:
    """What a caller is told of an error."""
    if isinstance(error, TokenError):
        return error
    if isinstance(error, DatabaseError):
        return database_unavailable()
    return signing_unavailable() if isinstance(error, SigningKeyError) else None


def database_unavailable() -> Unavailable:
    """What a caller is told while the database does not answer."""
    return Unavailable("the service's database does not answer; try again", reason="database")


def signing_unavailable() -> Unavailable:
    """What a caller is told when there is no usable key."""
    return Unavailable("the service cannot sign tokens now; try again", reason="signing_key")


def _log_cause(error: Exception, request: Any) -> None:
    """What the operator needs to know and the caller does not."""
    # What is no outage is a fault of ours, or a migration that is missing.
    is_outage = isinstance(error, (OperationalError, InterfaceError, SigningKeyError))
    trace = None if is_outage else error
    logger.error("%s: %s", type(error).__name__, error, exc_info=trace, extra={"request": request})


def _log_undecided(error: TokenError, request: Any) -> None:
    """A line for a request that never came to a decision; those get no row."""
    fields = {
        "request_id": request.request_id,
        "remote_address": request.client_address,
        "user_agent": printable(request.META.get("HTTP_USER_AGENT", ""), 255),
        "status": error.status,
        "reason": printable(error.reason, 255),
        "error": error.message,
    }
    decisions.info("not decided: %s", error.code, extra={"fields": fields})


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Django's 400."""
    if request.path.startswith(MANAGEMENT_PATHS):
        return defaults.bad_request(request, exception)
    return JsonResponse(error_body("UNSUPPORTED", "the request is malformed"), status=400)


def permission_denied(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Django's 403."""
    if request.path.startswith(MANAGEMENT_PATHS):
        return defaults.permission_denied(request, exception)
    return JsonResponse(error_body("DENIED", "not allowed"), status=403)


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Django's 404."""
    if request.path.startswith(MANAGEMENT_PATHS):
        return defaults.page_not_found(request, exception)
    message = "nothing is served at this path; tokens are at /token, the admin at /admin/"
    return JsonResponse(error_body("UNSUPPORTED", message), status=404)


def method_not_allowed(allowed: tuple[str, ...]) -> HttpResponse:
    """405 for the views that are not DRF's."""
    body = error_body("UNSUPPORTED", f"only {' and '.join(allowed)} are answered here")
    return JsonResponse(body, status=405, headers={"Allow": ", ".join(allowed)})


def server_error(request: HttpRequest) -> HttpResponse:
    """Django's 500."""
    if request.path.startswith(MANAGEMENT_PATHS):
        return defaults.server_error(request)
    message = "an error in the token service; its operator finds it in the log by the request id"
    return JsonResponse(error_body("UNKNOWN", message), status=500)
