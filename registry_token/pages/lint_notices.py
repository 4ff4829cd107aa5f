"""What lint finds, where a plan is edited: on its page, and as warnings after saving it."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.http import HttpRequest, HttpResponse

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
        context["lint_findings"] = findings_of(plan) if plan is not None else []
        response: HttpResponse = super().render_change_form(request, context, *args, **kwargs)
        return response

    def response_add(self, request: HttpRequest, obj: Any, *args: Any, **kwargs: Any) -> Any:
        """Where to go, and what to look at again."""
        self._warn(request, obj)
        return super().response_add(request, obj, *args, **kwargs)

    def response_change(self, request: HttpRequest, obj: Any) -> Any:
        """Likewise."""
        self._warn(request, obj)
        return super().response_change(request, obj)

    def _warn(self, request: HttpRequest, plan: Plan) -> None:
        for finding in findings_of(plan):
            rule = f"{finding.rule}: " if finding.rule else ""
            messages.warning(request, f"{rule}{finding.message}")


def findings_of(plan: Plan) -> list[Finding]:
    """The findings about one saved plan."""
    rules = Plan.objects.get(pk=plan.pk).rules.all()  # as saved now, not as once prefetched
    return lint([plan_entry(plan, rules)], known_facts(), max_seconds=MAX_SECONDS)
