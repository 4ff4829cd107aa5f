"""What lint finds, where a plan is edited: on its page, and as warnings after saving it.

It takes its time, so it is asked when nobody waits any more for the change of the catalogue to end.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.contrib import admin, messages
from django.http import HttpRequest, HttpResponse
from django.utils.functional import SimpleLazyObject

from plans.models import Plan
from plans.snapshots import plan_entry
from registry_token.lint import known_facts
from registry_token.lint_rules import MAX_SECONDS, Finding, lint


class ShowsFindings(admin.ModelAdmin):  # type: ignore[type-arg]
    """Mixin for the plans' admin. A finding never keeps anybody from saving."""

    def render_change_form(
        self, request: HttpRequest, context: Any, *args: Any, **kwargs: Any
    ) -> HttpResponse:
        """The form, with the findings about the plan as it is saved."""
        plan = context.get("original")
        context["lint_findings"] = SimpleLazyObject(lambda: findings_of(plan) if plan else [])
        response: HttpResponse = super().render_change_form(request, context, *args, **kwargs)
        return response

    def as_one_change(
        self, request: HttpRequest, view: Callable[..., HttpResponse], *args: Any, **kwargs: Any
    ) -> HttpResponse:
        """Afterwards, say what to look at again."""
        response: HttpResponse = super().as_one_change(  # type: ignore[misc]
            request, view, *args, **kwargs
        )
        saved = getattr(request, "saved_plan", None)
        if saved is not None and response.status_code == 302:
            request.saved_plan = None  # type: ignore[attr-defined]
            self._warn(request, saved)
        return response

    def save_related(self, request: HttpRequest, form: Any, *args: Any, **kwargs: Any) -> None:
        """Remember what is saved."""
        super().save_related(request, form, *args, **kwargs)
        request.saved_plan = form.instance  # type: ignore[attr-defined]

    def _warn(self, request: HttpRequest, plan: Plan) -> None:
        for finding in findings_of(plan):
            rule = f"{finding.rule}: " if finding.rule else ""
            messages.warning(request, f"{rule}{finding.message}")


def findings_of(plan: Plan) -> list[Finding]:
    """The findings about one saved plan."""
    rules = Plan.objects.get(pk=plan.pk).rules.all()  # as saved now, not as once prefetched
    return lint([plan_entry(plan, rules)], known_facts(), max_seconds=MAX_SECONDS)
