"""Plans as plain data: the form of the catalogue file, of revisions, and of what is not saved yet.

A snapshot is a list of plans by name; defaults are left out. Equal snapshots are equal catalogues.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.db.models import Q

from plans.models import CatalogueRevision, Plan, PlanRule

Snapshot = list[dict[str, Any]]


def take_snapshot() -> Snapshot:
    """All plans of the database as they are now. Raises django.db.DatabaseError."""
    return snapshot_of(Plan.objects.prefetch_related("rules"))


def snapshot_of(plans: Iterable[Plan]) -> Snapshot:
    """These plans, by name."""
    ordered = sorted(plans, key=lambda plan: plan.name)
    return [plan_entry(plan, plan.rules.all()) for plan in ordered]


def snapshot_as_of(number: int) -> Snapshot | None:
    """The plans as they were in revision `number`; None when that was not kept.

    Raises django.db.DatabaseError.
    """
    # A revision without its changes is by an older version: it may have touched the plans.
    tells = Q(snapshot__isnull=False) | Q(changes__isnull=True)
    telling = CatalogueRevision.objects.filter(tells, number__lte=number)
    snapshot: Snapshot | None = telling.values_list("snapshot", flat=True).first()
    return snapshot


def plan_entry(plan: Plan, rules: Iterable[PlanRule]) -> dict[str, Any]:
    """One plan with the given rules, in their order."""
    entry: dict[str, Any] = {"name": plan.name}
    if plan.description:
        entry["description"] = plan.description
    if not plan.enabled:
        entry["enabled"] = False
    if plan.licence_required:
        entry["licence_required"] = True
    return entry | {"rules": [rule_entry(rule) for rule in rules]}


def rule_entry(rule: PlanRule) -> dict[str, Any]:
    """One rule."""
    name = "registry" if rule.type == PlanRule.Type.REGISTRY else "repositories"
    entry: dict[str, Any] = {name: rule.pattern, "actions": rule.actions}
    if rule.effect != PlanRule.Effect.ALLOW:
        entry["effect"] = rule.effect
    if rule.services:
        entry["services"] = rule.services
    return entry


def rule_of(entry: dict[str, Any]) -> PlanRule:
    """The unsaved rule of an entry."""
    is_registry = "registry" in entry
    return PlanRule(
        type=PlanRule.Type.REGISTRY if is_registry else PlanRule.Type.REPOSITORY,
        pattern=entry["registry" if is_registry else "repositories"],
        actions=entry["actions"],
        effect=entry.get("effect", PlanRule.Effect.ALLOW),
        services=entry.get("services", []),
    )
