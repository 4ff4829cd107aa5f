"""Editing plans in the browser. Each save is one catalogue revision."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import Count, QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from plans.compared import compared, effect_badge
from plans.conflicts import fingerprint, merged, what_happened
from plans.models import REPOSITORY_ACTIONS, CatalogueRevision, Plan, PlanRule
from plans.patterns import pattern_error
from plans.revisions import catalogue_change
from plans.validators import validate_printable


class ExactFilters(admin.ModelAdmin):
    """An admin whose filters compare, and do no more."""

    def lookup_allowed(self, lookup: str, value: Any, request: Any = None) -> bool:
        """A regular expression in the URL can keep a worker busy."""
        allowed: bool = super().lookup_allowed(lookup, value, request)
        return allowed and lookup.partition("__")[2] in ("", "exact")


class HistoryAdmin(ExactFilters):
    """A history, to be read only."""

    # Counting a long history takes longer than showing a page of it.
    show_full_result_count = False

    def has_add_permission(self, request: HttpRequest) -> bool:
        """History is written by changes alone."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Nobody changes history."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Nobody deletes history."""
        return False


class ReasonForm(forms.Form):
    """What a form has whose change needs a reason; mix it into a ModelForm."""

    reason = forms.CharField(
        label=_("Why"),
        max_length=500,
        validators=[validate_printable],
        widget=forms.TextInput(attrs={"size": 60}),
        help_text=_("For the history, as in: Acme Ltd bought push access, order 4711"),
        error_messages={"required": _("Say why, as in: Acme Ltd bought push access, order 4711")},
    )

    @cached_property
    def changed_data(self) -> list[str]:
        """What would be stored: a reason alone is no change."""
        return [name for name in super().changed_data if name not in ("reason", "loaded")]


class RevisionedAdmin(ExactFilters):
    """An admin whose every change, single or in bulk, is one numbered revision by its user."""

    def changeform_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """Add and change."""
        return self.as_one_change(request, super().changeform_view, *args, **kwargs)

    def delete_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """Delete one."""
        return self.as_one_change(request, super().delete_view, *args, **kwargs)

    def changelist_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """Actions on several."""
        return self.as_one_change(request, super().changelist_view, *args, **kwargs)

    def as_one_change(
        self, request: HttpRequest, view: Callable[..., HttpResponse], *args: Any, **kwargs: Any
    ) -> HttpResponse:
        """The view's answer; what it changes is one revision, with the reason that was typed."""
        if request.method != "POST":
            return view(request, *args, **kwargs)
        # Each form judges its reason; what it refuses is no change, so no revision.
        reason = request.POST.get("reason", "").strip()
        with catalogue_change(actor=request.user.get_username(), source="admin", reason=reason):
            return view(request, *args, **kwargs)

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        """Save only what has changed: a revision without a difference would say nothing."""
        if not change or form.has_changed():
            super().save_model(request, obj, form, change)


class LinesField(forms.CharField):
    """A list of texts, typed one a line or separated by commas."""

    widget = forms.Textarea(attrs={"rows": 2, "cols": 30})

    def prepare_value(self, value: Any) -> Any:
        """The list as lines."""
        return "\n".join(value) if isinstance(value, list) else value

    def to_python(self, value: Any) -> Any:
        """The lines as a list."""
        text = super().to_python(value) or ""
        return [item.strip() for item in text.replace(",", "\n").splitlines() if item.strip()]

    def has_changed(self, initial: Any, data: Any) -> bool:
        """Compare lists, not their spelling."""
        return bool((initial or []) != self.to_python(data))


class PlanRuleForm(forms.ModelForm):
    """One rule, its actions as boxes to tick."""

    actions = forms.MultipleChoiceField(
        choices=[(action, action) for action in REPOSITORY_ACTIONS],
        widget=forms.CheckboxSelectMultiple,
        help_text="* allows them all",
    )
    services = LinesField(
        required=False, help_text="Only for these registries, one a line; empty: for all"
    )

    class Meta:
        model = PlanRule
        fields = ("effect", "type", "pattern", "actions", "services")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """Inputs in a table have no label of their own; the boxes of the actions have."""
        super().__init__(*args, **kwargs)
        self.fields["pattern"].error_messages["required"] = str(pattern_error(""))
        self.fields["actions"].error_messages["required"] = _(
            "tick one or more, as in pull; a rule without an action does nothing"
        )
        for name in ("effect", "type", "pattern", "services"):
            self.fields[name].widget.attrs["aria-label"] = self[name].label


class PlanRuleFormSet(forms.BaseInlineFormSet):
    """The rows of the rules."""

    def add_fields(self, form: Any, index: int | None) -> None:
        """Name the box that deletes a row, which has no label either."""
        super().add_fields(form, index)
        if "DELETE" in form.fields:
            form.fields["DELETE"].widget.attrs["aria-label"] = _("Delete this rule")


class PlanForm(ReasonForm, forms.ModelForm):
    """A plan, why it is changed, and which state of it the page shows."""

    loaded = forms.CharField(required=False, widget=forms.HiddenInput)
    conflict = ""
    """What somebody else has changed since; see `PlanAdmin.changeform_view`."""

    class Meta:
        model = Plan
        fields = ("name", "description", "enabled", "licence_required")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """Remember what is shown."""
        super().__init__(*args, **kwargs)
        if self.instance.pk:
            self.initial["loaded"] = fingerprint(self.instance)

    def clean(self) -> dict[str, Any] | None:
        """Refuse once what would overwrite somebody else's change unseen."""
        cleaned: dict[str, Any] | None = super().clean()
        if self.conflict:
            raise forms.ValidationError(self.conflict)
        return cleaned


class PlanRuleInline(admin.TabularInline):
    """The rules of a plan."""

    model = PlanRule
    form = PlanRuleForm
    formset = PlanRuleFormSet
    extra = 0


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
        if request.method == "POST" and object_id and loaded and object_id.isdecimal():
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

    @admin.display(description="rules", ordering="_rules")
    def rule_count(self, plan: Any) -> int:
        """How many rules the plan has."""
        return int(plan._rules)


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
