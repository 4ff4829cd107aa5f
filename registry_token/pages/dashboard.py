"""The dashboard: what was granted and refused lately, why, and to whom."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_safe

from issuances.counting import rollup_reading
from issuances.identifiers import time_of
from issuances.models import Rollup
from registry_token import dashboard
from registry_token.log_access import VIEW_LOG
from registry_token.pages.site import Page, context_of

DEFAULT = "24h"
_REVISIONS = 20


@require_safe
def page(request: HttpRequest) -> HttpResponse:
    """Of the period in the query; 400 for an unknown one."""
    chosen = request.GET.get("period", DEFAULT)
    is_known = chosen in dashboard.PERIODS
    now = datetime.now(UTC)
    shown = activity(request, chosen if is_known else DEFAULT, now)
    context = context_of(request, _("Dashboard")) | shown
    found: dashboard.Activity = shown["activity"]
    context |= {
        "periods": [
            {"value": value, "label": period.label, "is_current": value == shown["period"]}
            for value, period in dashboard.PERIODS.items()
        ],
        "is_known": is_known,
        "known": ", ".join(dashboard.PERIODS),
        "rankings": dashboard.rankings(found.source, found.total) if found.total.rows else [],
        "revisions": found.revisions[:_REVISIONS],
        "has_more_revisions": len(found.revisions) > _REVISIONS,
    }
    return TemplateResponse(
        request, "admin/dashboard.html", context, status=200 if is_known else 400
    )


def activity(request: HttpRequest, period: str, now: datetime) -> dict[str, Any]:
    """What the chart's template shows to this user."""
    user: Any = request.user
    with_revisions = user.has_perm("plans.view_cataloguerevision")
    found = dashboard.activity(dashboard.PERIODS[period], now, with_revisions=with_revisions)
    source = found.source
    return {
        "activity": found,
        "period": period,
        "is_rolled_up": source.hours_until > source.begin,
        "was_ever_rolled_up": Rollup.objects.exists(),
        "live_rows": rollup_reading.LIVE_ROWS,
        "live_from": time_of(source.live_from),
    }


PAGES: tuple[Page, ...] = (
    Page("dashboard/", "dashboard", page, VIEW_LOG, gettext_lazy("Dashboard")),
)
