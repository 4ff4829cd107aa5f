"""Revoking and reinstating many licences: paste or upload a list, look at what it does, confirm."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from licences.bulk import BulkList, read_list, reinstate_all, revoke_all
from licences.models import RevokedLicence
from registry_token.licence_usage import in_words, usage_of
from registry_token.pages.licences_form import ManyForm
from registry_token.pages.site import Page, context_of

MAX_SHOWN = 100
_LONG_AGO = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Part:
    """One card of the preview."""

    label: str
    count: int
    lines: list[str]
    more: int


def _part(label: str, lines: Iterable[str]) -> Part:
    shown = list(lines)
    return Part(label, len(shown), shown[:MAX_SHOWN], max(0, len(shown) - MAX_SHOWN))


def _revoked(licence: RevokedLicence) -> str:
    until = f" ({_('until')} {licence.until:%Y-%m-%d %H:%M})" if licence.until else ""
    return f"{licence.licence}: {licence.reason}{until}"


def _malformed(found: BulkList) -> Part:
    lines = [f"{_('line')} {one.line}: {one.text!r}: {one.why}" for one in found.malformed]
    return _part(_("Malformed, left out"), lines)


def revoke_many(request: HttpRequest) -> HttpResponse:
    """Preview on the first POST, revoke those that are new on the second."""
    form = _form(request)
    context = {
        "title": _("Revoke many"),
        "help": _(
            "One licence a line, or licence,reason,until with or without a heading."
            " The reason below is for lines without one."
        ),
    }
    if not form.is_valid():
        return _page(request, form, context)
    reason = form.cleaned_data["reason"]
    found = read_list(form.cleaned_data["list"], reason, timezone.now())
    if "apply" in request.POST:
        new = revoke_all(found.new, actor=request.user.get_username(), reason=reason)
        count = len(new)
        text = ngettext("%(n)s licence revoked.", "%(n)s licences revoked.", count) % {"n": count}
        used = in_words(usage_of([one.licence for one in new], timezone.now()))
        return _done(request, f"{text} {used}")
    parts = [
        _part(_("New, to be revoked"), map(_revoked, found.new)),
        _part(_("Revoked already"), map(_revoked, found.unchanged)),
        _part(
            _("Revoked already with another reason or end, left so"), map(_revoked, found.changed)
        ),
        _malformed(found),
    ]
    count = len(found.new)
    confirm = ngettext("Revoke %(n)s licence", "Revoke %(n)s licences", count) % {"n": count}
    return _page(request, form, context | {"parts": parts, "count": count, "confirm": confirm})


def reinstate_many(request: HttpRequest) -> HttpResponse:
    """Preview on the first POST, reinstate those that are revoked on the second."""
    form = _form(request)
    context = {"title": _("Reinstate many"), "help": _("One licence a line, in any spelling.")}
    if not form.is_valid():
        return _page(request, form, context)
    reason = form.cleaned_data["reason"]
    found = read_list(form.cleaned_data["list"], reason, _LONG_AGO)
    if "apply" in request.POST:
        count = reinstate_all(found.listed, actor=request.user.get_username(), reason=reason)
        text = ngettext("%(n)s licence reinstated", "%(n)s licences reinstated", count)
        return _done(request, text % {"n": count})
    parts = [
        _part(_("Revoked, to be reinstated"), map(_revoked, found.listed)),
        _part(_("Not revoked"), [one.licence for one in found.new]),
        _malformed(found),
    ]
    count = len(found.listed)
    confirm = ngettext("Reinstate %(n)s licence", "Reinstate %(n)s licences", count) % {"n": count}
    return _page(request, form, context | {"parts": parts, "count": count, "confirm": confirm})


def _form(request: HttpRequest) -> ManyForm:
    return ManyForm(request.POST, request.FILES) if request.method == "POST" else ManyForm()


def _page(request: HttpRequest, form: ManyForm, context: dict[str, Any]) -> HttpResponse:
    text = form.cleaned_data.get("list", "") if form.is_bound else ""
    context = context_of(request, **context, form=form, text=text)
    return TemplateResponse(request, "admin/licences/many.html", context)


def _done(request: HttpRequest, text: str) -> HttpResponse:
    messages.success(request, text)
    return HttpResponseRedirect(reverse("admin:licences_revokedlicence_changelist"))


_ROUTE = "licences/revokedlicence"
PAGES = (
    Page(f"{_ROUTE}/revoke-many/", "revoke_many", revoke_many, "licences.add_revokedlicence"),
    Page(
        f"{_ROUTE}/reinstate-many/",
        "reinstate_many",
        reinstate_many,
        "licences.delete_revokedlicence",
    ),
)
