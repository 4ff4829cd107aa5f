"""dump_catalogue: a deterministic file, from which load_catalogue makes the same catalogue."""

from __future__ import annotations

import tempfile
from io import StringIO
from pathlib import Path

import pytest
import yaml
from django.core.management import call_command
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from licences.models import normalised
from plans.models import CatalogueRevision, Plan, PlanRule
from tests.conftest import EXAMPLE


def dump():
    out = StringIO()
    call_command("dump_catalogue", stdout=out)
    return out.getvalue()


def load(text, *options):
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "catalogue.yaml"
        path.write_text(text, encoding="utf-8")
        out = StringIO()
        call_command("load_catalogue", str(path), *options, stdout=out)
    return out.getvalue()


class _Plain(yaml.SafeDumper):
    """Writes equal lists out, where the library would use an alias."""

    def ignore_aliases(self, data):
        return True


def as_file(document):
    return yaml.dump(document, Dumper=_Plain, allow_unicode=True)


def unordered(document):
    """The catalogue of a file as a value that does not depend on order or on spelt defaults."""
    plans = {
        plan["name"]: (
            plan.get("description", ""),
            plan.get("enabled", True),
            plan.get("licence_required", False),
            [_rule(rule) for rule in plan.get("rules", [])],
        )
        for plan in document.get("plans", [])
    }
    licences = {
        (revoked["licence"].strip(), revoked.get("reason", ""))
        for revoked in document.get("revoked_licences", [])
    }
    return plans, licences


def _rule(rule):
    return (
        rule.get("registry"),
        rule.get("repositories"),
        frozenset(rule["actions"]),
        rule.get("effect", "allow"),
        rule.get("services", []),
    )


@pytest.mark.django_db
def test_the_example_comes_out_as_it_went_in():
    load(EXAMPLE.read_text())
    assert yaml.safe_load(dump()) == yaml.safe_load(EXAMPLE.read_text())


@pytest.mark.django_db
def test_reads_like_a_file_that_a_person_has_written():
    plan = Plan.objects.create(name="team", description="für alle", licence_required=True)
    PlanRule.objects.create(plan=plan, pattern="a/**", actions=["pull"], effect="deny")
    assert (
        dump()
        == """\
plans:
- name: team
  description: für alle
  licence_required: true
  rules:
  - repositories: a/**
    actions:
    - pull
    effect: deny
revoked_licences: []
"""
    )


@pytest.mark.django_db
def test_is_deterministic_whatever_the_order_of_writing():
    texts = [
        "plans: [{name: b}, {name: a}]\nrevoked_licences: [{licence: Y}, {licence: X}]",
        "plans: [{name: a}, {name: b}]\nrevoked_licences: [{licence: X}, {licence: Y}]",
    ]
    dumps = []
    for text in texts:
        load("plans: []", "--prune")
        load(text)
        dumps.append(dump())
    assert dumps[0] == dumps[1]
    assert dumps[0].index("name: a") < dumps[0].index("name: b")


@pytest.mark.django_db
def test_an_empty_catalogue_is_a_file_too():
    assert load(dump(), "--prune") == "nothing to change\n"


@pytest.mark.django_db
def test_what_a_shell_has_written_comes_back_unchanged():
    plan = Plan.objects.create(name="a", enabled=False)
    services = ["a", "b"]
    for pattern in ("x/**", "y"):
        PlanRule.objects.create(plan=plan, pattern=pattern, actions=["pull"], services=services)
    assert "*id" not in dump()
    assert load(dump(), "--prune") == "nothing to change\n"


# Printable text of any script, and what YAML may take for something else.
texts = st.text(max_size=20).filter(str.isprintable) | st.sampled_from(
    ["no", "0123", "~", "a: b", "# a", "- a", "'", '"', "1.5", "{", "&a", "*a"]
)
names = st.from_regex(r"[A-Za-z0-9]([A-Za-z0-9._:-]{0,8}[A-Za-z0-9])?", fullmatch=True)
segments = st.sampled_from(["acme", "a-b", "a__b", "*", "a*", "**", "0", "no"])
patterns = st.lists(segments, min_size=1, max_size=4).map("/".join)
actions = st.lists(st.sampled_from(["pull", "push", "delete", "*"]), min_size=1, unique=True)
services = st.lists(st.sampled_from(["r.example.com", "registry:5000", "no", "12"]), max_size=2)
effects = st.sampled_from(["allow", "deny"])
rules = st.fixed_dictionaries(
    {"repositories": patterns, "actions": actions},
    optional={"effect": effects, "services": services},
) | st.fixed_dictionaries({"registry": st.just("catalog"), "actions": st.just(["*"])})
plans = st.fixed_dictionaries(
    {"name": names},
    optional={
        "description": texts,
        "enabled": st.booleans(),
        "licence_required": st.booleans(),
        "rules": st.lists(rules, max_size=3),
    },
)
licences = st.fixed_dictionaries(
    {"licence": texts.filter(lambda text: normalised(text) and text.strip().isprintable())},
    optional={"reason": texts},
)
catalogues = st.fixed_dictionaries(
    {},
    optional={
        "plans": st.lists(plans, max_size=3, unique_by=lambda plan: plan["name"]),
        "revoked_licences": st.lists(
            licences, max_size=3, unique_by=lambda revoked: normalised(revoked["licence"])
        ),
    },
)


class DumpedCatalogues(TestCase):
    """A TestCase, so that each generated catalogue gets a transaction of its own."""

    @settings(max_examples=40, deadline=None, derandomize=True)
    @given(first=catalogues, second=catalogues.filter(bool))
    def test_a_dump_holds_what_was_loaded_and_loading_it_changes_nothing(self, first, second):
        load(as_file(first))
        load(as_file(second), "--prune")  # from any catalogue to any other
        text = dump()
        assert unordered(yaml.safe_load(text)) == unordered(second)
        number = CatalogueRevision.objects.latest("number").number
        assert load(text, "--prune") == "nothing to change\n"
        assert load(as_file(second), "--prune") == "nothing to change\n"
        assert dump() == text
        assert CatalogueRevision.objects.latest("number").number == number
