"""Queries of the issuance log that have a name: those that are always there, and people's own."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db.models import Q
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST

from issuances.finding.filters import FilterErrors, IssuanceFilter
from issuances.models import SavedQuery
from people.activity import record_activity
from people.models import Action
from plans.validators import validate_printable
from registry_token.log_access import LOG_LIST, VIEW_LOG
from registry_token.pages.site import Page

READY = (
    (gettext_lazy("Refused in the last 24 hours"), "outcome=refused&since=24h"),
    (gettext_lazy("Refused for a revoked licence"), "reason=licence_revoked"),
    (gettext_lazy("Granted in part in the last 7 days"), "outcome=part&since=7d"),
    (gettext_lazy("Pushes granted in the last 7 days"), "action=push&compare=granted&since=7d"),
    (gettext_lazy("Deletions asked for"), "action=delete"),
    (gettext_lazy("Plans that do not exist"), "reason=plan_unknown"),
)
MAX_OWN = 100
# Who may delete what others have shared: administrators.
_TIDY = "auth.change_user"


class SaveForm(forms.Form):
    """A name for the present filter."""

    name = forms.CharField(max_length=100, validators=[validate_printable])
    is_shared = forms.BooleanField(required=False)
    query = forms.CharField(max_length=2000)

    def clean_query(self) -> str:
        """It must be a filter, as another version of the service might not have it."""
        query = QueryDict(self.cleaned_data["query"])
        try:
            _ = IssuanceFilter(query).filtered
        except FilterErrors as error:
            raise forms.ValidationError(str(error)) from None
        return query.urlencode()


def queries_for(request: HttpRequest) -> dict[str, Any]:
    """What the list's template shows."""
    user: Any = request.user
    saved = SavedQuery.objects.filter(Q(owner=user) | Q(is_shared=True)).select_related("owner")
    return {
        "ready": READY,
        "saved": [{"saved": one, "may_delete": _may_delete(request, one)} for one in saved],
    }


@require_POST
def save(request: HttpRequest) -> HttpResponse:
    """Give the present filter a name."""
    user: Any = request.user
    form = SaveForm(request.POST)
    query = request.POST.get("query", "")
    if not form.is_valid():
        for said in form.errors.values():
            messages.error(request, " ".join(map(str, said)))
        return redirect(f"{reverse(LOG_LIST)}?{query}" if "query" not in form.errors else LOG_LIST)
    own = SavedQuery.objects.filter(owner=user)
    name, is_shared = form.cleaned_data["name"], form.cleaned_data["is_shared"]
    if own.count() >= MAX_OWN:
        messages.error(request, _("You have as many queries as can be saved; delete some."))
    elif not own.get_or_create(name=name, defaults={"owner": user, **form.cleaned_data})[1]:
        messages.error(request, _("You have a query of this name; choose another one."))
    else:
        detail = "saved, shared" if is_shared else "saved"
        record_activity(request, Action.OTHER, f"query {name}", f"{detail}: {query}")
        messages.success(request, _("Saved as %(name)s.") % {"name": name})
    return redirect(f"{reverse(LOG_LIST)}?{form.cleaned_data['query']}")


@require_POST
def delete(request: HttpRequest, number: int) -> HttpResponse:
    """By its owner; what is shared also by an administrator."""
    visible = Q(owner=request.user) | Q(is_shared=True)
    saved = get_object_or_404(SavedQuery, visible, pk=number)
    if not _may_delete(request, saved):
        raise PermissionDenied
    saved.delete()
    record_activity(request, Action.OTHER, f"query {saved.name}", f"deleted: {saved.query}")
    messages.success(request, _("Deleted %(name)s.") % {"name": saved.name})
    return redirect(LOG_LIST)


def _may_delete(request: HttpRequest, saved: SavedQuery) -> bool:
    user: Any = request.user
    return saved.owner_id == user.pk or (saved.is_shared and user.has_perm(_TIDY))


PAGES: tuple[Page, ...] = (
    Page("issuances/issuance/queries/", "audit_save", save, VIEW_LOG),
    Page("issuances/issuance/queries/<int:number>/delete/", "audit_delete", delete, VIEW_LOG),
)
