"""Lint: what is valid in a catalogue and probably not meant."""

from __future__ import annotations

import json
import time
from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from issuances.identifiers import uuid7
from issuances.models import Issuance
from plans.models import CatalogueRevision, Plan
from plans.pattern_relations import covers, intersects
from plans.patterns import compile_pattern
from plans.snapshots import rule_of
from registry_token.lint import findings, known_facts
from registry_token.lint_rules import CHECKS, Known, lint
from tests.conftest import EXAMPLE

KNOWN = Known(services=("a.example.com", "b.example.com"))
PULL, PUSH, BOTH, ALL = ["pull"], ["push"], ["pull", "push"], ["*"]


def rule(pattern, actions, effect="allow", *services):
    entry = {"repositories": pattern, "actions": actions, "effect": effect}
    return entry | ({"services": list(services)} if services else {})


CATALOG = {"registry": "catalog", "actions": ["*"]}
A, B = "a.example.com", "b.example.com"

# Rules of a plan, and what is found: the code and the number of the rule.
CASES = {
    "nothing": ([rule("a/**", BOTH), rule("a/x", PUSH, "deny"), CATALOG], []),
    "push without pull": ([rule("a/b", PUSH)], [("push_without_pull", 0)]),
    "pull by another rule": ([rule("a/b", PUSH), rule("a/*", PULL)], []),
    "pull elsewhere": ([rule("a/*", PUSH), rule("a/b", PULL)], [("push_without_pull", 0)]),
    "pull on another service": (
        [rule("a/b", PUSH), rule("a/b", PULL, "allow", A)],
        [("push_without_pull", 0)],
    ),
    "push with everything": ([rule("a/b", ALL)], []),
    "deny push alone": ([rule("a/b", BOTH), rule("a/b", PUSH, "deny")], []),
    "duplicate": ([rule("a/b", BOTH), rule("a/b", BOTH[::-1])], [("duplicate_rule", 1)]),
    "duplicate, services in another order": (
        [rule("a", PULL, "allow", A, B), rule("a", PULL, "allow", B, A)],
        [("duplicate_rule", 1)],
    ),
    "shadowed by a wider one": ([rule("a/b", PULL), rule("a/**", BOTH)], [("shadowed_rule", 0)]),
    "shadowed by everything": ([rule("a/b", BOTH), rule("a/*", ALL)], [("shadowed_rule", 0)]),
    "more actions": ([rule("a/b", BOTH), rule("a/**", PULL)], []),
    "everything is more": (
        [rule("a/b", ALL), rule("a/*", ["pull", "push", "delete"])],
        [],
    ),
    "shadowed on a service": (
        [rule("a", PULL, "allow", A), rule("a", PULL)],
        [("shadowed_rule", 0)],
    ),
    "not shadowed by one for a service": ([rule("a/b", PULL), rule("a/*", PULL, "allow", A)], []),
    "the same in other words": (
        [rule("a/**", PULL), rule("a/**/**", PULL)],
        [("shadowed_rule", 1)],
    ),
    "denied altogether": (
        [rule("a/b", PULL), rule("a/*", ALL, "deny")],
        [("shadowed_rule", 0)],
    ),
    "denied in part": ([rule("a/b", BOTH), rule("a/*", PUSH, "deny")], []),
    "a deny in a deny": (
        [rule("a/**", BOTH), rule("a/x/**", PUSH, "deny"), rule("a/x/y", PUSH, "deny")],
        [("shadowed_rule", 2)],
    ),
    "a deny elsewhere": (
        [rule("a/**", BOTH), rule("b/**", PUSH, "deny")],
        [("deny_without_effect", 1)],
    ),
    "a deny of another action": (
        [rule("a/**", PULL), rule("a/**", PUSH, "deny")],
        [("deny_without_effect", 1)],
    ),
    "a deny on another service": (
        [rule("a/**", PULL, "allow", A), rule("a/x", PULL, "deny", B)],
        [("deny_without_effect", 1)],
    ),
    "a deny that meets": ([rule("a/*/c", PULL), rule("*/b/*", PULL, "deny")], []),
    "a deny without any allow": ([rule("a", PULL, "deny")], [("deny_without_effect", 0)]),
    "push everywhere": ([rule("**", BOTH)], [("too_wide", 0)]),
    "everything everywhere": ([rule("*/**", ALL)], [("too_wide", 0)]),
    "delete at the top": ([rule("**/app", ["pull", "delete"])], [("too_wide", 0)]),
    "pull everywhere": ([rule("**", PULL)], []),
    "deny push everywhere": ([rule("a", BOTH), rule("**", PUSH, "deny")], []),
    "the catalog": ([CATALOG], []),
    "a service that is not configured": (
        [rule("a", PULL, "allow", A, "c.example.com")],
        [("service_not_configured", 0)],
    ),
}


