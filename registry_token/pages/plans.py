"""Plans in the admin: what takes something away is shown, and confirmed, before it is done."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.contrib import admin, messages
from django.contrib.admin.utils import unquote
from django.contrib.messages.storage import default_storage
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.translation import gettext_lazy, ngettext

import plans.admin
import plans.forms
from plans.models import Plan
from plans.snapshots import take_snapshot
from registry_token.pages.changes import ConfirmationForm, PlansChange


class Unconfirmed(Exception):
    """Rolls back a change of the catalogue that is to be confirmed."""

    def __init__(self, change: PlansChange) -> None:
        super().__init__()
        self.change = change


class PlanRuleForm(plans.forms.PlanRuleForm):
    """A rule whose pattern shows what it matches."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """For matches.js."""
        super().__init__(*args, **kwargs)
        self.fields["pattern"].widget.attrs["data-matches"] = reverse("admin:matches_json")


class PlanRuleInline(plans.admin.PlanRuleInline):
    """The rules of a plan."""

    form = PlanRuleForm


class ConfirmingPlanAdmin(plans.admin.PlanAdmin):
    """The plans, with the consequences of each change."""

    inlines = (PlanRuleInline,)
    actions = ("disable", "enable", "delete_plans")

    class Media:
        js = ("registry_token/matches.js",)

    def as_one_change(
        self, request: HttpRequest, view: Callable[..., HttpResponse], *args: Any, **kwargs: Any
    ) -> HttpResponse:
        """Try the change; when it has to be confirmed, undo it and ask."""

        def tried(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
            before = take_snapshot()
            response = view(request, *args, **kwargs)
            change = PlansChange(before, take_snapshot(), may_rename=True)
            if before != change.after and not _is_confirmed(request, change):
                raise Unconfirmed(change)
            return response

        try:
            return super().as_one_change(
                request, tried if request.method == "POST" else view, *args, **kwargs
            )
        except Unconfirmed as unconfirmed:
            change = unconfirmed.change
            # What the undone view has told the user is not true.
            request._messages = default_storage(request)  # type: ignore[attr-defined]
            form = ConfirmationForm(change, request.POST)
            if not change.is_dangerous and form.is_valid():
                request.harmless = change.key  # type: ignore[attr-defined]
                return self.as_one_change(request, view, *args, **kwargs)
            if "confirmed" not in request.POST and "reason" not in request.POST:
                form = ConfirmationForm(change)
            return self._ask(request, change, form)

    def _ask(
        self, request: HttpRequest, change: PlansChange, form: ConfirmationForm
    ) -> HttpResponse:
        """The page that names the consequence and carries all that was sent."""
        own = {"csrfmiddlewaretoken", "confirmed", "post", *form.fields}
        context = self.admin_site.each_context(request) | {
            "title": change.question,
            "opts": self.opts,
            "form": form,
            "is_again": request.POST.get("confirmed", change.key) != change.key,
            "carried": [
                (name, value)
                for name, values in request.POST.lists()
                if name not in own
                for value in values
            ],
        }
        return TemplateResponse(
            request, "admin/plans/plan/confirm.html", context | change.context()
        )

    def delete_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """The same page asks for a deletion, at once."""
        plan = self.get_object(request, unquote(object_id))
        if request.method == "POST" or plan is None:
            return super().delete_view(request, object_id, extra_context)
        if not self.has_delete_permission(request, plan):
            raise PermissionDenied
        before = take_snapshot()
        change = PlansChange(before, [entry for entry in before if entry["name"] != plan.name])
        return self._ask(request, change, ConfirmationForm(change))

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        """Without Django's own deletion, which asks otherwise."""
        actions: dict[str, Any] = super().get_actions(request)
        actions.pop("delete_selected", None)
        return actions

    @admin.action(permissions=["change"], description=gettext_lazy("Disable selected plans"))
    def disable(self, request: HttpRequest, queryset: QuerySet[Plan]) -> None:
        """Refuse their callers from now on."""
        self._switch(request, queryset, enabled=False)

    @admin.action(permissions=["change"], description=gettext_lazy("Enable selected plans"))
    def enable(self, request: HttpRequest, queryset: QuerySet[Plan]) -> None:
        """Serve their callers again."""
        self._switch(request, queryset, enabled=True)

    def _switch(self, request: HttpRequest, queryset: QuerySet[Plan], *, enabled: bool) -> None:
        switched = list(queryset.exclude(enabled=enabled))
        for plan in switched:
            plan.enabled = enabled
            plan.save()
            self.log_change(request, plan, [{"changed": {"fields": ["enabled"]}}])
        count = len(switched)
        if enabled:
            text = ngettext("%(n)s plan is enabled.", "%(n)s plans are enabled.", count)
        else:
            text = ngettext("%(n)s plan is disabled.", "%(n)s plans are disabled.", count)
        self.message_user(request, text % {"n": count}, messages.SUCCESS)

    @admin.action(permissions=["delete"], description=gettext_lazy("Delete selected plans"))
    def delete_plans(self, request: HttpRequest, queryset: QuerySet[Plan]) -> None:
        """Delete them with their rules."""
        count = queryset.count()
        self.log_deletions(request, queryset)
        self.delete_queryset(request, queryset)
        text = ngettext("%(n)s plan is deleted.", "%(n)s plans are deleted.", count) % {"n": count}
        self.message_user(request, text, messages.SUCCESS)


def _is_confirmed(request: HttpRequest, change: PlansChange) -> bool:
    if getattr(request, "harmless", "") == change.key:
        return True
    confirmed = request.POST.get("confirmed") == change.key
    return confirmed and ConfirmationForm(change, request.POST).is_valid()
