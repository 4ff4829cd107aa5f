"""What separates two snapshots of the plans, and whether access was widened or narrowed by it.

Pure. "Not widened" is a promise: no request is granted more than before; likewise "not narrowed".
Where the patterns leave it open, or are too many to compare all, access counts as widened and as
narrowed.

A rule is taken apart into grains: one type, one registry, one action. An action is granted where a
grain of an allow rule matches and none of a deny rule does, so grains can be compared one by one.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from plans.models import REPOSITORY_ACTIONS, CatalogueRevision, Plan, PlanRule
from plans.pattern_relations import MAX_EFFORT, Comparison
from plans.snapshots import Snapshot, rule_of

Effect = CatalogueRevision.Effect
Entry = Mapping[str, Any]

_DEFAULTS = {"description": "", "enabled": True, "licence_required": False}
# Stands for every registry that no rule names.
_ANY_OTHER = ""

# Type, registry and action, and the patterns that a plan has for them.
_Grains = Mapping[tuple[str, str, str], set[str]]


@dataclass(frozen=True, slots=True)
class FieldChange:
    """A field of a plan before and after."""

    name: str
    before: object
    after: object

    @property
    def label(self) -> str:
        """The field as its form calls it."""
        return str(Plan._meta.get_field(self.name).verbose_name)  # type: ignore[union-attr]


@dataclass(frozen=True, slots=True)
class PlanDifference:
    """What became of one plan. `verb` is added, removed or changed; rules are in words."""

    name: str
    verb: str
    fields: tuple[FieldChange, ...]
    rules_added: tuple[str, ...]
    rules_removed: tuple[str, ...]
    effect: CatalogueRevision.Effect

    @property
    def only_reordered(self) -> bool:
        """Whether just the order of the rules differs, which no decision depends on."""
        return not (self.fields or self.rules_added or self.rules_removed) and (
            self.verb == "changed"
        )


def differences(
    before: Snapshot, after: Snapshot, *, effort: int = MAX_EFFORT
) -> list[PlanDifference]:
    """The plans that differ, by name. `effort` is what may be spent to tell their effects."""
    comparison = Comparison(effort)
    old = {entry["name"]: entry for entry in before}
    new = {entry["name"]: entry for entry in after}
    return [
        _difference(name, old.get(name), new.get(name), comparison)
        for name in sorted(old.keys() | new.keys())
        if old.get(name) != new.get(name)
    ]


def effect_of(found: Iterable[PlanDifference]) -> CatalogueRevision.Effect:
    """The effect of all these differences together."""
    effects = {difference.effect for difference in found}
    return _effect(
        widened=bool(effects & {Effect.WIDENED, Effect.BOTH}),
        narrowed=bool(effects & {Effect.NARROWED, Effect.BOTH}),
    )


def _difference(
    name: str, old: Entry | None, new: Entry | None, comparison: Comparison
) -> PlanDifference:
    before, after = _rules(old), _rules(new)
    verb = "added" if old is None else "removed" if new is None else "changed"
    return PlanDifference(
        name=name,
        verb=verb,
        fields=tuple(_changed_fields(old or {}, new or {})),
        rules_added=tuple(_beyond(after, before)),
        rules_removed=tuple(_beyond(before, after)),
        effect=_effect(
            widened=_grants_more(new, old, comparison), narrowed=_grants_more(old, new, comparison)
        ),
    )


def _rules(entry: Entry | None) -> list[str]:
    return [str(rule_of(rule)) for rule in entry["rules"]] if entry else []


def _changed_fields(old: Entry, new: Entry) -> Iterator[FieldChange]:
    for name, default in _DEFAULTS.items():
        before, after = old.get(name, default), new.get(name, default)
        if before != after:
            yield FieldChange(name, before, after)


def _beyond(rules: list[str], others: list[str]) -> Iterator[str]:
    """The rules that are not among the others; one that stands twice counts twice."""
    left = Counter(others)
    for rule in rules:
        left[rule] -= 1
        if left[rule] < 0:
            yield rule


def _effect(*, widened: bool, narrowed: bool) -> CatalogueRevision.Effect:
    if widened and narrowed:
        return Effect.BOTH
    return Effect.WIDENED if widened else Effect.NARROWED if narrowed else Effect.NEITHER


def _grants_more(one: Entry | None, other: Entry | None, comparison: Comparison) -> bool:
    """Whether a caller of the plan may get more by `one` than by `other`, as far as is known."""
    if one is None or not one.get("enabled", True):
        return False
    if other is None or not other.get("enabled", True):
        return True  # at least the login is let in
    if other.get("licence_required", False) and not one.get("licence_required", False):
        return True
    return _rules_grant_more(one["rules"], other["rules"], comparison)


def _rules_grant_more(ones: list[Entry], others: list[Entry], comparison: Comparison) -> bool:
    services = {name for rule in (*ones, *others) for name in rule.get("services", ())}
    if not comparison.can_spend(len(services) * (len(ones) + len(others))):
        return True

    def is_covered(pattern: str, others: set[str]) -> bool:
        return pattern in others or any(comparison.covers(other, pattern) for other in others)

    allowed, denied = _grains(ones, services)
    was_allowed, was_denied = _grains(others, services)
    allows_more = any(
        not is_covered(pattern, was_allowed[key]) and not is_covered(pattern, denied[key])
        for key, patterns in list(allowed.items())
        for pattern in patterns - was_allowed[key]
    )
    return allows_more or any(
        not is_covered(pattern, denied[key])
        and any(comparison.intersects(pattern, granted) for granted in allowed[key])
        for key, patterns in list(was_denied.items())
        for pattern in patterns - denied[key]
    )


def _grains(entries: list[Entry], services: set[str]) -> tuple[_Grains, _Grains]:
    """What is allowed, and what is denied."""
    allowed, denied = defaultdict[Any, set[str]](set), defaultdict[Any, set[str]](set)
    for rule in map(rule_of, entries):  # type: ignore[arg-type]
        allows = rule.effect == PlanRule.Effect.ALLOW
        for service in rule.services or (*services, _ANY_OTHER):
            for action in _actions(rule, allows):
                (allowed if allows else denied)[rule.type, service, action].add(rule.pattern)
    return allowed, denied


def _actions(rule: PlanRule, allows: bool) -> set[str]:
    """`*` in a rule is every action; as something granted, any denied action takes it away."""
    if "*" in rule.actions and rule.type == PlanRule.Type.REPOSITORY:
        return {*REPOSITORY_ACTIONS}
    return {*rule.actions} if allows else {*rule.actions, "*"}