@pytest.mark.parametrize(("rules", "expected"), CASES.values(), ids=CASES)
def test_finds(rules, expected):
    found = lint([{"name": "gold", "rules": rules}], KNOWN)
    # Equal rules have equal texts: compare by their texts.
    texts = [_text(rule) for rule in rules]
    assert [(finding.code, finding.rule) for finding in found] == [
        (code, texts[index]) for code, index in expected
    ]
    assert all(finding.plan == "gold" and finding.message for finding in found)


def _text(entry):
    return str(rule_of(entry))


def test_the_table_reaches_every_check():
    reached = {code for _, expected in CASES.values() for code, _ in expected}
    assert reached == {code for code, _ in CHECKS} | {"service_not_configured"}


def test_the_message_names_the_other_rule_and_the_services():
    rules = [rule("a/b", PULL), rule("a/**", BOTH, "allow", "c.example.com"), rule("a/*", PULL)]
    messages = [finding.message for finding in lint([{"name": "p", "rules": rules}], KNOWN)]
    assert messages == [
        "changes nothing beside allow pull on a/*; delete it",
        "c.example.com is not a configured service; these are: a.example.com, b.example.com",
    ]


segments = st.one_of(st.text("ab*", min_size=1, max_size=3), st.just("**"))
patterns = st.lists(
    segments.filter(lambda text: text == "**" or "**" not in text), min_size=1, max_size=4
).map("/".join)
names = st.lists(st.text("ab", min_size=1, max_size=3), min_size=1, max_size=5).map("/".join)


@given(patterns, patterns, st.lists(names, max_size=20))
def test_a_pattern_that_covers_another_matches_all_that_it_matches(outer, inner, names):
    if covers(outer, inner):
        for name in names:
            if compile_pattern(inner).fullmatch(name):
                assert compile_pattern(outer).fullmatch(name)


@given(patterns, patterns, st.lists(names, max_size=20))
def test_a_name_matched_by_both_is_an_intersection(one, other, names):
    if not intersects(one, other):
        for name in names:
            assert not (
                compile_pattern(one).fullmatch(name) and compile_pattern(other).fullmatch(name)
            )


@given(patterns, names)
def test_relations_to_a_plain_name_are_exact(pattern, name):
    is_match = compile_pattern(pattern).fullmatch(name) is not None
    assert covers(pattern, name) == intersects(pattern, name) == is_match
    assert covers(pattern, pattern)


COVERS = {
    ("a/**", "a/*"): True,
    ("a/**", "a/**/b"): True,
    ("**", "a/b"): True,
    ("**", "*/**"): True,
    ("a/*", "a/**"): False,
    ("a*", "ab*"): True,
    ("ab*", "a*"): False,
    ("*", "**"): False,
    ("a/**", "a"): False,
}


@pytest.mark.parametrize(("pair", "expected"), COVERS.items(), ids=map(str, COVERS))
def test_covers(pair, expected):
    assert covers(*pair) == expected


def row(plan, age):
    created_at = timezone.now() - age
    id = uuid7(created_at)
    Issuance.objects.create(
        id=id,
        created_at=created_at,
        subject="alice",
        plan=plan,
        service=A,
        requested=[],
        granted=[],
        refusal="nothing_granted",
        catalogue_revision=1,
    )


MONTH, DAY = timedelta(days=31), timedelta(days=1)
ROWS = {
    "an empty log": ([], set()),
    "a young log": ([("other", DAY)], set()),
    "an old row of another plan": ([("other", MONTH)], {"community", "enterprise"}),
    "an old row": ([("community", MONTH)], {"community", "enterprise"}),
    "a new row": ([("community", MONTH), ("community", DAY)], {"enterprise"}),
}


