"""The catalogue file in the browser: saving it, and loading it after a look at the differences."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_safe

from licences.models import RevokedLicence, normalised
from people.activity import record_activity
from people.models import Action
from plans.catalogue import newest_revision
from plans.models import Plan
from plans.snapshots import Snapshot
from registry_token.catalogue_file import CatalogueFile, dump_catalogue, read_catalogue_text
from registry_token.catalogue_load import differences, licence_differences, snapshot_after
from registry_token.licence_usage import in_words, usage_of
from registry_token.pages.apply import (
    LICENCE_CHANGES,
    PLAN_CHANGES,
    apply_all,
    apply_if_seen,
    form_of,
)
from registry_token.pages.history import attachment
from registry_token.pages.site import Page, context_of

MAX_BYTES = 2 * 1024 * 1024
EXAMPLE = """\
plans:
  - name: enterprise
    licence_required: true
    rules:
      - {repositories: acme/**, actions: [pull, push]}
      - {repositories: acme/internal/**, actions: [push], effect: deny}
revoked_licences:
  - {licence: LIC-0042, reason: chargeback}
"""


class FileForm(forms.Form):
    """A catalogue file, chosen or pasted; cleaned to its `text`."""

    file = forms.FileField(label=gettext_lazy("File"), required=False)
    text = forms.CharField(
        label=gettext_lazy("Or the file's text"),
        required=False,
        strip=False,
        widget=forms.Textarea(attrs={"rows": 12, "spellcheck": "false", "class": "code"}),
    )
    prune = forms.BooleanField(
        label=gettext_lazy("Remove what the file does not name"),
        required=False,
        help_text=gettext_lazy("Plans and revoked licences that are not in the file are removed."),
    )

    def clean(self) -> dict[str, Any]:
        """One text, from whichever field it came. Raises ValidationError."""
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        upload, text = cleaned.get("file"), cleaned.get("text") or ""
        if (upload is None) == (not text.strip()):
            raise forms.ValidationError(_("Choose a file or paste its text: one of the two."))
        if upload is not None:
            text = _text_of(upload)
        # As a browser sends it back with the preview, which Django's limit is for.
        text = "\n".join(text.splitlines()) + "\n"
        if len(text.replace("\n", "\r\n").encode()) > MAX_BYTES:
            raise forms.ValidationError(_TOO_LARGE)
        return cleaned | {"text": text}


_TOO_LARGE = gettext_lazy("The file is larger than 2 MiB; use the command load_catalogue.")


def _text_of(upload: Any) -> str:
    if upload.size > MAX_BYTES:
        raise forms.ValidationError({"file": _TOO_LARGE})
    try:
        text: str = upload.read().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise forms.ValidationError(
            {"file": _("The file is not text in UTF-8; save it as such.")}
        ) from error
    return text


@require_safe
def export(request: HttpRequest) -> HttpResponse:
    """The catalogue as a file, with `?licences=yes` also the revoked licences."""
    with_licences = request.GET.get("licences") == "yes"
    if with_licences and not request.user.has_perm("licences.view_revokedlicence"):
        raise PermissionDenied
    licences = RevokedLicence.objects.all() if with_licences else RevokedLicence.objects.none()
    text = dump_catalogue(Plan.objects.prefetch_related("rules"), licences)
    name = f"catalogue-{newest_revision().number}.yaml"
    if request.method == "GET":
        record_activity(request, Action.EXPORTED, name)
    return attachment(text, name)


@require_http_methods(["GET", "HEAD", "POST"])
def load(request: HttpRequest) -> HttpResponse:
    """Choose a file, look at the differences, apply them."""
    may_load = request.user.has_perms(PLAN_CHANGES)
    if request.method != "POST":
        return _page(request, form=FileForm(), may_load=may_load)
    if not may_load:
        raise PermissionDenied
    form = FileForm(request.POST, request.FILES)
    if not form.is_valid():
        return _page(request, form=form, may_load=True)
    file, errors = read_catalogue_text(form.cleaned_data["text"])
    prune = form.cleaned_data["prune"]
    errors = errors or _objections(request, file, prune)
    if errors:
        form = FileForm(initial=form.cleaned_data)
        return _page(request, form=form, errors=errors, may_load=True)
    return _differences(request, file, form.cleaned_data)


def _differences(request: HttpRequest, file: CatalogueFile, chosen: dict[str, Any]) -> HttpResponse:
    """The preview, or once it was confirmed the revision that it has become."""
    prune: bool = chosen["prune"]

    def after() -> Snapshot:
        return snapshot_after(file, prune=prune)

    def apply() -> None:
        apply_all(differences(file, prune=prune))

    form = form_of(request, after, is_sent="apply" in request.POST)
    if form.is_bound and form.is_valid():
        seen, reason = form.cleaned_data["seen"], form.cleaned_data["reason"]
        if apply_if_seen(request, apply, seen=seen, reason=reason):
            messages.success(request, _("The catalogue file is loaded."))
            return redirect("admin:plans_cataloguerevision_change", newest_revision().number)
        form = form_of(request, after, is_sent=False)
    context = context_of(request, _("What the file changes")) | form.change.context()
    context |= {
        "lines": [difference.text for difference in differences(file, prune=prune)],
        "chosen": chosen,
        "usage": _usage(file),
        "form": form,
    }
    return render(request, "admin/history/preview.html", context)


def _objections(request: HttpRequest, file: CatalogueFile, prune: bool) -> list[str]:
    """Why a file without errors is not to be loaded all the same."""
    if prune and file.is_empty:
        return [_("The file is empty, and everything would be removed. If wanted: plans: []")]
    if not request.user.has_perms(LICENCE_CHANGES) and any(licence_differences(file, prune)):
        return [
            _(
                "revoked_licences: you may change plans, but not revoked licences. Take them out of"
                " the file and do not remove what it does not name, or ask a licence manager."
            )
        ]
    return []


def _usage(file: CatalogueFile) -> str:
    """Who has been using the licences that the file revokes."""
    revoked = set(RevokedLicence.objects.values_list("key", flat=True))
    new = [one.licence for one in file.revoked_licences if normalised(one.licence) not in revoked]
    return in_words(usage_of(new, timezone.now())) if new else ""


def _page(request: HttpRequest, **more: Any) -> HttpResponse:
    context = context_of(request, _("Catalogue file"), example=EXAMPLE, **more)
    return render(request, "admin/history/file.html", context)


PAGES: tuple[Page, ...] = (
    Page("catalogue/", "catalogue_file", load, "plans.view_plan", gettext_lazy("Catalogue file")),
    Page("catalogue/export/", "catalogue_export", export, "plans.view_plan"),
)
