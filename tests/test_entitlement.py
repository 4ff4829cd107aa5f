"""The decision: a table of rules, the order of refusals, and what must hold for any catalogue."""

from __future__ import annotations

from types import MappingProxyType

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plans.catalogue import Catalogue, PlanRules, Revision, Rule
from registry_token.access import parse_scopes
from registry_token.authority import ANONYMOUS, Caller
from registry_token.entitlement import CHECKS, Facts, Policy, decide
from registry_token.token_request import TokenRequest

SCOPE = "registry.token.issue"


def rule(pattern, *actions, effect="allow", type="repository", services=()):
    return Rule(
        text=f"{effect} {actions} on {pattern}",
        allows=effect == "allow",
        type=type,
        pattern=pattern,
        actions=frozenset(actions),
        services=frozenset(services),
    )


def decision(
    *scopes,
    rules=(),
    caller=None,
    service="registry.example.com",
    licence_required=False,
    revoked=False,
    **policy,
):
    plan = PlanRules("gold", licence_required, tuple(rules))
    facts = Facts(Catalogue(Revision(1, "x"), MappingProxyType({"gold": plan})), revoked)
    defaults = {
        "services": ("registry.example.com", "mirror.example.com"),
        "required_scopes": frozenset({SCOPE}),
        "default_plan": None,
        "anonymous_plan": None,
        "empty_token": False,
    }
    caller = caller or Caller("alice", scopes=frozenset({SCOPE}), plan="gold")
    request = TokenRequest(service, parse_scopes(scopes), None)
    return decide(request, caller, facts, Policy(**(defaults | policy)))


def granted(*scopes, rules, **options):
    return " ".join(map(str, decision(*scopes, rules=rules, **options).granted))


PULL_A = rule("a/**", "pull")
PUSH_A = rule("a/**", "pull", "push")
ALL_A = rule("a/**", "*")
DENY_PUSH = rule("a/x", "push", effect="deny")
CATALOG = rule("catalog", "*", type="registry")

GRANTS = {
    "what rules allow": ([PULL_A], "repository:a/x:pull", "repository:a/x:pull"),
    "part of it": ([PULL_A], "repository:a/x:pull,push", "repository:a/x:pull"),
    "nothing elsewhere": ([PULL_A], "repository:b:pull", ""),
    "union of rules": (
        [PULL_A, rule("a/x", "push")],
        "repository:a/x:pull,push",
        "repository:a/x:pull,push",
    ),
    "deny after allow": ([PUSH_A, DENY_PUSH], "repository:a/x:pull,push", "repository:a/x:pull"),
    "deny before allow": ([DENY_PUSH, PUSH_A], "repository:a/x:pull,push", "repository:a/x:pull"),
    "deny of everything": ([PUSH_A, rule("a/x", "*", effect="deny")], "repository:a/x:pull", ""),
    "star gives what rules allow": ([PUSH_A], "repository:a/x:*", "repository:a/x:pull,push"),
    "star where a rule says star": (
        [ALL_A],
        "repository:a/x:*",
        "repository:a/x:*,delete,pull,push",
    ),
    "actions where a rule says star": ([ALL_A], "repository:a/x:delete", "repository:a/x:delete"),
    "no star beside a deny": (
        [ALL_A, DENY_PUSH],
        "repository:a/x:*",
        "repository:a/x:delete,pull",
    ),
    "no unknown action": ([ALL_A], "repository:a/x:metadata_read,Pull,pull", "repository:a/x:pull"),
    "no unknown type": ([ALL_A], "cnab:a/x:pull", ""),
    "no malformed name": ([rule("**", "*")], "repository:a/../x:pull repository:A:pull", ""),
    "no empty name": ([rule("**", "*")], "repository::pull", ""),
    "catalog by its rule": ([CATALOG], "registry:catalog:*", "registry:catalog:*"),
    "catalog by no other rule": ([rule("**", "*")], "registry:catalog:*", ""),
    "catalog alone of the registry": ([CATALOG], "registry:other:*", ""),
    "catalog with star only": ([CATALOG], "registry:catalog:pull,push", ""),
    "class is dropped": ([PULL_A], "repository(plugin):a/x:pull", "repository:a/x:pull"),
    "each scope alone": ([PULL_A], "repository:b:pull repository:a/x:pull", "repository:a/x:pull"),
}


@pytest.mark.parametrize(("rules", "scopes", "expected"), GRANTS.values(), ids=GRANTS)
def test_grants(rules, scopes, expected):
    assert granted(*scopes.split(" "), rules=rules) == expected


def test_a_rule_bound_to_a_service_speaks_of_no_other():
    rules = [rule("m/**", "pull", services=["mirror.example.com"])]
    assert granted("repository:m/x:pull", rules=rules, service="mirror.example.com")
    assert not granted("repository:m/x:pull", rules=rules)


def test_without_scopes_an_accepted_caller_gets_an_empty_grant():
    found = decision(rules=[PULL_A])
    assert (found.granted, found.refusal) == ((), None)


def test_nothing_granted_may_be_an_empty_grant_by_configuration():
    found = decision("repository:b:pull", rules=[PULL_A], empty_token=True)
    assert (found.granted, found.refusal) == ((), None)


def test_carries_the_rules_that_decided():
    found = decision("repository:a/x:pull,push", rules=[PUSH_A, DENY_PUSH, CATALOG])
    assert found.verdicts[0].rules == (PUSH_A, DENY_PUSH)


