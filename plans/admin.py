"""Editing plans in the browser. Each save is one catalogue revision."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import Count, QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from plans.base_admin import HistoryAdmin, RevisionedAdmin
from plans.compared import compared, effect_badge
from plans.conflicts import fingerprint, merged, what_happened
from plans.forms import PlanForm, PlanRuleForm, PlanRuleFormSet
from plans.models import CatalogueRevision, Plan, PlanRule


class PlanRuleInline(admin.TabularInline):
    """The rules of a plan."""

    model = PlanRule
    form = PlanRuleForm
    formset = PlanRuleFormSet
    extra = 1  # without scripts there is no other way to add one


class PlanAdmin(RevisionedAdmin):
    """Plans with their rules. The project registers a subclass that knows the issuance log."""

    form = PlanForm
    fields = ("name", "description", "enabled", "licence_required", "reason", "loaded")
    list_display = ("name", "enabled", "licence_required", "rule_count", "description")
    list_filter = ("enabled", "licence_required")
    search_fields = ("name", "description")
    inlines = (PlanRuleInline,)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Plan]:
        """Plans with their number of rules."""
        plans: QuerySet[Plan] = super().get_queryset(request)
        return plans.annotate(_rules=Count("rules"))

    def get_form(
        self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any
    ) -> Any:
        """The form that knows what `_changeform_view` below has found."""
        form: Any = super().get_form(request, obj, change, **kwargs)
        form.conflict = getattr(request, "plan_conflict", "")
        return form

    def _changeform_view(
        self, request: HttpRequest, object_id: str | None, form_url: str, extra_context: Any
    ) -> HttpResponse:
        """Inside the transaction: look whether the plan is still what the page has shown."""
        loaded = request.POST.get("loaded", "")
        if request.method == "POST" and loaded and object_id and _is_number(object_id):
            plan = Plan.objects.filter(pk=object_id).first()
            if plan is None or fingerprint(plan) != loaded:
                request.plan_conflict = what_happened(plan, loaded)  # type: ignore[attr-defined]
                request.POST = merged(request.POST, plan)  # type: ignore[assignment]
            if plan is None:  # what was typed can be saved as a new plan
                object_id, form_url = None, reverse("admin:plans_plan_add")
        response: HttpResponse = super()._changeform_view(  # type: ignore[misc]
            request, object_id, form_url, extra_context
        )
        return response

    @admin.display(description=_("rules"), ordering="_rules")
    def rule_count(self, plan: Any) -> int:
        """How many rules the plan has."""
        return int(plan._rules)


def _is_number(text: str) -> bool:
    """Whether it can be a row's. Python reads no number of thousands of digits."""
    return text.isascii() and text.isdecimal() and len(text) <= 18


@admin.register(CatalogueRevision)
class CatalogueRevisionAdmin(HistoryAdmin):
    """The history of the catalogue, to be read only."""

    list_display = ("number", "created_at", "actor", "source", "access", "reason")
    fields = readonly_fields = ("number", "created_at", "actor", "source", "reason")
    list_filter = ("source", "effect")
    search_fields = ("actor", "reason")

    def get_queryset(self, request: HttpRequest) -> QuerySet[CatalogueRevision]:
        """Without the snapshots, which can be large."""
        revisions: QuerySet[CatalogueRevision] = super().get_queryset(request)
        return revisions.defer("snapshot")

    @admin.display(description=_("access"), ordering="effect", empty_value="-")
    def access(self, revision: CatalogueRevision) -> str | None:
        """Whether the change widened or narrowed access, as far as that was noted."""
        return effect_badge(revision.effect)

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """A revision with what separates it from the one before."""
        found = self.get_object(request, object_id)
        context = {**(extra_context or {}), "show_close": False}
        if found is not None:
            context |= compared(found.number - 1, found.number) | {"changes": found.changes}
        return super().change_view(request, object_id, form_url, context)
