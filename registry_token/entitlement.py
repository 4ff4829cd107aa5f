"""The decision: what of a request is granted, or why nothing is. Pure, and the only place that
says no to an authenticated caller, in the order of `CHECKS`.

Taking a decision and explaining it are the same call: a `Decision` carries what led to it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from plans.catalogue import Catalogue, PlanRules, Rule
from plans.patterns import is_repository_name
from registry_token.access import Access, ResourceActions
from registry_token.authority import Caller
from registry_token.token_request import TokenRequest

REPOSITORY_ACTIONS = frozenset({"pull", "push", "delete"})
EVERYTHING = "*"

# Of the resources asked for, how many a refusal names.
MAX_NAMED = 3

_PREPOSITIONS = {"pull": "from", "push": "to", "delete": "in"}


@dataclass(frozen=True, slots=True)
class Policy:
    """The part of the configuration that decides."""

    services: tuple[str, ...]
    required_scopes: frozenset[str]
    default_plan: str | None
    anonymous_plan: str | None
    empty_token: bool
    """Answer with an empty token where the default is to refuse because nothing is granted."""


@dataclass(frozen=True, slots=True)
class Facts:
    """What the database says at the time of the request."""

    catalogue: Catalogue
    licence_revoked: bool


@dataclass(frozen=True, slots=True)
class Refusal:
    """`code` is one stable word, `message` a sentence for the person at the other end."""

    code: str
    message: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """What became of one requested resource, and the rules that speak of it."""

    asked: ResourceActions
    granted: ResourceActions
    rules: tuple[Rule, ...]


@dataclass(frozen=True, slots=True)
class Decision:
    """`granted` is within the request and within the plan; empty when there is a `refusal`."""

    plan: str
    granted: Access
    refusal: Refusal | None
    verdicts: tuple[Verdict, ...]


@dataclass(frozen=True, slots=True)
class Question:
    """All that a check may look at."""

    request: TokenRequest
    caller: Caller
    facts: Facts
    policy: Policy

    @property
    def plan_name(self) -> str | None:
        """The plan that applies: the caller's, or the configured one for callers without."""
        if self.caller.anonymous:
            return self.policy.anonymous_plan
        return self.policy.default_plan if self.caller.plan is None else self.caller.plan

    @property
    def plan(self) -> PlanRules | None:
        """The enabled plan of that name."""
        return self.facts.catalogue.plans.get(self.plan_name or "")


def decide(request: TokenRequest, caller: Caller, facts: Facts, policy: Policy) -> Decision:
    """Judge a request. Never raises: every refusal is a value."""
    question = Question(request, caller, facts, policy)
    plan_name = question.plan_name or ""
    for code, check in CHECKS:
        if message := check(question):
            return Decision(plan_name, (), Refusal(code, message), ())
    verdicts = _verdicts(question)
    granted = tuple(verdict.granted for verdict in verdicts if verdict.granted.actions)
    refusal = None
    if verdicts and not granted and not policy.empty_token:
        refusal = Refusal("nothing_granted", _nothing_granted(question, verdicts))
    return Decision(plan_name, granted, refusal, verdicts)


def _insufficient_scope(question: Question) -> str:
    missing = question.policy.required_scopes - question.caller.scopes
    if question.caller.anonymous or not missing:
        return ""
    return (
        f"the access token lacks the scope {' '.join(sorted(missing))};"
        " ask the Authority for a token with it"
    )


def _service_not_allowed(question: Question) -> str:
    if question.request.service in question.policy.services:
        return ""
    return (
        f"no tokens are issued for the service {question.request.service};"
        " use the name that the registry gives in its challenge"
    )


def _licence_malformed(question: Question) -> str:
    if question.caller.licence != "":
        return ""
    return "the access token's licence claim is not a licence id; ask the Authority's operator"


def _licence_revoked(question: Question) -> str:
    if not question.facts.licence_revoked:
        return ""
    return f"licence {question.caller.licence} is revoked; ask the vendor for a valid licence"


def _plan_unknown(question: Question) -> str:
    if question.plan is not None:
        return ""
    if question.plan_name is None:
        return "the access token names no plan; ask the Authority's operator for one that does"
    if question.plan_name == "":
        return "the access token's plan claim is not a plan name; ask the Authority's operator"
    return (
        f"plan {question.plan_name} does not exist or is disabled; ask the registry's administrator"
    )


def _licence_missing(question: Question) -> str:
    plan = question.plan
    if plan is None or not plan.licence_required or question.caller.licence is not None:
        return ""
    return (
        f"plan {plan.name} requires a licence and the access token names none;"
        " ask the vendor for a licence"
    )


CHECKS: tuple[tuple[str, Callable[[Question], str]], ...] = (
    ("insufficient_scope", _insufficient_scope),
    ("service_not_allowed", _service_not_allowed),
    ("licence_malformed", _licence_malformed),
    ("licence_revoked", _licence_revoked),
    ("plan_unknown", _plan_unknown),
    ("licence_required", _licence_missing),
)
"""Checks of the caller as such, in order: refusal code, and a function that says why or ""."""


def _verdicts(question: Question) -> tuple[Verdict, ...]:
    plan = question.plan
    rules = plan.rules if plan is not None else ()
    return tuple(
        _judge(asked, rules, question.request.service) for asked in question.request.access
    )


def _judge(asked: ResourceActions, rules: tuple[Rule, ...], service: str) -> Verdict:
    speaking: tuple[Rule, ...] = ()
    if asked.type != "repository" or is_repository_name(asked.name):
        speaking = tuple(
            rule
            for rule in rules
            if rule.matches(type=asked.type, name=asked.name, service=service)
        )
    actions = _allowed(asked.type, speaking)
    if EVERYTHING not in asked.actions:
        actions &= asked.actions
    return Verdict(asked, ResourceActions(asked.type, asked.name, actions), speaking)


def _allowed(type: str, speaking: tuple[Rule, ...]) -> frozenset[str]:
    """The union of what rules allow, without what any denies, whatever their order.

    `*` means every action to a registry, so a single denied action takes it away.
    """
    allowed = frozenset[str]().union(*(rule.actions for rule in speaking if rule.allows))
    denied = frozenset[str]().union(*(rule.actions for rule in speaking if not rule.allows))
    if EVERYTHING in denied:
        return frozenset()
    if EVERYTHING in allowed and type == "repository":
        allowed |= REPOSITORY_ACTIONS
    return allowed - denied - ({EVERYTHING} if denied else frozenset())


def _nothing_granted(question: Question, verdicts: tuple[Verdict, ...]) -> str:
    asked = "; nor ".join(_in_words(verdict.asked) for verdict in verdicts[:MAX_NAMED])
    if len(verdicts) > MAX_NAMED:
        asked += f"; nor {len(verdicts) - MAX_NAMED} more"
    refused = f"plan {question.plan_name} does not allow {asked}"
    if question.caller.anonymous:
        return f"{refused} without credentials; log in"
    return f"{refused}; ask the registry's administrator for access"


def _in_words(asked: ResourceActions) -> str:
    if not asked.type:
        return f"the scope {asked.name!r}, which is not TYPE:NAME:ACTIONS"
    if asked.type == "repository" and not is_repository_name(asked.name):
        return f"anything in {asked.name!r}, which is not a repository name"
    actions = sorted(asked.actions)
    name = asked.name if asked.type == "repository" else f"{asked.type}:{asked.name}"
    return f"{' or '.join(actions)} {_PREPOSITIONS.get(actions[-1], 'of')} {name}"
