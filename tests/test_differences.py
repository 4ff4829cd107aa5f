"""What separates two snapshots of the plans, and whether access was widened or narrowed."""

from __future__ import annotations

import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plans.catalogue import Revision, catalogue_of_snapshot
from plans.differences import differences, effect_of
from plans.pattern_errors import pattern_error
from plans.pattern_relations import MAX_EFFORT, covers, intersects
from plans.patterns import compile_pattern
from registry_token.access import ResourceActions
from registry_token.authority import Caller
from registry_token.entitlement import Facts, Policy, decide
from registry_token.token_request import TokenRequest


def rule(pattern, *actions, **members):
    return {"repositories": pattern, "actions": list(actions or ["pull"]), **members}


def plan(*rules, **members):
    return {"name": "team", **members, "rules": list(rules)}


COVERED = {
    "itself": ("a/b", "a/b", True),
    "all below, a name": ("a/**", "a/b/c", True),
    "all below, the top": ("a/**", "a", False),
    "all below, all below": ("a/**", "a/b/**", True),
    "all below, one level": ("a/**", "a/*", True),
    "one level, all below": ("a/*", "a/**", False),
    "one level, a name": ("a/*", "a/b", True),
    "one level, two": ("a/*", "a/b/c", False),
    "everything": ("**", "a/*/b-*", True),
    "not everything": ("a/**", "**", False),
    "a beginning": ("a/b*", "a/bc*", True),
    "a longer beginning": ("a/bc*", "a/b*", False),
    "an end": ("**/app", "a/**/app", True),
    "none in the middle": ("a/**/b", "a/b", True),
    "the middle and one level": ("a/**/b", "a/*/b", True),
    "one level and the middle": ("a/*/b", "a/**/b", False),
}


@pytest.mark.parametrize("case", COVERED)
def test_knows_which_pattern_covers_which(case):
    outer, inner, expected = COVERED[case]
    assert covers(outer, inner) is expected


parts = st.sampled_from(["a", "b", "ab", "*", "a*", "*b", "a*b", "**"])
patterns = (
    st.lists(parts, min_size=1, max_size=4)
    .map("/".join)
    .filter(lambda text: not pattern_error(text))
)
names = st.lists(st.sampled_from(["a", "b", "ab", "aab", "aabb"]), min_size=1, max_size=5).map(
    "/".join
)


def matches(pattern, name):
    return compile_pattern(pattern).fullmatch(name) is not None


@given(outer=patterns, inner=patterns, name=names)
def test_a_pattern_matches_whatever_those_match_that_it_covers(outer, inner, name):
    if covers(outer, inner) and matches(inner, name):
        assert matches(outer, name)


@given(one=patterns, other=patterns, name=names)
def test_no_name_is_matched_by_patterns_that_are_apart(one, other, name):
    assert not (not intersects(one, other) and matches(one, name) and matches(other, name))


