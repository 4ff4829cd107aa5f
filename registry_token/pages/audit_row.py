"""A row of the issuance log: what was asked, what came of it and why, and what stands around it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from issuances.finding.filters import FilterErrors, IssuanceFilter
from issuances.finding.paging import page_of
from issuances.models import Issuance
from issuances.sealing.sealed import batch_with
from licences.models import RevokedLicence, normalised
from plans.models import CatalogueRevision, Plan
from registry_token.licence_usage import GRACE
from registry_token.log_access import LOG_LIST
from registry_token.log_row import decided_again
from registry_token.pages.audit_words import (
    fields_of,
    line_of,
    outcome_of,
    remedy_of,
    resources_of,
    scope_of,
)
from registry_token.pages.simulator_words import in_words
from registry_token.pages.site import context_of

_NEIGHBOURS = 3  # on each side
_SECONDS = 0.03  # for each of the lists beside


def shown(request: HttpRequest, row_id: str) -> HttpResponse:
    """The page; the list, if there is no such row."""
    row = _row(row_id)
    if row is None:
        said = _("The log has no row %(id)s: it was pruned, or never was.") % {"id": row_id[:64]}
        messages.warning(request, said)
        return redirect(LOG_LIST)
    context = context_of(
        request,
        _("Decision of %(time)s UTC") % {"time": f"{row.created_at:%Y-%m-%d %H:%M:%S}"},
        row=row,
        outcome=outcome_of(row),
        remedy=remedy_of(row),
        resources=resources_of(row),
        validity=_validity(row, datetime.now(UTC)),
        fields=[(label, value, _same(name, value)) for label, name, value in fields_of(row)],
        lists=list(_lists(row)),
        batch=batch_with(row.id),
        permalink=request.build_absolute_uri(),
        scopes=" ".join(map(scope_of, row.requested)),
    )
    return TemplateResponse(request, "admin/audit/row.html", context | _why(row))


def _row(row_id: str) -> Issuance | None:
    try:
        return Issuance.objects.filter(id=UUID(row_id)).first()
    except ValueError:
        return None


def _why(row: Issuance) -> dict[str, Any]:
    """The decision taken again, and where what decided it stands."""
    again = decided_again(row)
    number = row.catalogue_revision
    return {
        "again": again,
        "result": None if again.simulation is None else in_words(again.simulation),
        "revision": CatalogueRevision.objects.defer("snapshot").filter(number=number).first(),
        "plan": Plan.objects.filter(name=row.plan).first(),
        "revoked": RevokedLicence.objects.filter(key=normalised(row.licence)).first()
        if row.licence
        else None,
    }


def _validity(row: Issuance, now: datetime) -> str:
    """Of the registry token."""
    if row.expires_at is None:
        return ""
    left = int((row.expires_at - now).total_seconds())
    until = f"{row.expires_at:%Y-%m-%d %H:%M:%S}"
    if left > 0:
        said = ngettext(
            "The registry token is still valid for %(n)s second (until %(until)s UTC).",
            "The registry token is still valid for %(n)s seconds (until %(until)s UTC).",
            left,
        )
        return said % {"n": left, "until": until}
    if now < row.expires_at + GRACE:
        said = _(
            "The registry token expired at %(until)s UTC; registries may accept it for another"
            " minute."
        )
    else:
        said = _("The registry token expired at %(until)s UTC.")
    return said % {"until": until}


def _lists(row: Issuance) -> Iterator[dict[str, Any]]:
    """What the same caller asked for before and after, and who else had the licence."""
    yield _beside(row, _("The same caller"), "subject", row.subject)
    if row.licence:
        yield _beside(row, _("The same licence"), "licence", row.licence)


def _beside(row: Issuance, title: str, name: str, value: str) -> dict[str, Any]:
    newer, older = [], []
    try:
        filtered = IssuanceFilter({name: value}).filtered
    except FilterErrors:
        pass
    else:
        options: dict[str, Any] = {"size": _NEIGHBOURS, "seconds": _SECONDS}
        newer = page_of(filtered, after=row.id, **options).rows
        older = page_of(filtered, before=row.id, **options).rows
    lines = [line_of(one) for one in (*newer, row, *older)]
    return {"title": title, "lines": lines, "url": _same(name, value)}


def _same(name: str, value: Any) -> str:
    """The list of the rows that have this, too; "" where there is no such filter."""
    if not name or not value:
        return ""
    return f"{reverse(LOG_LIST)}?{urlencode({name: value})}"
