"""How two rules of a plan stand to each other: which says the same, or more. Pure."""

from __future__ import annotations

from plans.models import PlanRule
from plans.pattern_relations import covers, intersects
from registry_token.entitlement import EVERYTHING, REPOSITORY_ACTIONS


def allows(rule: PlanRule) -> bool:
    """Whether the rule gives access, and not takes it away."""
    return rule.effect == PlanRule.Effect.ALLOW


def effective(rule: PlanRule) -> frozenset[str]:
    """The rule's actions; a repository's `*` is every action, and itself."""
    actions = frozenset(rule.actions)
    is_all = EVERYTHING in actions and rule.type == PlanRule.Type.REPOSITORY
    return actions | REPOSITORY_ACTIONS if is_all else actions


def is_equal(one: PlanRule, other: PlanRule) -> bool:
    """Whether both say the same, in whatever order."""
    return one.pattern == other.pattern and _content(one) == _content(other)


def _content(rule: PlanRule) -> tuple[object, ...]:
    return rule.effect, rule.type, rule.pattern, {*rule.actions}, {*rule.services}


def spans(outer: PlanRule, inner: PlanRule) -> bool:
    """Whether `outer` speaks of all resources, on all services, that `inner` speaks of."""
    of_services = not outer.services or (inner.services and {*inner.services} <= {*outer.services})
    return bool(of_services) and outer.type == inner.type and covers(outer.pattern, inner.pattern)


def meets(one: PlanRule, other: PlanRule) -> bool:
    """Whether some action on some resource can be meant by both."""
    apart = one.services and other.services and not {*one.services} & {*other.services}
    return (
        not apart
        and one.type == other.type
        and bool(effective(one) & effective(other))
        and intersects(one.pattern, other.pattern)
    )
