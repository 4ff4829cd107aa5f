"""The catalogue file: everything that is wrong with it, each with its path in the file."""

from __future__ import annotations

import pytest

from registry_token.catalogue_file import read_catalogue
from registry_token.config_values import BASE_DIR


@pytest.fixture
def problems(tmp_path):
    """What is wrong with a file of `text`."""

    def read(text):
        (tmp_path / "catalogue.yaml").write_text(text, encoding="utf-8")
        return read_catalogue(tmp_path / "catalogue.yaml")[1]

    return read


def plan(members):
    return f"plans: [{{name: a, {members}}}]"


def rule(members):
    return plan(f"rules: [{{{members}}}]")


WRONG = {
    # Unknown keys at each level
    "planss: []": ("planss", "unknown key; known are plans, revoked_licences"),
    plan("licence: true"): ("plans[0].licence", "unknown key; known are name, "),
    rule("repositories: a, actions: [pull], type: b"): ("plans[0].rules[0].type", "unknown key"),
    "revoked_licences: [{licence: a, why: b}]": ("revoked_licences[0].why", "unknown key"),
    # Wrong types
    "plans: {}": ("plans", "{} must be a list"),
    "plans: [community]": ("plans[0]", "must be a mapping"),
    "revoked_licences: [LIC-1]": ("revoked_licences[0]", "must be a mapping"),
    "revoked_licences: [{licence: 0123}]": ("revoked_licences[0].licence", "put it in quotes"),
    "revoked_licences: [{licence: a, reason: no}]": ("revoked_licences[0].reason", "quotes"),
    "plans: [{name: no}]": ("plans[0].name", "False must be text; put it in quotes"),
    "plans: [{name: 1.5}]": ("plans[0].name", "1.5 must be text"),
    "plans: [{name: 2026-11-23}]": ("plans[0].name", "must be text"),
    plan("description: 1"): ("plans[0].description", "must be text"),
    plan("description: "): ("plans[0].description", "must be text"),
    plan("enabled: 1"): ("plans[0].enabled", "1 must be true or false"),
    plan("licence_required: 'yes'"): ("plans[0].licence_required", "must be true or false"),
    plan("rules: a"): ("plans[0].rules", "'a' must be a list"),
    plan("rules: [a]"): ("plans[0].rules[0]", "must be a mapping"),
    rule("repositories: 1, actions: [pull]"): ("plans[0].rules[0].repositories", "must be text"),
    rule("repositories: a, actions: pull"): ("plans[0].rules[0].actions", "must be a list"),
    rule("repositories: a, actions: [1]"): ("plans[0].rules[0].actions", "must be a list of one"),
    rule("repositories: a, actions: [pull], services: a"): ("plans[0].rules[0].services", "a list"),
    rule("repositories: a, actions: [pull], services: [1]"): (
        "plans[0].rules[0].services",
        "must be a list of service names",
    ),
    # Missing
    "plans: [{description: a}]": ("plans[0].name", "is missing"),
    "revoked_licences: [{reason: a}]": ("revoked_licences[0].licence", "is missing"),
    rule("repositories: a"): ("plans[0].rules[0].actions", "is missing"),
    rule("actions: [pull]"): ("plans[0].rules[0]", "needs either repositories or registry"),
    # Wrong values
    "plans: [{name: ''}]": ("plans[0].name", "This field cannot be blank."),
    "plans: [{name: a b}]": ("plans[0].name", "must consist of letters, digits and"),
    "plans: [{name: 'a\n'}]": ("plans[0].name", "must consist of letters, digits and"),
    f"plans: [{{name: {'a' * 101}}}]": ("plans[0].name", "at most 100 characters"),
    plan(f"description: {'a' * 501}"): ("plans[0].description", "at most 500 characters"),
    plan('description: "a\\0b"'): ("plans[0].description", ""),
    plan('description: "a\\uD800b"'): ("plans[0].description", ""),
    rule("repositories: /a, actions: [pull]"): ("plans[0].rules[0].repositories", "empty part"),
    rule("repositories: '', actions: [pull]"): ("plans[0].rules[0].repositories", "is empty"),
    rule("repositories: a/**b, actions: [pull]"): ("plans[0].rules[0].repositories", "alone"),
    rule("repositories: A/b/C, actions: [pull]"): ("plans[0].rules[0].repositories", "never"),
    rule("repositories: a, actions: []"): ("plans[0].rules[0].actions", "one or more of"),
    rule("repositories: a, actions: [pul]"): ("plans[0].rules[0].actions", "pul: unknown; known"),
    rule("repositories: a, actions: [PULL]"): ("plans[0].rules[0].actions", "PULL: unknown"),
    rule("repositories: a, actions: [pull], effect: Deny"): (
        "plans[0].rules[0].effect",
        "must be allow or deny",
    ),
    rule("repositories: a, actions: [pull], services: ['']"): (
        "plans[0].rules[0].services",
        "must be a list of service names",
    ),
    rule("repositories: a, actions: [pull], services: [' a']"): (
        "plans[0].rules[0].services",
        "must be a list of service names",
    ),
    rule('repositories: a, actions: [pull], services: ["a\\0"]'): (
        "plans[0].rules[0].services",
        "must be a list of service names",
    ),
    rule("registry: catalog, actions: [pull]"): ("plans[0].rules[0].actions", "must be ['*']"),
    rule("registry: catalog, actions: ['*', pull]"): ("plans[0].rules[0].actions", "['*']"),
    rule("registry: _catalog, actions: ['*']"): ("plans[0].rules[0].registry", "'catalog'"),
    rule("registry: catalog, repositories: a, actions: ['*']"): (
        "plans[0].rules[0]",
        "needs either repositories or registry, and not both",
    ),
    "revoked_licences: [{licence: ' '}]": ("revoked_licences[0].licence", "licence id such as"),
    'revoked_licences: [{licence: "a\\u200bb"}]': ("revoked_licences[0].licence", "such as"),
    f"revoked_licences: [{{licence: {'a' * 256}}}]": ("revoked_licences[0].licence", "255"),
    f"revoked_licences: [{{licence: {chr(0xFDFA) * 100}}}]": ("revoked_licences[0].licence", ""),
    'revoked_licences: [{licence: a, reason: "a\\0b"}]': ("revoked_licences[0].reason", ""),
    # Twice
    "plans: [{name: a}, {name: b}, {name: a}]": ("plans[2].name", "a stands twice"),
    "revoked_licences: [{licence: LIC-1}, {licence: ' lic-1'}]": (
        "revoked_licences[1].licence",
        "lic-1 stands twice",
    ),
    "revoked_licences: [{licence: LIC-1}, {licence: ＬＩＣ-1}]": (
        "revoked_licences[1].licence",
        "stands twice",
    ),
}


