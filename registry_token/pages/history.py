"""The catalogue's history in the browser: comparing, downloading and restoring revisions.

Restoring goes the way of a catalogue file, so it is checked and applied like any other change.
"""

from __future__ import annotations

from collections.abc import Iterator

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from plans.catalogue import newest_revision
from plans.compared import compared
from plans.models import CatalogueRevision
from plans.snapshots import Snapshot, snapshot_as_of
from registry_token.catalogue_file import CatalogueFile, catalogue_in, dump_snapshot
from registry_token.catalogue_load import Difference, plan_differences
from registry_token.pages.apply import (
    PLAN_CHANGES,
    apply_all,
    apply_if_seen,
    form_of,
)
from registry_token.pages.site import Page, context_of, row_number

_REVISION = "admin:plans_cataloguerevision_change"


@require_safe
def compare(request: HttpRequest) -> HttpResponse:
    """What separates any two revisions, `from` and `to`."""
    numbers = [row_number(request.GET.get(name, "")) for name in ("from", "to")]
    existing = set(
        CatalogueRevision.objects.filter(
            number__in=[number for number in numbers if number is not None]
        ).values_list("number", flat=True)
    )
    before, after = numbers
    context = context_of(request, _("Compare revisions"), typed=request.GET)
    if before in existing and after in existing and before is not None and after is not None:
        return render(request, "admin/history/compare.html", context | compared(before, after))
    fields = zip(("from", "to"), numbers, strict=True)
    context["wrong"] = [request.GET.get(name, "") for name, at in fields if at not in existing]
    return render(request, "admin/history/compare.html", context)


@require_safe
def download(request: HttpRequest, number: int) -> HttpResponse:
    """The plans as of a revision, as a catalogue file."""
    text = dump_snapshot(_kept(number))
    return attachment(text, f"catalogue-revision-{number}.yaml")


def attachment(text: str, name: str) -> HttpResponse:
    """A YAML file to be saved."""
    response = HttpResponse(text, content_type="application/yaml; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    response["Cache-Control"] = "no-store"
    return response


@require_http_methods(["GET", "HEAD", "POST"])
def restore(request: HttpRequest, number: int) -> HttpResponse:
    """Show what restoring a revision's plans would change now, and do it with a reason."""
    if not request.user.has_perms(PLAN_CHANGES):
        raise PermissionDenied
    snapshot = _kept(number)
    file, errors = catalogue_in({"plans": snapshot})
    form = form_of(request, lambda: snapshot, is_sent=request.method == "POST")
    if form.is_bound and form.is_valid() and not errors:
        seen, reason = form.cleaned_data["seen"], form.cleaned_data["reason"]
        reason = f"restored revision {number}: {reason}"
        if apply_if_seen(request, lambda: apply_all(_found(file)), seen=seen, reason=reason):
            text = _("The plans are again those of revision %(number)s.") % {"number": number}
            messages.success(request, text)
            return redirect(_REVISION, newest_revision().number)
        form = form_of(request, lambda: snapshot, is_sent=False)
    context = context_of(request, _("Restore revision %(number)s") % {"number": number})
    context |= {"number": number, "form": form, "errors": errors}
    context |= form.change.context() | {"has_differences": any(_found(file))}
    return render(request, "admin/history/restore.html", context)


def _found(file: CatalogueFile) -> Iterator[Difference]:
    return plan_differences(file, prune=True)


def _kept(number: int) -> Snapshot:
    """The plans as of a revision; a page that says so when they were not kept."""
    if not CatalogueRevision.objects.filter(number=number).exists():
        raise Http404(_("There is no revision %(number)s.") % {"number": number})
    snapshot = snapshot_as_of(number)
    if snapshot is None:
        raise Http404(
            _("What the plans were in revision %(number)s was not kept.") % {"number": number}
        )
    return snapshot


_VIEW = "plans.view_cataloguerevision"
_ONE = "plans/cataloguerevision/<int:number>"

PAGES: tuple[Page, ...] = (
    Page("plans/cataloguerevision/diff/", "catalogue_compare", compare, _VIEW),
    Page(f"{_ONE}/catalogue.yaml", "catalogue_download", download, _VIEW),
    Page(f"{_ONE}/restore/", "catalogue_restore", restore, _VIEW),
)
