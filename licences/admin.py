"""Revoking and reinstating in the browser. Each change is one catalogue revision.

`RevokedLicenceAdmin` is registered by the project, which adds what the issuance log knows.
"""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.contrib.admin.utils import unquote
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import Q, QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from licences.bulk import reinstate_all
from licences.forms import ReinstatementForm, RevokedLicenceForm
from licences.models import LicenceEvent, RevokedLicence, normalised
from plans.base_admin import HistoryAdmin, RevisionedAdmin


class StateFilter(admin.SimpleListFilter):
    """In effect or ended."""

    title = gettext_lazy("state")
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """The two states."""
        return [("in-effect", _("in effect")), ("ended", _("ended"))]

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        """The rows of the chosen state."""
        ended = Q(until__lte=timezone.now())
        match self.value():
            case "in-effect":
                return queryset.exclude(ended)
            case "ended":
                return queryset.filter(ended)
        return queryset


class RevokedLicenceAdmin(RevisionedAdmin):
    """The deny list. Deleting a row reinstates the licence, which needs a reason of its own."""

    form = RevokedLicenceForm
    list_display = ("licence", "state", "reason", "revoked_at", "revoked_by", "until")
    list_filter = (StateFilter,)
    search_fields = ("key",)
    search_help_text = gettext_lazy("How a licence begins, in any spelling, or words of a reason")
    actions = ("reinstate",)

    @admin.display(description=gettext_lazy("state"))
    def state(self, revoked: RevokedLicence) -> str:
        """In effect or ended, as a badge."""
        if revoked.is_in_effect(timezone.now()):
            return format_html('<span class="badge bad">{}</span>', _("in effect"))
        return format_html('<span class="badge good">{}</span>', _("ended"))

    def lookup_allowed(self, lookup: str, value: Any, request: Any = None) -> bool:
        """The filter above, too."""
        return lookup == StateFilter.parameter_name or super().lookup_allowed(
            lookup, value, request
        )

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet, search_term: str
    ) -> tuple[QuerySet, bool]:
        """By the form in which licences are compared, so that the spelling does not matter."""
        if not search_term.strip():
            return queryset, False
        begins = Q(key__startswith=normalised(search_term))
        return queryset.filter(begins | Q(reason__icontains=search_term.strip())), False

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        """Another licence is another row: the history of this one would be wrong."""
        return () if obj is None else ("licence", "revoked_at", "revoked_by")

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """With the licence's history; to reinstate it is a link above."""
        revoked = self.get_object(request, unquote(object_id))
        events = LicenceEvent.objects.filter(key=revoked.key if revoked else "")
        context = (extra_context or {}) | {"events": events, "show_delete": False}
        return super().change_view(request, object_id, form_url, context)

    def delete_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Reinstate one, on a page that asks why."""
        revoked = self.get_object(request, unquote(object_id))
        if not self.has_delete_permission(request, revoked):
            raise PermissionDenied
        if revoked is None:
            raise Http404
        chosen = RevokedLicence.objects.filter(pk=revoked.pk)
        if (page := self._reinstate(request, chosen, "post")) is not None:
            return page
        return HttpResponseRedirect(reverse("admin:licences_revokedlicence_changelist"))

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        """Django's own deletion would not ask why."""
        actions: dict[str, Any] = super().get_actions(request)
        actions.pop("delete_selected", None)
        return actions

    @admin.action(permissions=["delete"], description=gettext_lazy("Reinstate selected licences"))
    def reinstate(self, request: HttpRequest, queryset: QuerySet) -> HttpResponse | None:
        """Reinstate several, on a page that asks why."""
        return self._reinstate(request, queryset, "confirmed")

    def _reinstate(
        self, request: HttpRequest, chosen: QuerySet, confirmation: str
    ) -> HttpResponse | None:
        """Do so when a reason is given; else the page that asks for it."""
        is_confirmed = confirmation in request.POST
        form = ReinstatementForm(request.POST if is_confirmed else None)
        if is_confirmed and form.is_valid():
            username, reason = request.user.get_username(), form.cleaned_data["reason"]
            with transaction.atomic():
                self.log_deletions(request, chosen)
                count = reinstate_all(list(chosen), actor=username, reason=reason)
            text = ngettext("%(n)s licence reinstated", "%(n)s licences reinstated", count)
            self.message_user(request, text % {"n": count}, messages.SUCCESS)
            return None
        context = self.admin_site.each_context(request) | {
            "title": _("Reinstate"),
            "form": form,
            "chosen": chosen,
            "confirmation": confirmation,
            "opts": self.opts,
        }
        return TemplateResponse(request, "admin/licences/revokedlicence/reinstate.html", context)


@admin.register(LicenceEvent)
class LicenceEventAdmin(HistoryAdmin):
    """The history of licences, to be read only."""

    list_display = ("licence", "what", "at", "actor", "source", "reason", "until", "revision")
    fields = readonly_fields = list_display
    list_filter = ("what", "source")
    search_fields = ("key",)
    search_help_text = gettext_lazy("How a licence begins, in any spelling")

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Who may see the deny list may see how it came about."""
        return request.user.has_perm("licences.view_revokedlicence")

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet, search_term: str
    ) -> tuple[QuerySet, bool]:
        """By the form in which licences are compared."""
        if not search_term.strip():
            return queryset, False
        return queryset.filter(key__startswith=normalised(search_term)), False