ALICE = Caller("alice", scopes=frozenset({SCOPE}), plan="gold", licence="LIC-1")
REFUSALS = {
    "insufficient_scope": ({"caller": Caller("alice", plan="gold")}, "lacks the scope"),
    "service_not_allowed": ({"service": "other.example.com"}, "service other.example.com"),
    "licence_malformed": (
        {"caller": Caller("alice", scopes=frozenset({SCOPE}), plan="gold", licence="")},
        "not a licence id",
    ),
    "licence_revoked": ({"caller": ALICE, "revoked": True}, "licence LIC-1 is revoked"),
    "plan_unknown": (
        {"caller": Caller("alice", scopes=frozenset({SCOPE}), plan="silver")},
        "plan silver does not exist",
    ),
    "licence_required": ({"licence_required": True}, "plan gold requires a licence"),
    "nothing_granted": ({}, "plan gold does not allow push to acme/app"),
}


@pytest.mark.parametrize(("code", "case"), REFUSALS.items(), ids=REFUSALS)
def test_refuses_with_a_reason(code, case):
    options, message = case
    refusal = decision("repository:acme/app:push", rules=[PULL_A], **options).refusal
    assert refusal is not None
    assert refusal.code == code
    assert message in refusal.message


def test_every_refusal_is_reached_by_the_table():
    assert set(REFUSALS) == {code for code, _ in CHECKS} | {"nothing_granted"}


PLAN_CLAIMS = {
    "none, no default": (Caller("a", scopes=frozenset({SCOPE})), {}, "names no plan"),
    "not text": (Caller("a", scopes=frozenset({SCOPE}), plan=""), {}, "not a plan name"),
    "not text, with a default": (
        Caller("a", scopes=frozenset({SCOPE}), plan=""),
        {"default_plan": "gold"},
        "not a plan name",
    ),
}


@pytest.mark.parametrize(("caller", "policy", "message"), PLAN_CLAIMS.values(), ids=PLAN_CLAIMS)
def test_refuses_a_plan_claim_that_is_none(caller, policy, message):
    refusal = decision(rules=[PULL_A], caller=caller, **policy).refusal
    assert refusal is not None
    assert message in refusal.message


def test_the_default_plan_serves_callers_without_the_claim():
    caller = Caller("alice", scopes=frozenset({SCOPE}))
    options = {"rules": [PULL_A], "caller": caller, "default_plan": "gold"}
    assert granted("repository:a/x:pull", **options) == "repository:a/x:pull"


def test_the_anonymous_plan_serves_callers_without_credentials():
    options = {"rules": [PULL_A], "caller": ANONYMOUS, "anonymous_plan": "gold"}
    assert granted("repository:a/x:pull", **options) == "repository:a/x:pull"
    refusal = decision("repository:b:pull", **options).refusal
    assert refusal is not None
    assert "log in" in refusal.message


def test_a_refusal_names_only_the_first_of_many_resources():
    refusal = decision(*(f"repository:b/n{k}:pull" for k in range(60)), rules=[PULL_A]).refusal
    assert refusal is not None
    assert "57 more" in refusal.message


parts = st.sampled_from(["a", "b", "x", "*", "**"])
paths = st.lists(parts, min_size=1, max_size=3).map("/".join)
actions = st.frozensets(st.sampled_from(["pull", "push", "delete", "*"]), min_size=1)
rules = st.builds(
    lambda pattern, actions, effect, services: rule(
        pattern, *actions, effect=effect, services=services
    ),
    paths,
    actions,
    st.sampled_from(["allow", "allow", "deny"]),
    st.sampled_from([(), ("registry.example.com",), ("mirror.example.com",)]),
)
asked_names = st.lists(st.sampled_from(["a", "b", "x", "..", "A"]), min_size=1, max_size=3)
asked_actions = st.lists(
    st.sampled_from(["pull", "push", "delete", "*", "Pull", "x"]), min_size=1, unique=True
)
scopes = st.builds(
    lambda name, actions: f"repository:{'/'.join(name)}:{','.join(actions)}",
    asked_names,
    asked_actions,
)


@given(st.lists(rules, max_size=6), st.lists(scopes, max_size=4))
def test_granted_is_within_the_request_and_within_the_plan(rules, scopes):
    asked = {resource.name: resource.actions for resource in parse_scopes(scopes)}
    for resource in decision(*scopes, rules=rules).granted:
        assert "*" in asked[resource.name] or resource.actions <= asked[resource.name]
        speaking = [
            r
            for r in rules
            if r.matches(type="repository", name=resource.name, service="registry.example.com")
        ]
        for action in resource.actions:
            assert any({action, "*"} & r.actions for r in speaking if r.allows)
            assert not any({action, "*"} & r.actions for r in speaking if not r.allows)
        if "*" in resource.actions:
            assert all(r.allows for r in speaking)


@given(st.lists(rules, max_size=6), st.lists(scopes, max_size=4), st.randoms())
def test_the_order_of_rules_does_not_matter(rules, scopes, random):
    shuffled = random.sample(rules, len(rules))
    assert decision(*scopes, rules=rules).granted == decision(*scopes, rules=shuffled).granted


@given(st.lists(rules, max_size=6), rules, st.lists(scopes, max_size=4))
def test_a_deny_rule_never_widens_access(rules, other, scopes):
    denying = rule(other.pattern, *other.actions, effect="deny")
    before = {r.name: r.actions for r in decision(*scopes, rules=rules).granted}
    for resource in decision(*scopes, rules=[*rules, denying]).granted:
        assert resource.actions <= before[resource.name]
