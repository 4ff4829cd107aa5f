"""What would happen if: a request that nobody makes, decided by the code of /token, and all that
led to the decision as plain data.

The question may be anybody's; the catalogue may be the current one, an earlier one, or one with a
plan that is not saved yet. Whether a licence is revoked is as of now, unless the asker knows
better.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from typing import Any

from plans.catalogue import catalogue_of_snapshot
from registry_token.entitlement import Question, Verdict, decide
from registry_token.exchange import policy
from registry_token.nearest import Nearest, nearest_rule
from registry_token.record import read_facts
from registry_token.replay import Asked
from registry_token.simulation_checks import Check, checks_of
from registry_token.simulation_sources import CURRENT, Source


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


def simulate(
    asked: Asked, source: Source = CURRENT, *, licence_revoked: bool | None = None
) -> Simulation:
    """Decide a question by a source's catalogue; `licence_revoked` instead of what holds now.

    Raises django.db.Error, Unavailable.
    """
    facts = read_facts(asked.caller.licence)
    if licence_revoked is not None:
        facts = replace(facts, licence_revoked=licence_revoked)
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
        checks=checks_of(question, decision, source),
        resources=tuple(_resource(verdict, question) for verdict in decision.verdicts),
    )


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
