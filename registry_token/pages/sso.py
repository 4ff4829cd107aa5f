"""The two pages of a log-in through the Authority: the way there, and the way back.

What a log-in has to remember is in a signed cookie of ten minutes, not in a session: strangers
must not be able to fill a table.
"""

from __future__ import annotations

import hmac
import logging
from typing import Any

from django.conf import settings
from django.contrib.auth import login
from django.core import signing
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.functional import Promise
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext_lazy as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET

from people.activity import record_activity
from people.models import Action
from people.sso import account
from registry_token import sso
from registry_token.pages.site import context_of

logger = logging.getLogger(__name__)

COOKIE = "sso"
LIFETIME = 600  # seconds
_SALT = "registry_token.sso"
_BACKEND = "django.contrib.auth.backends.ModelBackend"


@never_cache
@require_GET
def begin(request: HttpRequest) -> HttpResponse:
    """Send the browser to the Authority."""
    _require_sso()
    pending = sso.secrets_of_a_login() | {"next": _safe_next(request)}
    try:
        url = sso.authorization_url(pending, _redirect_uri(request))
    except sso.SsoUnavailable as error:
        return _unavailable(request, error)
    response = HttpResponseRedirect(url)
    response.set_cookie(
        COOKIE,
        signing.dumps(pending, salt=_SALT),
        max_age=LIFETIME,
        path=reverse("admin:sso"),
        secure=settings.SESSION_COOKIE_SECURE,
        httponly=True,
        samesite="Lax",  # the way back is a link from elsewhere
    )
    return response


@never_cache
@require_GET
def callback(request: HttpRequest) -> HttpResponse:
    """Let in whom the Authority vouches for. One answer to each beginning."""
    _require_sso()
    response = _answered(request)
    response.delete_cookie(COOKIE, path=reverse("admin:sso"), samesite="Lax")
    return response


def _answered(request: HttpRequest) -> HttpResponse:
    pending = _pending(request)
    if pending is None:
        return _refused(request, _("This log-in was not begun here, or too long ago."), "state")
    try:
        claims = sso.verified_claims(_code(request), pending, _redirect_uri(request))
    except sso.SsoUnavailable as error:
        return _unavailable(request, error)
    except sso.SsoRefused as error:
        return _refused(request, _("The Authority's answer could not be accepted."), str(error))
    return _let_in(request, claims, pending["next"])


def _let_in(request: HttpRequest, claims: dict[str, Any], next_url: str) -> HttpResponse:
    name = claims.get("preferred_username")
    name = name if isinstance(name, str) else ""
    user = account(claims["iss"], claims["sub"], name, sso.groups(claims))
    if user is None:
        text = _("You are in no group that may come in here. Ask your administrator for access.")
        return _refused(request, text, "no group, or switched off", claims["sub"])
    login(request, user, backend=_BACKEND)
    return HttpResponseRedirect(next_url)


def _code(request: HttpRequest) -> str:
    """The code, from the issuer that was asked (RFC 9207), unless it says why there is none."""
    if error := request.GET.get("error"):
        raise sso.SsoRefused(f"the Authority answered {error[:100]}")
    if request.GET.get("iss", settings.AUTHORITY_ISSUER) != settings.AUTHORITY_ISSUER:
        raise sso.SsoRefused("the answer comes from another issuer")
    code = request.GET.get("code", "")
    if not 0 < len(code) <= 4096:
        raise sso.SsoRefused("the answer holds no code")
    return code


def _pending(request: HttpRequest) -> dict[str, str] | None:
    """What this browser's log-in remembers, if the answer is to that one."""
    try:
        pending: dict[str, str] = signing.loads(
            request.COOKIES.get(COOKIE, ""), salt=_SALT, max_age=LIFETIME
        )
    except signing.BadSignature:
        return None
    state = request.GET.get("state", "")
    return pending if hmac.compare_digest(pending["state"].encode(), state.encode()) else None


def _safe_next(request: HttpRequest) -> str:
    """Where to go afterwards: a page of the admin, never elsewhere."""
    home, wanted = reverse("admin:index"), request.GET.get("next", "")
    is_ours = wanted.startswith(home) and url_has_allowed_host_and_scheme(wanted, None)
    return wanted if is_ours and len(wanted) <= 2000 else home


def _redirect_uri(request: HttpRequest) -> str:
    return request.build_absolute_uri(reverse("admin:sso_callback"))


def _require_sso() -> None:
    if not settings.SSO_CLIENT_ID:
        raise Http404


def _refused(
    request: HttpRequest, text: Promise | str, detail: str, actor: str = ""
) -> HttpResponse:
    record_activity(request, Action.LOGIN_FAILED, detail=f"single sign-on: {detail}", actor=actor)
    return _problem(request, text, 403)


def _unavailable(request: HttpRequest, error: Exception) -> HttpResponse:
    logger.error("single sign-on: %s", error)
    text = _("The Authority does not answer at the moment. Try again in a minute.")
    return _problem(request, text, 503)


def _problem(request: HttpRequest, text: Promise | str, status: int) -> HttpResponse:
    context = context_of(request, _("Not logged in"), text=text)
    return TemplateResponse(request, "admin/sso_problem.html", context, status=status)


URLS: list[URLPattern] = [
    path("sso/", begin, name="sso"),
    path("sso/callback/", callback, name="sso_callback"),
]