A, B = rule("acme/**"), rule("other/app")
DENY = rule("acme/private/**", "*", effect="deny")
EFFECTS: dict[str, tuple[list[Any], list[Any], str]] = {
    "a plan added": ([], [plan(A)], "widened"),
    "a plan removed": ([plan(A)], [], "narrowed"),
    "a disabled plan added": ([], [plan(A, enabled=False)], "neither"),
    "disabled": ([plan(A)], [plan(A, enabled=False)], "narrowed"),
    "enabled": ([plan(A, enabled=False)], [plan(A)], "widened"),
    "edited while disabled": ([plan(A, enabled=False)], [plan(enabled=False)], "neither"),
    "a licence required": ([plan(A)], [plan(A, licence_required=True)], "narrowed"),
    "no licence required": ([plan(A, licence_required=True)], [plan(A)], "widened"),
    "described": ([plan(A)], [plan(A, description="new")], "neither"),
    "reordered": ([plan(A, B)], [plan(B, A)], "neither"),
    "a rule added": ([plan(A)], [plan(A, B)], "widened"),
    "a rule removed": ([plan(A, B)], [plan(A)], "narrowed"),
    "a covered rule added": ([plan(A)], [plan(A, rule("acme/app"))], "neither"),
    "a covered rule removed": ([plan(A, rule("acme/*/b"))], [plan(A)], "neither"),
    "a wider pattern": ([plan(rule("acme/*"))], [plan(A)], "widened"),
    "another pattern": ([plan(A)], [plan(B)], "both"),
    "an action added": ([plan(A)], [plan(rule("acme/**", "pull", "push"))], "widened"),
    "an action exchanged": ([plan(A)], [plan(rule("acme/**", "push"))], "both"),
    "all actions": ([plan(rule("a", "pull", "push"))], [plan(rule("a", "*"))], "widened"),
    "a rule split": (
        [plan(rule("a", "pull", "push"))],
        [plan(rule("a"), rule("a", "push"))],
        "neither",
    ),
    "for one registry": ([plan(A)], [plan(rule("acme/**", services=["r"]))], "narrowed"),
    "for all registries": ([plan(rule("a", services=["r", "s"]))], [plan(rule("a"))], "widened"),
    "registries split": (
        [plan(rule("a", services=["r", "s"]))],
        [plan(rule("a", services=["r"]), rule("a", services=["s"]))],
        "neither",
    ),
    "a deny rule added": ([plan(A)], [plan(A, DENY)], "narrowed"),
    "a deny rule removed": ([plan(A, DENY)], [plan(A)], "widened"),
    "a deny rule that denies nothing": ([plan(B)], [plan(B, DENY)], "neither"),
    "a wider deny rule": (
        [plan(A, DENY)],
        [plan(A, rule("acme/**", "*", effect="deny"))],
        "narrowed",
    ),
    "an allowed rule that is denied": (
        [plan(rule("a", "pull", effect="deny"))],
        [plan(rule("a", "pull", effect="deny"), rule("a"))],
        "neither",
    ),
    "a deny of one action takes the star": (
        [plan(rule("a", "*"))],
        [plan(rule("a", "*"), rule("a", "push", effect="deny"))],
        "narrowed",
    ),
    "a star that a deny of one action takes": (
        [plan(rule("a", "pull", "push", "delete"), rule("a", "push", effect="deny"))],
        [plan(rule("a", "*"), rule("a", "push", effect="deny"))],
        "neither",
    ),
    "the registry's catalog": (
        [plan()],
        [plan({"registry": "catalog", "actions": ["*"]})],
        "widened",
    ),
}


@pytest.mark.parametrize("case", EFFECTS)
def test_says_whether_access_was_widened_or_narrowed(case):
    before, after, expected = EFFECTS[case]
    found = differences(before, after)
    assert len(found) == 1
    assert effect_of(found) == found[0].effect == expected


def test_equal_snapshots_have_no_differences():
    assert differences([plan(A, B)], [plan(A, B)]) == []
    assert effect_of([]) == "neither"


def test_names_what_has_changed():
    (found,) = differences([plan(A, B, B)], [plan(B, DENY, description="new", enabled=False)])
    assert (found.name, found.verb) == ("team", "changed")
    assert [(field.name, field.before, field.after) for field in found.fields] == [
        ("description", "", "new"),
        ("enabled", True, False),
    ]
    assert found.rules_added == ("deny * on acme/private/**",)
    assert found.rules_removed == ("allow pull on acme/**", "allow pull on other/app")


def test_tells_when_only_the_order_differs():
    assert differences([plan(A, B)], [plan(B, A)])[0].only_reordered
    assert not differences([plan(A)], [plan(B)])[0].only_reordered
    assert not differences([], [plan()])[0].only_reordered


def test_plans_together_have_the_effects_of_each():
    one, other = {**plan(A), "name": "one"}, {**plan(B), "name": "other"}
    found = differences([one], [other])
    assert [(difference.name, difference.verb) for difference in found] == [
        ("one", "removed"),
        ("other", "added"),
    ]
    assert effect_of(found) == "both"


HOSTILE = "/".join(["**", "a*b*c*"] * 20)


