"""The checks of a simulated request: how each came out, and what it looked at, as plain data."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from plans.models import Plan
from registry_token.authority import Caller
from registry_token.entitlement import CHECKS, Decision, Question
from registry_token.simulation_sources import Source

PASSED, REFUSED, NOT_REACHED = "passed", "refused", "not reached"


@dataclass(frozen=True, slots=True)
class Check:
    """A check of the caller: what it looked at, and how it came out."""

    code: str
    outcome: str
    looked_at: dict[str, Any]


def checks_of(question: Question, decision: Decision, source: Source) -> tuple[Check, ...]:
    """All checks in their order. Raises django.db.DatabaseError."""
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
