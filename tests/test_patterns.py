"""Repository names and patterns: a table, and a second implementation that must agree."""

from __future__ import annotations

import time

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from plans.pattern_errors import pattern_error
from plans.patterns import compile_pattern, is_repository_name

MATCHES = {
    "a/b": ["a/b"],
    "a/*": ["a/b", "a/b-c.d"],
    "a/**": ["a/b", "a/b/c"],
    "**": ["a", "a/b/c"],
    "*": ["a"],
    "**/app": ["app", "x/app", "x/y/app"],
    "a/**/z": ["a/z", "a/b/z", "a/b/c/z"],
    "a/**/m/**/z": ["a/m/z", "a/b/m/c/z", "a/m/m/z"],
    "team-*/app": ["team-a/app", "team-a-b/app"],
    "*-app": ["my-app"],
    "a*b*c": ["abc", "axbxc", "abbc"],
    "host.example:5000/**": ["host.example:5000/a", "host.example:5000/a/b"],
    "**/**": ["a", "a/b"],
}
DOES_NOT_MATCH = {
    "a/b": ["a/bc", "xa/b", "a/b/c", "a", "A/b"],
    "a/*": ["a", "a/b/c", "b/a"],
    "a/**": ["a", "ab/c", "x/a/b"],
    "*": ["a/b"],
    "**/app": ["xapp", "app/x", "x/yapp"],
    "a/**/z": ["az", "a/bz", "z"],
    "team-*/app": ["team/app", "team-a/b/app"],
    "a.b": ["axb"],
    "a/**/m/**/z": ["a/z", "a/m", "a/b/z"],
}


@pytest.mark.parametrize(("pattern", "names"), MATCHES.items(), ids=MATCHES)
def test_pattern_matches(pattern, names):
    assert pattern_error(pattern) is None
    assert [name for name in names if not compile_pattern(pattern).fullmatch(name)] == []


@pytest.mark.parametrize(("pattern", "names"), DOES_NOT_MATCH.items(), ids=DOES_NOT_MATCH)
def test_pattern_does_not_match(pattern, names):
    assert [name for name in names if compile_pattern(pattern).fullmatch(name)] == []


def _matches(pattern: list[str], name: list[str]) -> bool:
    """The semantics in the fewest words, as slow as it likes."""
    if not pattern:
        return not name
    head, *rest = pattern
    if head == "**":
        if not rest:
            return bool(name)
        return any(_matches(rest, name[skipped:]) for skipped in range(len(name) + 1))
    return bool(name) and _segment_matches(head, name[0]) and _matches(rest, name[1:])


def _segment_matches(pattern: str, segment: str) -> bool:
    if not pattern:
        return not segment
    if pattern[0] == "*":
        return any(_segment_matches(pattern[1:], segment[k:]) for k in range(len(segment) + 1))
    return segment[:1] == pattern[0] and _segment_matches(pattern[1:], segment[1:])


segments = st.text("ab*", min_size=1, max_size=5).filter(lambda text: "**" not in text)
patterns = st.lists(st.one_of(segments, st.just("**")), min_size=1, max_size=5)
names = st.lists(st.text("ab", min_size=1, max_size=4), min_size=1, max_size=6)


@given(patterns, names)
@example(["a*b", "**", "*"], ["ab", "a"])
def test_agrees_with_a_second_implementation(pattern, name):
    assert pattern_error("/".join(pattern)) is None
    compiled = compile_pattern("/".join(pattern))
    assert bool(compiled.fullmatch("/".join(name))) == _matches(pattern, name)


@pytest.mark.parametrize(
    ("pattern", "name"),
    [
        ("/".join(["**", "a"] * 60), "/".join("a" * 127)),
        ("*a" * 100, "a" * 255),
        ("/".join(["**", "*a*"] * 40) + "/**/z", "/".join("a" * 127)),
    ],
    ids=["segments", "stars", "both"],
)
def test_no_pattern_takes_long(pattern, name):
    compiled = compile_pattern(pattern)
    start = time.process_time()
    compiled.fullmatch(name)
    assert time.process_time() - start < 0.2


WRONG = {
    "": "is empty",
    "/a": "empty part",
    "a//b": "empty part",
    "a/": "empty part",
    "a**": "alone between slashes",
    "a/***": "alone between slashes",
    "a/B": "can never match",
    "a/..": "can never match",
    "a b": "can never match",
    "-a": "can never match",
    "a/b\n": "can never match",
    "a___b": "can never match",
    "ä": "can never match",
    "a" * 256: "longer than 255",
    "*/" * 16 + "a*": "has 17 wildcards; 16 are the most",
    "**/a/" * 16 + "*": "has 17 wildcards; 16 are the most",
}


@pytest.mark.parametrize("pattern", ["*/" * 15 + "a*", "**/a/" * 15 + "**", "a*b" * 16])
def test_takes_sixteen_wildcards(pattern):
    assert pattern_error(pattern) is None


@pytest.mark.parametrize(("pattern", "message"), WRONG.items(), ids=map(repr, WRONG))
def test_says_what_is_wrong_with_a_pattern(pattern, message):
    assert message in (pattern_error(pattern) or "nothing")


# Distribution, docs/content/spec/auth/scope.md, and the limit of reference names.
NAMES = ["a", "a/b", "a__b", "a--b", "a---b/c.d_e", "host.example:5000/a/b", "A/b", "Host/a"]
NO_NAMES = ["", "a/B", "a___b", "a..b", "a.-b", "-a", "a/", "/a", "a//b", "../x", "a/./b", "a%2Fb"]
NO_NAMES += ["а/b", "a\n", "a\0", "a b", "a:5000", "a/b:pull", "A", "a" * 256]


@pytest.mark.parametrize("name", NAMES)
def test_takes_repository_names(name):
    assert is_repository_name(name)


@pytest.mark.parametrize("name", NO_NAMES, ids=ascii)
def test_takes_nothing_else_for_a_repository_name(name):
    assert not is_repository_name(name)
