"""The first page of the admin: what there is at a glance, each part for those who may see it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from django.http import HttpRequest

from registry_token import lint, log_size, overview
from registry_token.pages import dashboard


def context(request: HttpRequest) -> dict[str, Any]:
    """What the page's template shows to this user."""
    user: Any = request.user
    shown: dict[str, Any] = {}
    if user.has_perm("plans.view_plan"):
        shown["plans_in_use"] = overview.plans_in_use(datetime.now(UTC))
        shown["warnings"] = overview.warnings()
        shown["findings"] = lint.findings()
    if user.has_perm("plans.view_cataloguerevision"):
        shown["revision"] = overview.newest_revision()
    if user.has_perm("issuances.view_issuance"):
        shown |= dashboard.activity(request, dashboard.DEFAULT, datetime.now(UTC))
        shown["refusals"] = overview.latest_refusals()
        shown["warnings"] = [*shown.get("warnings", []), *log_size.messages()]
    if user.has_perm("licences.view_revokedlicence"):
        shown["revocations"] = overview.latest_revocations()
    return shown
