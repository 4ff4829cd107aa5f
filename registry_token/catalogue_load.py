"""Bringing the database to what a catalogue file says: the differences, then one change of all.

A plan that the file names becomes what the file says of it, its rules included. What the file does
not name stays, unless it is to be pruned.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import partial

from licences import bulk
from licences.models import RevokedLicence, normalised
from plans.models import Plan, PlanRule
from plans.snapshots import Snapshot, plan_entry, take_snapshot
from registry_token.catalogue_file import CatalogueFile

_PLAN_FIELDS = ("description", "enabled", "licence_required")


@dataclass(frozen=True, slots=True)
class Difference:
    """One or several lines of what a load changes, and how to change it."""

    text: str
    apply: Callable[[], object]


def differences(file: CatalogueFile, *, prune: bool) -> list[Difference]:
    """What separates the database from the file, in the order in which to apply it."""
    return [*plan_differences(file, prune), *licence_differences(file, prune)]


def plan_differences(file: CatalogueFile, prune: bool) -> Iterator[Difference]:
    """Those of plans, which licences have no part in."""
    existing = {plan.name: plan for plan in Plan.objects.prefetch_related("rules")}
    for wanted, rules in file.plans:
        plan = existing.pop(wanted.name, None)
        if plan is None:
            count = "1 rule" if len(rules) == 1 else f"{len(rules)} rules"
            text = f"added plan {wanted.name} with {count}"
            yield Difference(text, partial(_save_new, wanted, rules))
            continue
        yield from _field_differences(plan, wanted)
        yield from _rule_differences(plan, rules)
    if prune:
        for plan in existing.values():
            yield Difference(f"removed plan {plan.name}", plan.delete)


def _field_differences(plan: Plan, wanted: Plan) -> Iterator[Difference]:
    changed = [name for name in _PLAN_FIELDS if getattr(plan, name) != getattr(wanted, name)]
    if not changed:
        return
    for name in changed:
        setattr(plan, name, getattr(wanted, name))
    yield Difference(f"changed plan {plan.name}: {', '.join(changed)}", plan.save)


def _rule_differences(plan: Plan, wanted: tuple[PlanRule, ...]) -> Iterator[Difference]:
    """Rules have no names: those of a plan are compared as a list, and replaced as one."""
    existing = list(plan.rules.all())
    if [*map(_content, existing)] == [*map(_content, wanted)]:
        return
    before, after = [*map(str, existing)], [*map(str, wanted)]
    removed = [f"  - {rule}" for rule in before if rule not in after]
    added = [f"  + {rule}" for rule in after if rule not in before]
    lines = removed + added or ["  in another order"]
    text = "\n".join([f"changed plan {plan.name}: rules", *lines])
    yield Difference(text, partial(_replace_rules, plan, wanted))


def licence_differences(file: CatalogueFile, prune: bool) -> Iterator[Difference]:
    """Those of revoked licences; there can be many, so all new ones are one, and all that go."""
    new = []
    existing = {revoked.key: revoked for revoked in RevokedLicence.objects.all()}
    for wanted in file.revoked_licences:
        revoked = existing.pop(normalised(wanted.licence), None)
        if revoked is None:
            new.append(wanted)
        elif _listed(revoked) != _listed(wanted):
            revoked.licence, revoked.reason, revoked.until = _listed(wanted)
            yield Difference(f"changed revoked licence {wanted.licence}", revoked.save)
    if new:
        yield Difference(_lines("added", new), partial(bulk.add, new))
    if prune and existing:
        gone = list(existing.values())
        yield Difference(_lines("removed", gone), partial(bulk.remove, gone))


def _lines(verb: str, licences: list[RevokedLicence]) -> str:
    return "\n".join(f"{verb} revoked licence {one.licence}" for one in licences)


def snapshot_after(file: CatalogueFile, *, prune: bool) -> Snapshot:
    """What all plans would be after the load."""
    plans = {} if prune else {entry["name"]: entry for entry in take_snapshot()}
    plans |= {plan.name: plan_entry(plan, rules) for plan, rules in file.plans}
    return [plans[name] for name in sorted(plans)]


def _listed(revoked: RevokedLicence) -> tuple[str, str, datetime | None]:
    return revoked.licence, revoked.reason, revoked.until


def _content(rule: PlanRule) -> tuple[object, ...]:
    return rule.effect, rule.type, rule.pattern, rule.actions, rule.services


def _save_new(plan: Plan, rules: tuple[PlanRule, ...]) -> None:
    plan.save()
    for rule in rules:
        rule.plan = plan
        rule.save()


def _replace_rules(plan: Plan, rules: tuple[PlanRule, ...]) -> None:
    for rule in plan.rules.all():
        rule.delete()
    for rule in rules:
        rule.plan = plan
        rule.save()
