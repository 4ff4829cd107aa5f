"""The page of failed authentications: how often, why, from which networks and when."""

from __future__ import annotations

from datetime import UTC, datetime

from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_safe

from issuances.counting.failures import SHOWN
from issuances.finding.filters import FilterErrors
from registry_token.failures_asked import FailuresForm
from registry_token.log_access import VIEW_LOG
from registry_token.pages.site import Page, context_of

_FORMATS = {"minute": "Y-m-d H:i", "hour": "Y-m-d H:i", "day": "Y-m-d"}


@require_safe
def failures(request: HttpRequest) -> HttpResponse:
    """Of the last 24 hours, or of the time in the query."""
    form = FailuresForm(request.GET)
    context = context_of(request, _("Failed authentications"), form=form, shown=SHOWN)
    try:
        found = form.found(datetime.now(UTC))
    except FilterErrors:
        return TemplateResponse(request, "admin/failures.html", context, status=400)
    context |= {"found": found, "format": _FORMATS[found.step]}
    return TemplateResponse(request, "admin/failures.html", context)


PAGES: tuple[Page, ...] = (
    Page(
        "failed-authentications/",
        "failures",
        failures,
        VIEW_LOG,
        gettext_lazy("Failed authentications"),
    ),
)
