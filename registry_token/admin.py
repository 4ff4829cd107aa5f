"""The final admins: those of the apps, with what needs several apps."""

from __future__ import annotations

from django.contrib import admin

from plans.admin import PlanAdmin as PlainPlanAdmin
from plans.models import Plan
from registry_token.pages.lint_notices import ShowsFindings

admin.site.unregister(Plan)


@admin.register(Plan)
class PlanAdmin(ShowsFindings, PlainPlanAdmin):
    """Plans, with what lint finds."""
