"""The page of the subjects that were granted push for the first time."""

from __future__ import annotations

from datetime import UTC, datetime
from urllib.parse import urlencode
from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from registry_token.first_pushes import MAX_ROWS, MAX_SUBJECTS, first_pushes
from registry_token.log_access import VIEW_LOG
from registry_token.pages.audit_form import PERIODS_IN_WORDS
from registry_token.pages.audit_words import line_of
from registry_token.pages.site import Page, context_of

PERIODS = {name: PERIODS_IN_WORDS[name] for name in ("24h", "7d", "30d")}


@require_safe
def page(request: HttpRequest) -> HttpResponse:
    """By `since`, and `before` to go on."""
    since = request.GET.get("since", "7d")
    try:
        before = UUID(request.GET["before"]) if "before" in request.GET else None
        label = PERIODS[since]
    except (KeyError, ValueError):
        raise Http404 from None
    result = first_pushes(since, datetime.now(UTC), before=before)
    context = context_of(
        request,
        _("First pushes"),
        periods=PERIODS.items(),
        since=since,
        label=label,
        result=result,
        lines=[(line_of(first.row), first.none_back_to) for first in result.found],
        older=result.older and f"?{urlencode({'since': since, 'before': result.older})}",
        limits={"rows": MAX_ROWS, "subjects": MAX_SUBJECTS},
    )
    return TemplateResponse(request, "admin/audit/first_pushes.html", context)


PAGES: tuple[Page, ...] = (
    Page(
        "issuances/issuance/first-pushes/",
        "audit_first_pushes",
        page,
        VIEW_LOG,
    ),
)
