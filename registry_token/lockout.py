"""Too many wrong passwords: django-axes counts them, by user name and address together.

An address alone would lock out an office, a name alone would let a stranger lock out its owner.
A guess is counted before the password is looked at, which takes long: as many guesses as one can
make at once would otherwise be free.
"""

from __future__ import annotations

import ipaddress
import math
from datetime import timedelta
from typing import Any

from axes.handlers.database import AxesDatabaseHandler
from axes.helpers import get_client_username
from axes.models import AccessAttempt
from axes.signals import user_locked_out
from django.conf import settings
from django.db.models import F, Max, QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils import timezone
from django.utils.translation import gettext as _

from registry_token.pages.site import context_of

_NONE = "::"  # of a unix socket
# What one household gets: whoever has one address of it has them all.
_NETWORK = 56  # bits of an IPv6 address


class Handler(AxesDatabaseHandler):  # type: ignore[misc]
    """Axes' counts, taken beforehand in one statement; the right password gives them back."""

    def is_allowed(self, request: Any, credentials: Any = None) -> bool:
        """Take one guess of those that are left, if there is one."""
        self.clean_expired_user_attempts(request, credentials)
        name, now = get_client_username(request, credentials), request.axes_attempt_time
        AccessAttempt.objects.get_or_create(
            username=name,
            ip_address=request.axes_ip_address,
            user_agent="",  # another browser is no other person
            defaults={"failures_since_start": 0, "attempt_time": now},
        )
        left = _attempts(request, credentials).filter(
            failures_since_start__lt=settings.AXES_FAILURE_LIMIT
        )
        taken = left.update(failures_since_start=F("failures_since_start") + 1, attempt_time=now)
        return bool(taken)

    def user_login_failed(
        self, sender: Any, credentials: Any, request: Any = None, **kwargs: Any
    ) -> None:
        """The guess is counted already: tell only whether it was the last one, or one too many."""
        if not request.axes_locked_out and not self.is_locked(request, credentials):
            return
        request.axes_locked_out = True
        request.axes_credentials = credentials
        user_locked_out.send(
            "axes",
            request=request,
            username=get_client_username(request, credentials),
            ip_address=request.axes_ip_address,
        )


def client_address(request: Any) -> str:
    """What `RequestContext` made of it, as only trusted proxies may speak for others; of an IPv6
    address its network.
    """
    try:
        ip = ipaddress.ip_address(getattr(request, "client_address", ""))
    except ValueError:
        return _NONE
    if ip.version == 4:
        return str(ip)
    beyond = 128 - _NETWORK
    return str(ip.ipv4_mapped or ipaddress.IPv6Address(int(ip) >> beyond << beyond))


def user_name(request: HttpRequest, credentials: dict[str, Any] | None) -> str:
    """The name that was typed, as long as a user's may be. The column has room for no more."""
    given = (credentials or {}).get("username") or request.POST.get("username", "")
    return str(given)[:150].replace("\0", "")


def response(
    request: HttpRequest, original_response: Any = None, credentials: Any = None
) -> HttpResponse:
    """429 (RFC 6585, 4): the page that says how long it takes."""
    seconds = _seconds_left(request, credentials)
    context = context_of(request, _("Locked out"), minutes=math.ceil(seconds / 60))
    page = TemplateResponse(request, "admin/locked_out.html", context, status=429)
    page["Retry-After"] = str(seconds)
    page["Cache-Control"] = "no-store"
    return page.render()


def _seconds_left(request: HttpRequest, credentials: Any) -> int:
    """Until the lock ends: attempts while it holds do not prolong it."""
    cool_off: timedelta = settings.AXES_COOLOFF_TIME
    last = (
        _attempts(request, credentials).aggregate(last=Max("attempt_time"))["last"]
        or timezone.now()
    )
    return max(1, math.ceil((last + cool_off - timezone.now()).total_seconds()))


def _attempts(request: Any, credentials: Any) -> QuerySet[AccessAttempt]:
    attempts: QuerySet[AccessAttempt] = AccessAttempt.objects.filter(
        username=get_client_username(request, credentials), ip_address=client_address(request)
    )
    return attempts
