"""Scopes: Distribution, docs/content/spec/auth/scope.md, and what clients really send."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from registry_token.access import ResourceActions, format_scopes, parse_scope, parse_scopes

READ = {
    "repository:a/b:pull": ("repository", "a/b", {"pull"}),
    "repository:a/b:push,pull": ("repository", "a/b", {"pull", "push"}),
    "repository(plugin):a/b:pull": ("repository", "a/b", {"pull"}),
    "repository:host.example:5000/a/b:pull": ("repository", "host.example:5000/a/b", {"pull"}),
    "repository:a/b:pull,": ("repository", "a/b", {"pull"}),
    "repository:a/b:*": ("repository", "a/b", {"*"}),
    "registry:catalog:*": ("registry", "catalog", {"*"}),
    "repository::pull": ("repository", "", {"pull"}),
    "repository:a/b:pull:push": ("repository", "a/b:pull", {"push"}),
    "repository:a/b:Pull": ("repository", "a/b", {"Pull"}),
    "a/b": ("", "a/b", set()),
    "repository:a/b": ("", "repository:a/b", set()),
    "::": ("", "::", set()),
    ":a:pull": ("", ":a:pull", set()),
    "Repository:a:pull": ("", "Repository:a:pull", set()),
    "repository():a:pull": ("", "repository():a:pull", set()),
}


@pytest.mark.parametrize(("scope", "expected"), READ.items(), ids=READ)
def test_reads_a_scope(scope, expected):
    type_, name, actions = expected
    assert parse_scope(scope) == ResourceActions(type_, name, frozenset(actions))


def test_unites_scopes_of_one_resource_in_the_order_of_the_first():
    asked = parse_scopes(["repository:b:pull", "repository:a:pull", "repository:b:push,pull"])
    assert format_scopes(asked) == "repository:b:pull,push repository:a:pull"


def test_a_scope_without_actions_asks_for_nothing():
    assert parse_scopes(["repository:a/b:", "repository:a/b:,,"]) == ()


def test_what_does_not_parse_is_kept_as_asked():
    assert [str(asked) for asked in parse_scopes(["x", "repository:a:pull"])] == [
        "x",
        "repository:a:pull",
    ]


words = st.text("abcdefghijklmnopqrstuvwxyz", min_size=1, max_size=8)
resources = st.builds(
    ResourceActions,
    st.sampled_from(["repository", "registry"]),
    st.text(st.characters(exclude_characters=" ", exclude_categories=["Cs"]), max_size=20),
    st.frozensets(words, min_size=1),
)


@given(st.lists(resources, max_size=5, unique_by=lambda resource: (resource.type, resource.name)))
def test_what_is_written_is_read_back(access):
    assert parse_scopes(format_scopes(tuple(access)).split(" ") if access else []) == tuple(access)


@given(st.lists(st.text(max_size=40), max_size=10))
def test_reads_any_text_without_an_error(scopes):
    for asked in parse_scopes(scopes):
        assert asked.type or not asked.actions
