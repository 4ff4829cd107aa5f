"""Fuzz targets that decide: scopes, rules, patterns and names, against a second implementation."""

from __future__ import annotations

import contextlib
from types import MappingProxyType

from plans.catalogue import Catalogue, PlanRules, Revision, Rule
from plans.pattern_errors import pattern_error
from plans.patterns import compile_pattern, is_repository_name
from registry_token.access import parse_scopes
from registry_token.authority import Caller
from registry_token.entitlement import Facts, Policy, decide
from registry_token.errors import MalformedRequest
from registry_token.token_request import TokenRequest, from_query
from tests.fuzz import oracle
from tests.fuzz.world import SERVICE, World

POLICY = Policy((SERVICE,), frozenset(), None, None, empty_token=True)


def scopes(world: World, data: bytes) -> None:
    """The scope parameter, read and then decided."""
    scope = data.decode(errors="replace")
    with contextlib.suppress(MalformedRequest):
        repr(from_query({"service": [SERVICE], "scope": [scope]}, ""))
    decide_and_compare(world.rules, SERVICE, scope)


def decision(world: World, data: bytes) -> None:
    """The first line is a scope, each other a rule: effect, actions, pattern, services."""
    scope, *lines = data.decode(errors="replace").split("\n")
    rules = [rule for line in lines if (rule := _rule(line)) is not None]
    decide_and_compare(rules, SERVICE, scope)


def _rule(line: str) -> oracle.Rule | None:
    """A rule as the catalogue takes it, or None."""
    effect, words, pattern, *services = [*line.split(" "), "", "", ""]
    actions = words.split(",")
    rule = {"actions": actions, "services": [name for name in services if name]}
    if effect == "registry":
        rule |= {"registry": pattern}
        return rule if (pattern, actions) == ("catalog", ["*"]) else None
    if pattern_error(pattern) or not {*oracle.ACTIONS, "*"} >= {*actions}:
        return None
    return rule | {"repositories": pattern, "effect": "deny" if effect == "deny" else "allow"}


def decide_and_compare(rules: list[oracle.Rule], service: str, scope: str) -> None:
    """Decide a request by the rules, as both implementations do."""
    plan = PlanRules("fuzz", False, tuple(map(_compiled, rules)))
    facts = Facts(Catalogue(Revision(1, "x"), MappingProxyType({"fuzz": plan})), False)
    request = TokenRequest(service, parse_scopes(scope.split(" ")), None)
    decided = decide(request, Caller("alice", plan="fuzz"), facts, POLICY)
    granted = [resource.entry() for resource in decided.granted]
    assert granted == oracle.expected_access(rules, service, scope), (rules, scope)


def _compiled(rule: oracle.Rule) -> Rule:
    kind = "registry" if "registry" in rule else "repository"
    return Rule(
        text=str(rule),
        allows=rule.get("effect", "allow") == "allow",
        type=kind,
        pattern=rule["registry" if kind == "registry" else "repositories"],
        actions=frozenset(rule["actions"]),
        services=frozenset(rule.get("services", ())),
    )


def patterns(world: World, data: bytes) -> None:
    """A pattern, and on the second line a name."""
    pattern, _, name = data.decode(errors="replace").partition("\n")
    assert is_repository_name(name) == oracle.is_name(name)
    if pattern_error(pattern) is None and oracle.is_name(name):
        matched = compile_pattern(pattern).fullmatch(name) is not None
        assert matched == oracle.covers(pattern, name)
