"""What is allowed in a catalogue and probably not meant. Pure: plans as plain data, and facts.

Each finding has a stable code. In doubt there is none: a warning that is wrong is not read twice.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _

from plans.models import PlanRule
from plans.pattern_relations import covers, intersects
from plans.snapshots import Snapshot, rule_of
from registry_token.entitlement import EVERYTHING, REPOSITORY_ACTIONS

Rules = list[PlanRule]


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is probably not meant. `rule` is "" where it concerns the plan as a whole."""

    code: str
    plan: str
    rule: str
    message: str


@dataclass(frozen=True, slots=True)
class Known:
    """The facts: the configured services, and the plans that have existed for 30 days and that
    nobody has carried in that time.
    """

    services: tuple[str, ...]
    unused_plans: frozenset[str] = frozenset()


def lint(snapshot: Snapshot, known: Known) -> list[Finding]:
    """All findings, plan by plan and rule by rule."""
    return [finding for entry in snapshot for finding in _of_plan(entry, known)]


def in_words(finding: Finding) -> str:
    """A finding as one line."""
    where = f"plan {finding.plan}" + (f": {finding.rule}" if finding.rule else "")
    return f"{where}: {finding.message} ({finding.code})"


def _of_plan(entry: dict[str, Any], known: Known) -> Iterator[Finding]:
    name = entry["name"]
    if entry.get("enabled", True) and name in known.unused_plans:
        message = _(
            "nobody has carried this plan for 30 days; disable it, or see whether callers carry"
            " another name"
        )
        yield Finding("plan_not_carried", name, "", message)
    rules = [rule_of(rule) for rule in entry["rules"]]
    for index, rule in enumerate(rules):
        for code, check in CHECKS:
            if message := check(rules, index):
                yield Finding(code, name, str(rule), message)
        if message := _service_not_configured(rule, known):
            yield Finding("service_not_configured", name, str(rule), message)


def _push_without_pull(rules: Rules, index: int) -> str:
    rule = rules[index]
    if not _allows(rule) or "push" not in rule.actions or "pull" in _effective(rule):
        return ""
    if any(
        _allows(other) and "pull" in _effective(other) and _spans(other, rule) for other in rules
    ):
        return ""
    return _("clients that push also ask to pull, and fail without; add pull to the actions")


def _duplicate(rules: Rules, index: int) -> str:
    rule = rules[index]
    if any(_is_equal(other, rule) for other in rules[:index]):
        return _("the same rule stands above; delete one of them")
    return ""


def _shadowed(rules: Rules, index: int) -> str:
    rule = rules[index]
    for position, other in enumerate(rules):
        if position == index or _is_equal(other, rule) or not _spans(other, rule):
            continue
        # Of two rules that say the same in other words, the later one is too many.
        if other.effect == rule.effect:
            is_more = _effective(rule) <= _effective(other)
            is_same = _spans(rule, other) and _effective(rule) == _effective(other)
            if is_more and not (is_same and position > index):
                message = _("changes nothing beside %(rule)s; delete it")
                return message % {"rule": other}
        elif _allows(rule) and _effective(rule) - {EVERYTHING} <= _effective(other):
            message = _("allows nothing, because %(rule)s takes it all away; delete one of them")
            return message % {"rule": other}
    return ""


def _deny_without_effect(rules: Rules, index: int) -> str:
    rule = rules[index]
    if _allows(rule) or any(_allows(other) and _meets(other, rule) for other in rules):
        return ""
    return _("denies what no rule of the plan allows; delete it, or correct its pattern")


def _too_wide(rules: Rules, index: int) -> str:
    rule = rules[index]
    segments = rule.pattern.split("/")
    is_wide = segments[0] == "**" or {*segments} <= {"*", "**"}
    if rule.type != PlanRule.Type.REPOSITORY or not _allows(rule) or not is_wide:
        return ""
    if not _effective(rule) & {"push", "delete"}:
        return ""
    return _(
        "callers may change repositories of everybody; begin the pattern with a name, as in acme/**"
    )


def _service_not_configured(rule: PlanRule, known: Known) -> str:
    unknown = [service for service in rule.services if service not in known.services]
    if not unknown:
        return ""
    message = _("%(unknown)s is not a configured service; these are: %(known)s")
    return message % {"unknown": ", ".join(unknown), "known": ", ".join(known.services)}


CHECKS: tuple[tuple[str, Callable[[Rules, int], str]], ...] = (
    ("push_without_pull", _push_without_pull),
    ("duplicate_rule", _duplicate),
    ("shadowed_rule", _shadowed),
    ("deny_without_effect", _deny_without_effect),
    ("too_wide", _too_wide),
)
"""Checks of one rule among all of its plan: code, and a function that says what to do, or ""."""


def _allows(rule: PlanRule) -> bool:
    return rule.effect == PlanRule.Effect.ALLOW


def _effective(rule: PlanRule) -> frozenset[str]:
    actions = frozenset(rule.actions)
    is_all = EVERYTHING in actions and rule.type == PlanRule.Type.REPOSITORY
    return actions | REPOSITORY_ACTIONS if is_all else actions


def _is_equal(one: PlanRule, other: PlanRule) -> bool:
    return _content(one) == _content(other)


def _content(rule: PlanRule) -> tuple[object, ...]:
    return rule.effect, rule.type, rule.pattern, {*rule.actions}, {*rule.services}


def _spans(outer: PlanRule, inner: PlanRule) -> bool:
    """Whether `outer` speaks of all resources, on all services, that `inner` speaks of."""
    of_services = not outer.services or (inner.services and {*inner.services} <= {*outer.services})
    return bool(of_services) and outer.type == inner.type and covers(outer.pattern, inner.pattern)


def _meets(one: PlanRule, other: PlanRule) -> bool:
    """Whether some action on some resource can be meant by both."""
    apart = one.services and other.services and not {*one.services} & {*other.services}
    return (
        not apart
        and one.type == other.type
        and bool(_effective(one) & _effective(other))
        and intersects(one.pattern, other.pattern)
    )
