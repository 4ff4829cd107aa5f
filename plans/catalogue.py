"""The compiled catalogue: every plan's rules ready to be matched, one immutable value a revision.

A worker keeps the newest one in memory and rebuilds it only when the revision number has moved.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from types import MappingProxyType
from typing import NamedTuple

from plans.models import CatalogueRevision, Plan, PlanRule
from plans.patterns import compile_pattern
from plans.snapshots import Snapshot, rule_of


@dataclass(frozen=True)
class Rule:
    """One rule of a plan. `text` is how explanations of a decision show it."""

    text: str
    allows: bool
    type: str
    pattern: str
    actions: frozenset[str]
    services: frozenset[str]

    @cached_property
    def _expression(self) -> re.Pattern[str]:
        return compile_pattern(self.pattern)

    def matches(self, *, type: str, name: str, service: str) -> bool:
        """Whether the rule speaks of the resource `type`:`name` on the registry `service`."""
        return (
            self.type == type
            and (not self.services or service in self.services)
            and self._expression.fullmatch(name) is not None
        )


@dataclass(frozen=True, slots=True)
class PlanRules:
    """An enabled plan with its rules in the order in which they were written."""

    name: str
    licence_required: bool
    rules: tuple[Rule, ...]


class Revision(NamedTuple):
    """The number that people read, and the fingerprint that makes it unique across databases."""

    number: int
    fingerprint: str


@dataclass(frozen=True, slots=True)
class Catalogue:
    """All enabled plans by name, as of one revision."""

    revision: Revision
    plans: Mapping[str, PlanRules]


_compiled: Catalogue | None = None
_compiling = threading.Lock()


def catalogue_of(revision: Revision, seconds: float = -1) -> Catalogue:
    """The compiled catalogue of `revision` or a newer one; no query when it is in memory. While
    another thread compiles it wait for at most `seconds`; -1: as long as it takes.

    Raises django.db.DatabaseError, TimeoutError.
    """
    global _compiled
    compiled = _compiled
    if compiled is not None and compiled.revision == revision:
        return compiled
    if not _compiling.acquire(timeout=seconds):
        raise TimeoutError("another thread is still reading the catalogue")
    try:
        compiled = _compiled
        if compiled is None or compiled.revision != revision:
            compiled = _compiled = _compile()
        return compiled
    finally:
        _compiling.release()


def newest_known() -> Catalogue | None:
    """What the last call of `catalogue_of` came to; there may be a newer one in the database."""
    return _compiled


def newest_revision() -> Revision:
    """The catalogue's newest revision. Raises django.db.DatabaseError."""
    newest = CatalogueRevision.objects.values_list("number", "fingerprint").first()
    return Revision(*newest) if newest else Revision(0, "")


def catalogue_of_snapshot(snapshot: Snapshot, revision: Revision) -> Catalogue:
    """The catalogue that these plans are, to decide by what was, or by what is not saved yet."""
    plans = {
        entry["name"]: PlanRules(
            entry["name"],
            entry.get("licence_required", False),
            tuple(_rule(rule_of(rule)) for rule in entry["rules"]),
        )
        for entry in snapshot
        if entry.get("enabled", True)
    }
    return Catalogue(revision, MappingProxyType(plans))


def _compile() -> Catalogue:
    while True:
        revision = newest_revision()
        plans = MappingProxyType({plan.name: _plan_rules(plan) for plan in _enabled_plans()})
        # Plans and rules are read by two queries: a change in between shows in the revision.
        if newest_revision() == revision:
            return Catalogue(revision, plans)


def _enabled_plans() -> list[Plan]:
    return list(Plan.objects.filter(enabled=True).prefetch_related("rules"))


def _plan_rules(plan: Plan) -> PlanRules:
    return PlanRules(plan.name, plan.licence_required, tuple(map(_rule, plan.rules.all())))


def _rule(rule: PlanRule) -> Rule:
    return Rule(
        text=str(rule),
        allows=rule.effect == PlanRule.Effect.ALLOW,
        type=rule.type,
        pattern=rule.pattern,
        actions=frozenset(rule.actions),
        services=frozenset(rule.services),
    )
