"""Revoking and reinstating many licences: paste or upload a list, look at what it does, confirm."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from django import forms
from django.contrib import messages
from django.core.files.uploadedfile import UploadedFile
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from licences.bulk import BulkList, read_list, reinstate_all, revoke_all
from licences.models import RevokedLicence
from licences.pasted import MAX_BYTES, MAX_LINES
from plans.forms import ReasonField
from registry_token.licence_usage import in_words, usage_of
from registry_token.pages.site import Page, context_of

MAX_SHOWN = 100
_LONG_AGO = datetime.min.replace(tzinfo=UTC)


class ManyForm(forms.Form):
    """A list, pasted or as a file, and a reason."""

    text = forms.CharField(
        label=gettext_lazy("The list"),
        required=False,
        strip=False,
        widget=forms.Textarea(
            attrs={
                "rows": 12,
                "cols": 60,
                "placeholder": gettext_lazy("LIC-0042\nLIC-0043,chargeback,2027-01-31"),
            }
        ),
    )
    file = forms.FileField(label=gettext_lazy("or a CSV file"), required=False)
    reason = ReasonField()

    def clean_file(self) -> str:
        """The file's text."""
        file: UploadedFile[Any] | None = self.cleaned_data["file"]
        if file is None:
            return ""
        if (file.size or 0) > MAX_BYTES:
            raise forms.ValidationError(_("is larger than 2 MiB; split it"))
        try:
            text = str(file.read(), "utf-8-sig")
        except UnicodeDecodeError:
            text = "\0"
        if "\0" in text:
            raise forms.ValidationError(_("is not text in UTF-8; save it as CSV in UTF-8"))
        return text

    def clean(self) -> dict[str, Any]:
        """Either the one or the other, within the limits."""
        pasted, uploaded = self.cleaned_data.get("text", ""), self.cleaned_data.get("file", "")
        if not self.errors and bool(pasted.strip()) == bool(uploaded.strip()):
            self.add_error("text", _("paste a list or choose a file that is not empty, not both"))
        text = self.cleaned_data["list"] = pasted if pasted.strip() else uploaded
        if len(text.encode(errors="replace")) > MAX_BYTES + MAX_LINES:  # a browser's line ends
            self.add_error("text", _("is larger than 2 MiB; split it"))
        if text.count("\n") > MAX_LINES:
            self.add_error("text", _("has more than 100,000 lines; split it"))
        return self.cleaned_data


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
