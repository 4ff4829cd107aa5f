"""The page of exports: what was taken out of the issuance log, by whom, with its manifest."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from registry_token.exports_made import newest_exports
from registry_token.log_access import EXPORT_LOG
from registry_token.pages.site import Page, context_of

LOOKED_AT = 200  # rows of the activity log, two for an export


@require_safe
def exports(request: HttpRequest) -> HttpResponse:
    """The newest ones."""
    context = context_of(request, _("Exports"), exports=newest_exports(LOOKED_AT))
    return TemplateResponse(request, "admin/audit/exports.html", context)


PAGES: tuple[Page, ...] = (Page("issuances/issuance/exports/", "exports", exports, EXPORT_LOG),)
