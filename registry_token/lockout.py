"""Too many wrong passwords: django-axes counts them, by user name and address together.

An address alone would lock out an office, a name alone would let a stranger lock out its owner.
"""

from __future__ import annotations

import math
from datetime import timedelta
from typing import Any

from axes.helpers import get_client_username
from axes.models import AccessAttempt
from django.conf import settings
from django.db.models import Max
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils import timezone
from django.utils.translation import gettext as _

from registry_token.pages.site import context_of


def client_address(request: Any) -> str | None:
    """What `RequestContext` made of it: only trusted proxies may speak for others."""
    return getattr(request, "client_address", None) or None


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
    attempts = AccessAttempt.objects.filter(
        username=get_client_username(request, credentials), ip_address=client_address(request)
    )
    last = attempts.aggregate(last=Max("attempt_time"))["last"] or timezone.now()
    return max(1, math.ceil((last + cool_off - timezone.now()).total_seconds()))
