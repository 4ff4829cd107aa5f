"""What would happen if: a request that nobody makes, decided by the code of /token, and all that
led to the decision as plain data.

The question may be anybody's; the catalogue may be the current one, an earlier one, or one with a
plan that is not saved yet. Whether a licence is revoked is always as of now.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from typing import Any

from plans.catalogue import catalogue_of_snapshot
from plans.models import Plan
from registry_token.authority import Caller
from registry_token.entitlement import CHECKS, Decision, Question, Verdict, decide
from registry_token.exchange import policy
from registry_token.nearest import Nearest, nearest_rule
from registry_token.record import read_facts
from registry_token.replay import Asked
from registry_token.simulation_sources import CURRENT, Source

PASSED, REFUSED, NOT_REACHED = "passed", "refused", "not reached"


@dataclass(frozen=True, slots=True)
class Check:
    """A check of the caller: what it looked at, and how it came out."""

    code: str
    outcome: str
    looked_at: dict[str, Any]


@dataclass(frozen=True, slots=True)
class SpeakingRule:
    """A rule that had a say."""

    effect: str
    text: str


@dataclass(frozen=True, slots=True)
class Resource:
    """What became of one requested resource. `nearest` where something of it was not granted."""

    asked: str
    granted: tuple[str, ...]
    missing: tuple[str, ...]
    rules: tuple[SpeakingRule, ...]
    nearest: Nearest | None


@dataclass(frozen=True, slots=True)
class Simulation:
    """The decision and its trace."""

    revision: int
    source: str
    service: str
    plan: str
    licence: str | None
    refusal: dict[str, str] | None
    granted: tuple[str, ...]
    checks: tuple[Check, ...]
    resources: tuple[Resource, ...]

    def as_dict(self) -> dict[str, Any]:
        """As JSON has it."""
        return asdict(self)


def simulate(asked: Asked, source: Source = CURRENT) -> Simulation:
    """Decide a question by a source's catalogue. Raises django.db.Error, Unavailable."""
    facts = read_facts(asked.caller.licence)
    if source.snapshot is not None:
        revision = facts.catalogue.revision._replace(number=source.number)
        facts = replace(facts, catalogue=catalogue_of_snapshot(source.snapshot, revision))
    question = Question(asked.request, asked.caller, facts, policy())
    decision = decide(question.request, question.caller, facts, question.policy)
    refusal = decision.refusal
    return Simulation(
        revision=facts.catalogue.revision.number,
        source=source.kind,
        service=asked.request.service,
        plan=decision.plan,
        licence=asked.caller.licence,
        refusal=None if refusal is None else {"code": refusal.code, "message": refusal.message},
        granted=tuple(map(str, decision.granted)),
        checks=_checks(question, decision, source),
        resources=tuple(_resource(verdict, question) for verdict in decision.verdicts),
    )


def _checks(question: Question, decision: Decision, source: Source) -> tuple[Check, ...]:
    refused_by = decision.refusal.code if decision.refusal is not None else ""
    outcome, found = PASSED, []
    for code, _ in CHECKS:
        if code == refused_by:
            outcome = REFUSED
        elif outcome == REFUSED:
            outcome = NOT_REACHED
        looked_at = {} if outcome == NOT_REACHED else LOOKED_AT[code](question, source)
        found.append(Check(code, outcome, looked_at))
    return tuple(found)


def _resource(verdict: Verdict, question: Question) -> Resource:
    missing = replace(verdict.asked, actions=verdict.asked.actions - verdict.granted.actions)
    plan = question.plan
    nearest = None
    if plan is not None and (missing.actions or not missing.type):
        nearest = nearest_rule(missing, plan.rules, question.request.service)
    return Resource(
        asked=str(verdict.asked),
        granted=tuple(sorted(verdict.granted.actions)),
        missing=tuple(sorted(missing.actions)),
        rules=tuple(
            SpeakingRule("allow" if rule.allows else "deny", rule.text) for rule in verdict.rules
        ),
        nearest=nearest,
    )


def _scopes(question: Question, source: Source) -> dict[str, Any]:
    caller: Caller = question.caller
    if caller.anonymous:
        return {"anonymous": True}
    return {
        "required": sorted(question.policy.required_scopes),
        "held": sorted(caller.scopes),
    }


def _service(question: Question, source: Source) -> dict[str, Any]:
    return {"service": question.request.service, "configured": list(question.policy.services)}


def _licence(question: Question, source: Source) -> dict[str, Any]:
    return {"licence": question.caller.licence}


def _revoked(question: Question, source: Source) -> dict[str, Any]:
    return _licence(question, source) | {"revoked": question.facts.licence_revoked}


def _plan(question: Question, source: Source) -> dict[str, Any]:
    name = question.plan_name
    return {"plan": name, "named_by": _named_by(question), "state": _state(question, source)}


def _named_by(question: Question) -> str:
    if question.caller.anonymous:
        return "plans.anonymous"
    return "plans.default" if question.caller.plan is None else "claim"


def _state(question: Question, source: Source) -> str:
    if question.plan is not None:
        return "enabled"
    if source.snapshot is None:
        exists = Plan.objects.filter(name=question.plan_name or "").exists()
    else:
        exists = any(entry["name"] == question.plan_name for entry in source.snapshot)
    return "disabled" if exists else "unknown"


def _licence_required(question: Question, source: Source) -> dict[str, Any]:
    required = question.plan is not None and question.plan.licence_required
    return _licence(question, source) | {"required": required}


LOOKED_AT: dict[str, Callable[[Question, Source], dict[str, Any]]] = {
    "insufficient_scope": _scopes,
    "service_not_allowed": _service,
    "licence_malformed": _licence,
    "licence_revoked": _revoked,
    "plan_unknown": _plan,
    "licence_required": _licence_required,
}
"""For each of `entitlement.CHECKS`, what it looks at."""
