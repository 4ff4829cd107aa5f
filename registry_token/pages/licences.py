"""Revoking and reinstating many licences: paste or upload a list, look at what it does, confirm.

Nothing is done once the catalogue is another one than the preview was made of.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
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

from licences.bulk import BulkList, add, read_list, remove
from licences.models import RevokedLicence
from plans.catalogue import newest_revision
from registry_token.licence_usage import in_words, usage_of
from registry_token.pages.apply import apply_if_seen, token_of
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
    context: dict[str, Any] = {
        "title": _("Revoke many"),
        "help": _(
            "One licence a line, or licence,reason,until with or without a heading."
            " The reason below is for lines without one."
        ),
    }
    if not form.is_valid():
        return _page(request, form, context)
    found, seen = _read(form, timezone.now())
    if _is_applied(request, form, lambda: add(found.new)):
        count = len(found.new)
        text = ngettext("%(n)s licence revoked.", "%(n)s licences revoked.", count) % {"n": count}
        used = in_words(usage_of([one.licence for one in found.new], timezone.now()))
        return _done(request, f"{text} {used}")
    if "apply" in request.POST:
        found, seen = _read(form, timezone.now())
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
    context |= {"parts": parts, "count": count, "confirm": confirm, "seen": seen}
    return _page(request, form, context)


def reinstate_many(request: HttpRequest) -> HttpResponse:
    """Preview on the first POST, reinstate those that are revoked on the second."""
    form = _form(request)
    context: dict[str, Any] = {
        "title": _("Reinstate many"),
        "help": _("One licence a line, in any spelling."),
    }
    if not form.is_valid():
        return _page(request, form, context)
    found, seen = _read(form, _LONG_AGO)
    if _is_applied(request, form, lambda: remove(found.listed)):
        count = len(found.listed)
        text = ngettext("%(n)s licence reinstated", "%(n)s licences reinstated", count)
        return _done(request, text % {"n": count})
    if "apply" in request.POST:
        found, seen = _read(form, _LONG_AGO)
    parts = [
        _part(_("Revoked, to be reinstated"), map(_revoked, found.listed)),
        _part(_("Not revoked"), [one.licence for one in found.new]),
        _malformed(found),
    ]
    count = len(found.listed)
    confirm = ngettext("Reinstate %(n)s licence", "Reinstate %(n)s licences", count) % {"n": count}
    context |= {"parts": parts, "count": count, "confirm": confirm, "seen": seen}
    return _page(request, form, context)


def _read(form: ManyForm, now: datetime) -> tuple[BulkList, str]:
    """The list beside the deny list, and of which revision that is, or of an earlier one."""
    seen = token_of(newest_revision())  # first, so that what is shown is never older
    return read_list(form.cleaned_data["list"], form.cleaned_data["reason"], now), seen


def _is_applied(request: HttpRequest, form: ManyForm, apply: Callable[[], None]) -> bool:
    """Whether this is the confirmation, of what is still so, and is done."""
    seen, reason = request.POST.get("seen", ""), form.cleaned_data["reason"]
    return "apply" in request.POST and apply_if_seen(request, apply, seen=seen, reason=reason)


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
