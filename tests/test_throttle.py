"""Counting failed authentications: the window, and pairs of POST and GET."""

from __future__ import annotations

import pytest

from registry_token.throttle import FailureTable

NOW = 1_000.0  # seconds of the monotonic clock
ADDRESS = "203.0.113.9"


@pytest.fixture
def table():
    return FailureTable(sets=16)


@pytest.fixture
def fail(table):
    """A failed GET with a credential of its own, unless told otherwise; the limit is 3."""
    count = 0

    def fail(address=ADDRESS, credential=None, *, after=0.0, method="GET", limit=3):
        nonlocal count
        count += 1
        credential = credential or f"credential {count}"
        return table.failed(address, credential, method=method, limit=limit, now=NOW + after)

    return fail


def test_the_failures_after_the_limit_are_throttled(fail):
    assert [fail() for _ in range(5)] == [0, 0, 0, 60, 60]


def test_nothing_is_throttled_without_a_limit(fail, table):
    assert [fail(limit=0) for _ in range(100)] == [0] * 100
    assert not any(table.memory[:])


@pytest.mark.parametrize(
    ("after", "retry_after"),
    [(0.001, 60), (1.0, 59), (17.25, 43), (59.0, 1), (59.999, 1), (60.0, 0), (3600.0, 0)],
)
def test_says_how_long_the_window_lasts(fail, after, retry_after):
    assert [fail() for _ in range(3)] == [0, 0, 0]
    assert fail(after=after) == retry_after


def test_everything_is_forgotten_when_the_window_is_over(fail):
    assert [fail(after=second) for second in (0, 50, 55, 59)] == [0, 0, 0, 1]
    assert [fail(after=second) for second in (60, 61, 62, 63)] == [0, 0, 0, 57]


def test_trying_again_does_not_make_the_window_longer(fail):
    assert [fail(after=second) for second in range(60)][3:] == list(range(57, 0, -1))
    assert fail(after=60) == 0


def test_a_post_repeated_as_get_counts_once(fail):
    for attempt in ("a", "b", "c"):
        assert fail(credential=attempt, method="POST") == 0
        assert fail(credential=attempt, method="GET", after=4.9) == 0
    assert fail(credential="d", method="POST", after=4.9) == 56
    assert fail(credential="d", method="GET", after=5.0) == 55


@pytest.mark.parametrize(
    "second",
    [
        pytest.param({"credential": "other"}, id="another credential"),
        pytest.param({"credential": "same", "after": 5.001}, id="too late"),
        pytest.param({"credential": "same", "method": "POST"}, id="a second POST"),
    ],
)
def test_counts_what_is_no_pair(fail, second):
    assert fail(credential="same", method="POST", limit=1) == 0
    assert fail(**second, limit=1) > 0


def test_a_pair_is_of_one_network(fail):
    assert fail(credential="same", method="POST", limit=1) == 0
    assert fail("198.51.100.9", credential="same", limit=1) == 0
    assert fail("198.51.100.9", limit=1) == 60


def test_one_post_is_paired_with_one_get(fail):
    assert fail(credential="same", method="POST", limit=2) == 0
    assert [fail(credential="same", limit=2) for _ in range(3)] == [0, 0, 60]


def test_two_gets_are_no_pair(fail):
    assert [fail(credential="same", limit=2) for _ in range(3)] == [0, 0, 60]


def test_a_pair_survives_the_failures_of_others_by_get(fail):
    assert fail(credential="same", method="POST", limit=2) == 0
    assert fail(credential="other", limit=2) == 0
    assert fail(credential="same", limit=2) == 0


@pytest.mark.parametrize(
    "credential", ["\0", "\ud800", "é" * 16_384], ids=["NUL", "surrogate", "long"]
)
def test_any_text_is_a_credential(fail, credential):
    assert [fail(credential=credential, method="POST", limit=1) for _ in range(2)] == [0, 60]


def test_no_pair_spans_two_windows(fail):
    assert fail(method="POST") == 0
    assert fail(credential="same", method="POST", after=59) == 0
    assert fail(credential="same", after=61, limit=1) == 0
    assert fail(after=61, limit=1) == 60