@pytest.mark.parametrize("text", WRONG, ids=lambda text: ascii(text[:60]))
def test_says_what_is_wrong_and_where(problems, text):
    path, message = WRONG[text]
    (problem,) = problems(text)
    assert problem.startswith(f"{path}: ")
    assert message in problem


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("plans: []\nplans: []", "line 2: the key 'plans' stands twice"),
        ("plans:\n  - name: a\n    name: b", "line 3: the key 'name' stands twice"),
        ("plans: &a []\nrevoked_licences: *a", "line 2: aliases"),
        ("plans: [", "is not valid YAML"),
        ("- a", "must hold a mapping"),
    ],
    ids=["key at the top", "key of a plan", "alias", "no YAML", "no mapping"],
)
def test_says_what_is_wrong_with_the_file(problems, text, error):
    (problem,) = problems(text)
    assert error in problem


def test_says_that_there_is_no_file(tmp_path):
    path = tmp_path / "missing.yaml"
    assert read_catalogue(path)[1] == [f"{path} does not exist"]


@pytest.mark.parametrize(
    "text",
    [
        "plans: [{description: a}, {description: b}]",
        "revoked_licences: [{licence: 0123}, {licence: 0456}]",
    ],
    ids=["plans", "licences"],
)
def test_what_has_no_name_does_not_stand_twice(problems, text):
    found = problems(text)
    assert len(found) == 2
    assert not any("twice" in problem for problem in found)


def test_says_all_at_once(problems):
    text = """
plans:
  - {name: a b, enabled: maybe}
  - name: c
    rules:
      - {repositories: /, actions: [pull, pusch], efect: deny}
      - {actions: [pull]}
revoked_licences: [{licence: 1}]
nonsense: 1
"""
    assert [problem.partition(": ")[0] for problem in sorted(problems(text))] == [
        "nonsense",
        "plans[0].enabled",
        "plans[0].name",
        "plans[1].rules[0].actions",
        "plans[1].rules[0].efect",
        "plans[1].rules[0].repositories",
        "plans[1].rules[1]",
        "revoked_licences[0].licence",
    ]


def test_the_example_is_right():
    file, found = read_catalogue(BASE_DIR / "etc" / "catalogue.example.yaml")
    assert found == []
    assert [plan.name for plan, _ in file.plans] == ["community", "enterprise"]


@pytest.mark.parametrize("text", ["", "plans: []", "revoked_licences: []"])
def test_an_empty_catalogue_is_right(problems, text):
    assert problems(text) == []
