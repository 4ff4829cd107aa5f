"""What is one network to the throttle, and its one line in the log."""

from __future__ import annotations

import itertools
import logging

import pytest

from registry_token.throttle import FailureTable

NOW = 1_000.0  # seconds of the monotonic clock


@pytest.fixture
def fail():
    """A failed POST with a credential of its own, unless told otherwise."""
    table = FailureTable(sets=16)
    others = map(str, itertools.count())

    def fail(address, credential=None, *, after=0.0, method="POST", limit):
        credential = credential or next(others)
        return table.failed(address, credential, method=method, limit=limit, now=NOW + after)

    return fail


SAME = [
    ("203.0.113.0", "203.0.113.255"),
    ("203.0.113.9", "::ffff:203.0.113.10"),
    ("2001:db8:1:200::1", "2001:db8:1:2ff:ffff:ffff:ffff:ffff"),
    ("fe80::1", "fe80::2%eth0"),
    ("", "unix:/run/proxy.sock"),
    ("", "203.0.113.256"),
    ("", "203.0.113.9\r\nX: y\ud800"),
]
DIFFERENT = [
    ("203.0.113.9", "203.0.112.9"),
    ("::ffff:203.0.113.9", "::ffff:203.0.112.9"),
    ("2001:db8:1:200::1", "2001:db8:1:300::1"),
    ("2001:db8:1:200::1", "2001:db8:1:1ff::1"),
    ("0.0.0.0", ""),
    ("0.0.0.0", "::"),
]


@pytest.mark.parametrize(("one", "other"), SAME, ids=ascii)
def test_is_one_network(fail, one, other):
    assert fail(one, limit=1) == 0
    assert fail(other, limit=1) == 60


@pytest.mark.parametrize(("one", "other"), DIFFERENT, ids=ascii)
def test_is_another_network(fail, one, other):
    assert fail(one, limit=1) == 0
    assert fail(other, limit=1) == 0


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("203.0.113.9", "203.0.113.0/24"),
        ("::ffff:203.0.113.9", "203.0.113.0/24"),
        ("2001:db8:1:2ff::1", "2001:db8:1:200::/56"),
        ("fe80::1%eth0", "fe80::/56"),
        ("nonsense\n", "no address"),
    ],
    ids=ascii,
)
def test_one_line_in_the_log_names_the_network(fail, caplog, address, network):
    answers = [fail(address, after=number / 2, limit=3) for number in range(20)]
    (record,) = caplog.records
    assert (record.name, record.levelno) == ("registry_token.throttle", logging.WARNING)
    assert record.fields == {"network": network, "limit": 3, "seconds": answers[3]}
    assert record.getMessage() == (
        f"{network}: more than 3 failed authentications in a minute; more are 429 for 59 seconds"
    )


def test_each_network_and_window_has_its_line_in_the_log(fail, caplog):
    for second in (0, 30, 61):
        for address in ("203.0.113.9", "198.51.100.9"):
            for _ in range(10):
                fail(address, after=second, limit=3)
    assert len(caplog.records) == 4


def test_the_get_of_a_throttled_post_has_no_line_of_its_own(fail, caplog):
    for credential, answer in (("a", 0), ("b", 60)):
        for method in ("POST", "GET"):
            assert fail("203.0.113.9", credential, method=method, limit=1) == answer
    assert len(caplog.records) == 1
