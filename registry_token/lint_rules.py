"""What is allowed in a catalogue and probably not meant. Pure: plans as plain data, and facts.

Each finding has a stable code. In doubt there is none: a warning that is wrong is not read twice.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _

from plans.models import PlanRule
from plans.snapshots import Snapshot, rule_of
from registry_token.entitlement import EVERYTHING
from registry_token.rule_relations import allows, effective, is_equal, meets, spans

Rules = list[PlanRule]

NOT_FINISHED = "not_finished"
MAX_SECONDS = 2.0  # for a page of the admin


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


def lint(snapshot: Snapshot, known: Known, *, max_seconds: float = math.inf) -> list[Finding]:
    """All findings, plan by plan and rule by rule; the last one says so if the time was too short.

    Each rule is held against all of its plan.
    """
    deadline = time.monotonic() + max_seconds
    found: list[Finding] = []
    for entry in snapshot:
        found += _of_plan(entry, known, deadline)
        if found and found[-1].code == NOT_FINISHED:
            break
    return found


class _Timed(list[PlanRule]):
    """The rules of a plan; to go through them ends with TimeoutError after the deadline."""

    def __init__(self, rules: Iterable[PlanRule], deadline: float) -> None:
        super().__init__(rules)
        self._deadline = deadline

    def __iter__(self) -> Iterator[PlanRule]:
        for rule in super().__iter__():
            if time.monotonic() > self._deadline:
                raise TimeoutError
            yield rule


def in_words(finding: Finding) -> str:
    """A finding as one line."""
    where = f"plan {finding.plan}" + (f": {finding.rule}" if finding.rule else "")
    return f"{where}: {finding.message} ({finding.code})"


def _of_plan(entry: dict[str, Any], known: Known, deadline: float) -> Iterator[Finding]:
    name = entry["name"]
    if entry.get("enabled", True) and name in known.unused_plans:
        message = _(
            "nobody has carried this plan for 30 days; disable it, or see whether callers carry"
            " another name"
        )
        yield Finding("plan_not_carried", name, "", message)
    rules = _Timed(map(rule_of, entry["rules"]), deadline)
    try:
        for index, rule in enumerate(rules):
            yield from _of_rule(rules, index, name)
            if message := _service_not_configured(rule, known):
                yield Finding("service_not_configured", name, str(rule), message)
    except TimeoutError:
        message = _("too many rules to look at all of them here; manage.py lint_catalogue does")
        yield Finding(NOT_FINISHED, name, "", message)


def _of_rule(rules: Rules, index: int, name: str) -> Iterator[Finding]:
    for code, check in CHECKS:
        if message := check(rules, index):
            yield Finding(code, name, str(rules[index]), message)


def _push_without_pull(rules: Rules, index: int) -> str:
    rule = rules[index]
    if not allows(rule) or "push" not in rule.actions or "pull" in effective(rule):
        return ""
    if any(allows(other) and "pull" in effective(other) and spans(other, rule) for other in rules):
        return ""
    return _("clients that push also ask to pull, and fail without; add pull to the actions")


def _duplicate(rules: Rules, index: int) -> str:
    rule = rules[index]
    if any(is_equal(other, rule) for other in rules[:index]):
        return _("the same rule stands above; delete one of them")
    return ""


def _shadowed(rules: Rules, index: int) -> str:
    rule = rules[index]
    for position, other in enumerate(rules):
        if position == index or is_equal(other, rule) or not spans(other, rule):
            continue
        # Of two rules that say the same in other words, the later one is too many.
        if other.effect == rule.effect:
            is_covered = effective(rule) <= effective(other)
            is_same = spans(rule, other) and effective(rule) == effective(other)
            if is_covered and not (is_same and position > index):
                message = _("changes nothing beside %(rule)s; delete it")
                return message % {"rule": other}
        elif allows(rule) and effective(rule) - {EVERYTHING} <= effective(other):
            message = _("allows nothing, because %(rule)s takes it all away; delete one of them")
            return message % {"rule": other}
    return ""


def _deny_without_effect(rules: Rules, index: int) -> str:
    rule = rules[index]
    if allows(rule) or any(allows(other) and meets(other, rule) for other in rules):
        return ""
    return _("denies what no rule of the plan allows; delete it, or correct its pattern")


def _too_wide(rules: Rules, index: int) -> str:
    rule = rules[index]
    segments = rule.pattern.split("/")
    is_wide = segments[0] == "**" or {*segments} <= {"*", "**"}
    if rule.type != PlanRule.Type.REPOSITORY or not allows(rule) or not is_wide:
        return ""
    if not effective(rule) & {"push", "delete"}:
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