@pytest.mark.parametrize("effect", ["allow", "deny"])
def test_too_many_patterns_to_compare_are_in_doubt_and_soon(effect):
    """This is done while others wait to change something."""
    before, after = (
        [plan(*(rule(f"{HOSTILE}/{letter}{n}", effect=effect) for n in range(500)), rule("**"))]
        for letter in "xy"
    )
    if effect == "allow":
        before[0]["rules"].pop(), after[0]["rules"].pop()
    began = time.monotonic()
    found = differences(before, after)
    assert time.monotonic() - began < 20  # a second on a quiet machine; it was an hour
    assert effect_of(found) == "both"


def test_rules_for_very_many_registries_are_in_doubt_and_soon():
    before = [rule("**", services=[f"r{n}" for n in range(3000)])]
    many = [rule(f"a/{n}") for n in range(1000)]
    began = time.monotonic()
    found = differences([plan(*before)], [plan(*before, *many)])
    assert time.monotonic() - began < 5
    assert effect_of(found) == "both"


def test_many_ordinary_rules_are_compared():
    """As a catalogue of a thousand customers is edited."""
    many = [rule(f"customer-{n}/**", "pull", "push") for n in range(1000)]
    fewer = [rule(f"customer-{n}/**", "pull") for n in range(1000)]
    assert effect_of(differences([plan(*many)], [plan(*fewer)])) == "narrowed"
    assert effect_of(differences([plan(*many[1:])], [plan(*many)])) == "widened"


SERVICES = ["r", "s", "t"]
rules = st.one_of(
    st.fixed_dictionaries(
        {
            "repositories": patterns,
            "actions": st.lists(
                st.sampled_from(["pull", "push", "delete", "*"]),
                min_size=1,
                max_size=2,
                unique=True,
            ),
        },
        optional={
            "effect": st.just("deny"),
            "services": st.lists(st.sampled_from(SERVICES[:2]), min_size=1, unique=True),
        },
    ),
    st.just({"registry": "catalog", "actions": ["*"]}),
)
snapshots = st.lists(rules, max_size=4).flatmap(
    lambda chosen: st.fixed_dictionaries(
        {"name": st.just("team"), "rules": st.just(chosen)},
        optional={"enabled": st.booleans(), "licence_required": st.booleans()},
    ).map(lambda entry: [entry])
)
ACTIONS = ["pull", "push", "delete", "*"]


@st.composite
def edits(draw):
    """A snapshot and what may have become of it: mostly the same rules."""
    before = draw(snapshots)
    after = draw(snapshots)
    kept = [entry for entry in before[0]["rules"] if draw(st.booleans())]
    return before, [{**after[0], "rules": kept + after[0]["rules"][: draw(st.integers(0, 2))]}]


def granted(snapshot, name, service, action, licence):
    facts = Facts(catalogue_of_snapshot(snapshot, Revision(1, "f")), licence_revoked=False)
    resource = "registry" if name == "catalog" else "repository"
    access = (ResourceActions(resource, name, frozenset({action})),)
    request = TokenRequest(service, access, subject_token=None)
    caller = Caller("alice", "", "", frozenset(), "team", licence, "")
    policy = Policy((*SERVICES,), frozenset(), None, None, empty_token=False)
    return {
        (entry.name, each)
        for entry in decide(request, caller, facts, policy).granted
        for each in entry.actions
    }


@given(
    edit=edits(),
    name=names | st.just("catalog"),
    service=st.sampled_from(SERVICES),
    licence=st.sampled_from([None, "LIC-1"]),
    effort=st.sampled_from([0, 50, MAX_EFFORT]),
)
def test_what_is_not_widened_grants_no_request_more(edit, name, service, licence, effort):
    before, after = edit
    effect = effect_of(differences(before, after, effort=effort))
    for action in ACTIONS:
        old = granted(before, name, service, action, licence)
        new = granted(after, name, service, action, licence)
        if effect in ("narrowed", "neither"):
            assert new <= old
        if effect in ("widened", "neither"):
            assert old <= new
