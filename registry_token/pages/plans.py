"""Plans in the admin: what takes something away is shown, and confirmed, before it is done."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django import forms
from django.contrib import admin
from django.contrib.admin.utils import unquote
from django.contrib.messages.storage import default_storage
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

import plans.admin
from plans.catalogue import catalogue_of_snapshot, newest_revision
from plans.conflicts import digest
from plans.models import Plan
from plans.snapshots import Snapshot, take_snapshot
from registry_token.consequences import Consequences, consequences_of, rows_of
from registry_token.exchange import policy


class Unconfirmed(Exception):
    """Rolls back a change of the catalogue that is to be confirmed: what was and what would be."""

    def __init__(self, before: Snapshot, after: Snapshot) -> None:
        super().__init__()
        self.before, self.after = before, after

    @property
    def key(self) -> str:
        """Of this very change; another one if the catalogue has changed in between."""
        return digest([self.before, self.after])

    @property
    def touched(self) -> list[str]:
        """Names of the plans that would decide otherwise, or go."""
        after = [_deciding(entry) for entry in self.after]
        return [entry["name"] for entry in self.before if _deciding(entry) not in after]

    @property
    def ended(self) -> list[str]:
        """Names of the enabled plans that would be disabled or go."""
        now = _enabled(self.after)
        return [name for name in _enabled(self.before) if name not in now]

    @property
    def to_type(self) -> str:
        """What has to be typed: the name of the deleted plan, or the number of several."""
        names = {entry["name"] for entry in self.after}
        gone = [entry["name"] for entry in self.before if entry["name"] not in names]
        if len(self.after) >= len(self.before):
            return ""  # at most renamed
        return gone[0] if len(gone) == 1 else str(len(gone))

    def consequences(self) -> Consequences:
        """For the callers of the last 30 days."""
        revision = newest_revision()
        old, new = (catalogue_of_snapshot(plans, revision) for plans in (self.before, self.after))
        return consequences_of(rows_of(self.touched, timezone.now()), old, new, policy())


def _deciding(entry: dict[str, Any]) -> dict[str, Any]:
    return entry | {"description": ""}


def _enabled(snapshot: Snapshot) -> list[str]:
    return [entry["name"] for entry in snapshot if entry.get("enabled", True)]


class ConfirmationForm(plans.admin.ReasonForm):
    """Why, and for a deletion what is to be deleted."""

    typed = forms.CharField(required=False, strip=True)

    def __init__(self, change: Unconfirmed, data: Any = None) -> None:
        super().__init__(data)
        self.change = change
        self.fields["typed"].label = _("Type %s to delete") % change.to_type
        self.fields["typed"].help_text = ""
        if not change.to_type:
            del self.fields["typed"]

    def clean_typed(self) -> str:
        """Exactly that."""
        typed: str = self.cleaned_data["typed"]
        if typed != self.change.to_type:
            raise forms.ValidationError(
                _("Type exactly %s, or go back to delete nothing") % self.change.to_type
            )
        return typed


class PlanRuleForm(plans.admin.PlanRuleForm):
    """A rule whose pattern shows what it matches."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """For matches.js."""
        super().__init__(*args, **kwargs)
        self.fields["pattern"].widget.attrs["data-matches"] = reverse("admin:matches_json")


class PlanRuleInline(plans.admin.PlanRuleInline):
    """The rules of a plan."""

    form = PlanRuleForm


class PlanAdmin(plans.admin.PlanAdmin):
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
            change = Unconfirmed(before, take_snapshot())
            if before != change.after and not _is_confirmed(request, change):
                raise change
            return response

        try:
            return super().as_one_change(
                request, tried if request.method == "POST" else view, *args, **kwargs
            )
        except Unconfirmed as change:
            # What the undone view has told the user is not true.
            request._messages = default_storage(request)  # type: ignore[attr-defined]
            found = change.consequences()
            form = ConfirmationForm(change, request.POST)
            if not found.requests and not change.ended and not change.to_type and form.is_valid():
                request.harmless = change.key  # type: ignore[attr-defined]
                return self.as_one_change(request, view, *args, **kwargs)
            if "confirmed" not in request.POST and "reason" not in request.POST:
                form = ConfirmationForm(change)
            return self._ask(request, change, found, form)

    def _ask(
        self, request: HttpRequest, change: Unconfirmed, found: Consequences, form: ConfirmationForm
    ) -> HttpResponse:
        """The page that names the consequence and carries all that was sent."""
        own = {"csrfmiddlewaretoken", "confirmed", "post", *form.fields}
        context = self.admin_site.each_context(request) | {
            "title": _("Confirm"),
            "opts": self.opts,
            "change": change,
            "found": found,
            "form": form,
            "is_again": request.POST.get("confirmed", change.key) != change.key,
            "carried": [
                (name, value)
                for name, values in request.POST.lists()
                if name not in own
                for value in values
            ],
        }
        return TemplateResponse(request, "admin/plans/plan/confirm.html", context)

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
        change = Unconfirmed(before, [entry for entry in before if entry["name"] != plan.name])
        return self._ask(request, change, change.consequences(), ConfirmationForm(change))

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
        for plan in queryset.exclude(enabled=enabled):
            plan.enabled = enabled
            plan.save()
            self.log_change(request, plan, [{"changed": {"fields": ["enabled"]}}])
        self.message_user(request, _("Done."))

    @admin.action(permissions=["delete"], description=gettext_lazy("Delete selected plans"))
    def delete_plans(self, request: HttpRequest, queryset: QuerySet[Plan]) -> None:
        """Delete them with their rules."""
        self.log_deletions(request, queryset)
        self.delete_queryset(request, queryset)
        self.message_user(request, _("Deleted."))


def _is_confirmed(request: HttpRequest, change: Unconfirmed) -> bool:
    if getattr(request, "harmless", "") == change.key:
        return True
    confirmed = request.POST.get("confirmed") == change.key
    return confirmed and ConfirmationForm(change, request.POST).is_valid()