@pytest.mark.parametrize(("rows", "unused"), ROWS.values(), ids=ROWS)
@pytest.mark.usefixtures("catalogue")
def test_finds_plans_that_nobody_has_carried_for_30_days(rows, unused):
    CatalogueRevision.objects.filter(number=1).update(created_at=timezone.now() - MONTH)
    Plan.objects.create(name="new")
    for plan, age in rows:
        row(plan, age)
    assert {f.plan for f in findings() if f.code == "plan_not_carried"} == unused


@pytest.mark.usefixtures("catalogue")
def test_says_nothing_of_a_plan_that_is_disabled_or_new():
    row("other", MONTH)
    assert known_facts().unused_plans == frozenset()
    CatalogueRevision.objects.filter(number=1).update(created_at=timezone.now() - MONTH)
    for plan in Plan.objects.filter(name="community"):
        plan.enabled = False
        plan.save()
    assert known_facts().unused_plans == {"enterprise"}


@pytest.mark.usefixtures("catalogue")
def test_findings_are_kept_until_the_catalogue_changes(django_assert_num_queries):
    assert findings() == []
    with django_assert_num_queries(1):
        findings()
    Plan.objects.get(name="community").rules.create(pattern="**", actions=["pull", "push"])
    assert [finding.code for finding in findings()] == ["shadowed_rule", "too_wide"]


def lint_catalogue(*options):
    """The exit status and what is printed."""
    out = StringIO()
    try:
        call_command("lint_catalogue", *map(str, options), stdout=out)
    except SystemExit as exit:
        return exit.code, out.getvalue()
    return 0, out.getvalue()


WIDE = 'plans: [{name: wide, rules: [{repositories: "**", actions: [pull, push]}]}]'


@pytest.mark.usefixtures("catalogue")
def test_the_command_lints_the_database():
    assert lint_catalogue() == (0, "nothing found\n")
    Plan.objects.get(name="community").rules.create(pattern="a", actions=["push"])
    status, said = lint_catalogue()
    assert status == 1
    assert said.startswith("plan community: allow push on a: clients that push also ask to pull")
    assert said.endswith(" (push_without_pull)\n")


@pytest.mark.django_db
def test_the_command_lints_a_file(tmp_path):
    assert lint_catalogue(EXAMPLE)[0] == 0
    file = tmp_path / "catalogue.yaml"
    file.write_text(WIDE)
    status, said = lint_catalogue(file, "--json")
    assert status == 1
    (found,) = json.loads(said)
    assert (found["code"], found["plan"]) == ("too_wide", "wide")
    assert found["rule"] == "allow pull, push on **"
    assert not Plan.objects.exists()


@pytest.mark.django_db
def test_the_command_says_what_is_wrong_with_a_file(tmp_path):
    file = tmp_path / "catalogue.yaml"
    file.write_text("plans: [{}]")
    with pytest.raises(CommandError, match=r"plans\[0\]\.name: is missing") as caught:
        call_command("lint_catalogue", file)
    assert caught.value.returncode == 2


@pytest.mark.django_db
@pytest.mark.parametrize("loaded", [False, True])
def test_the_check_of_a_file_warns_and_keeps_its_status(tmp_path, loaded):
    file = tmp_path / "catalogue.yaml"
    file.write_text(WIDE)
    if loaded:
        call_command("load_catalogue", file, stdout=StringIO())
    out, err = StringIO(), StringIO()
    try:
        call_command("load_catalogue", file, "--check", stdout=out, stderr=err)
        assert loaded
    except SystemExit as exit:
        assert (exit.code, loaded) == (1, False)
    assert err.getvalue().startswith("warning: plan wide: allow pull, push on **: ")
    assert "too_wide" not in out.getvalue()


def test_ends_in_time_and_says_so_however_many_rules_there_are():
    """Each is held against all others: a page of the admin must not wait for that."""
    deep = "/".join(["**", "a*b*c*"] * 20)
    rules = [
        {"repositories": f"{deep}/x{n}", "actions": ["pull"], "effect": ("allow", "deny")[n % 2]}
        for n in range(2000)
    ]
    plans = [{"name": name, "rules": rules} for name in ("gold", "silver")]
    began = time.monotonic()
    found = lint(plans, KNOWN, max_seconds=0.2)
    assert time.monotonic() - began < 5
    assert [finding.code for finding in found].count("not_finished") == 1
    assert found[-1].code == "not_finished"
