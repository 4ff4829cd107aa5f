"""The rule that comes nearest to what was not granted, and what it lacks."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from registry_token.access import parse_scope
from registry_token.nearest import nearest_rule
from tests.conftest import SERVICE
from tests.test_entitlement import rule

APP = rule("acme/*", "pull")
NEAREST = {
    "another action": ([rule("acme/**", "pull")], "acme/app:push", "it allows only pull"),
    "another service": (
        [rule("acme/**", "pull", services=["m.example.com"])],
        "acme/app:pull",
        "it is for m.example.com only",
    ),
    "both": (
        [rule("acme/**", "pull", services=["m.example.com"])],
        "acme/app:push",
        "it allows only pull; it is for m.example.com only",
    ),
    "a level more": (
        [APP],
        "acme/a/b:pull",
        "its pattern acme/* has 2 parts, acme/a/b has 3",
    ),
    "a level less": ([APP], "acme:pull", "its pattern acme/* has 2 parts, acme has 1"),
    "nothing below": ([rule("acme/**", "pull")], "acme:pull", "acme/** wants more below acme"),
    "a misspelt part": (
        [rule("stella-ops/app", "pull")],
        "stela-ops/app:pull",
        "wants stella-ops as part 1, where the name has stela-ops",
    ),
    "another part": (
        [rule("acme/app", "pull")],
        "acme/web:pull",
        "wants app as part 2, where the name has web",
    ),
    "another end": ([rule("**/app", "pull")], "a/apps:pull", "**/app does not match a/apps"),
    "a misspelt name": ([rule("nginx", "pull")], "nginxx:pull", "wants nginx as part 1"),
    "a deny rule": (
        [rule("acme/**", "pull", "push"), rule("acme/app", "push", effect="deny")],
        "acme/app:push",
        "another rule takes it away: deny ('push',) on acme/app",
    ),
    "a deny rule and everything": (
        [rule("acme/**", "*"), rule("acme/app", "push", effect="deny")],
        "acme/app:*",
        "another rule takes it away: deny ('push',) on acme/app",
    ),
}


@pytest.mark.parametrize(("rules", "asked", "lacks"), NEAREST.values(), ids=NEAREST)
def test_says_what_the_nearest_rule_lacks(rules, asked, lacks):
    found = nearest_rule(parse_scope(f"repository:{asked}"), tuple(rules), SERVICE)
    assert found.rule == rules[0].text
    assert lacks in "; ".join(found.lacks)


CHOICES = {
    "what matches before what does not": (["acme/app", "acme/**"], "acme/web:push", "acme/**"),
    "the most parts in common": (["acme/x/y", "acme/a/c"], "acme/a/b:pull", "acme/a/c"),
    "then the most alike": (["acme/xyz", "acme/apq"], "acme/app:pull", "acme/apq"),
    "from the right, too": (["x/y/z", "b/team/app"], "a/team/app:pull", "b/team/app"),
}


@pytest.mark.parametrize(("patterns", "asked", "nearest"), CHOICES.values(), ids=CHOICES)
def test_chooses_the_nearest_rule(patterns, asked, nearest):
    rules = tuple(rule(pattern, "pull") for pattern in patterns)
    found = nearest_rule(parse_scope(f"repository:{asked}"), rules, SERVICE)
    assert found.rule == rule(nearest, "pull").text


def test_prefers_the_rule_that_lacks_less():
    rules = (rule("a/**", "pull"), rule("a/*", "pull", "push"), rule("a/b", "push"))
    found = nearest_rule(parse_scope("repository:a/b:delete,push"), rules, SERVICE)
    assert found.rule == rules[1].text
    assert nearest_rule(parse_scope("repository:a/b:push"), rules, SERVICE).lacks == ()


NO_RULE = {
    "repository:other/thing:pull": "no rule of the plan comes near other/thing",
    "registry:catalog:*": "no rule of the plan comes near catalog",
    "nonsense": "'nonsense' is not TYPE:NAME:ACTIONS",
    "cnab:acme/app:pull": "'cnab' is not a type that rules speak of",
    "repository:Acme:pull": "'Acme' is not a repository name",
    "repository:acme/app:metadata_read": "metadata_read: unknown",
}


@pytest.mark.parametrize(("scope", "message"), NO_RULE.items(), ids=NO_RULE)
def test_says_why_no_rule_is_near(scope, message):
    found = nearest_rule(parse_scope(scope), (rule("acme/**", "*"),), SERVICE)
    assert found.rule == ""
    assert message in found.lacks[0]


segments = st.lists(st.sampled_from(["a", "b", "ab", "*", "**", "a*"]), min_size=1, max_size=4)
names = st.lists(st.sampled_from(["a", "b", "ab"]), min_size=1, max_size=4)


@given(st.lists(segments, max_size=5), names)
def test_a_rule_that_lacks_nothing_grants(patterns, name):
    rules = tuple(rule("/".join(pattern), "pull") for pattern in patterns)
    asked = parse_scope(f"repository:{'/'.join(name)}:pull")
    found = nearest_rule(asked, rules, SERVICE)
    matching = [r for r in rules if r.matches(type="repository", name=asked.name, service=SERVICE)]
    assert bool(matching) == (found.lacks == ())
