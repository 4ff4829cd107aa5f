"""The table of failed authentications: fixed size, any bytes, shared by processes, no secrets."""

from __future__ import annotations

import subprocess
import sys

from hypothesis import given
from hypothesis import strategies as st

from registry_token.config_values import BASE_DIR
from registry_token.throttle import FailureTable

NOW = 1_000.0
MEBIBYTE = 2**20


def fail(table, address, *, after=0.0, credential="x", method="GET", limit=1):
    return table.failed(address, credential, method=method, limit=limit, now=NOW + after)


def addresses(number):
    return [f"{i >> 16 & 255}.{i >> 8 & 255}.{i & 255}.1" for i in range(number)]


def test_many_networks_take_no_more_memory():
    table = FailureTable()
    assert len(table.memory) == MEBIBYTE
    for address in addresses(100_000):
        assert fail(table, address) == 0
    assert len(table.memory) == MEBIBYTE
    assert fail(table, addresses(100_000)[-1]) == 60


def test_a_new_network_takes_the_place_of_the_oldest_window():
    table = FailureTable(sets=1)
    first, second, third, fourth, fifth = addresses(5)
    for age, address in enumerate([third, first, fourth, second]):
        fail(table, address, after=age)
    fail(table, fifth, after=4)
    kept = [address for address in (first, second, fourth, fifth) if fail(table, address, after=5)]
    assert kept == [first, second, fourth, fifth]
    assert fail(table, third, after=5) == 0


def test_a_window_that_is_over_gives_way_before_one_that_is_not():
    table = FailureTable(sets=1)
    over, *others, new = addresses(5)
    fail(table, over)
    for address in others:
        fail(table, address, after=30)
    fail(table, new, after=60)
    assert [fail(table, address, after=60) for address in others] == [30, 30, 30]


def test_nobody_can_know_which_networks_share_a_set():
    tables = [FailureTable() for _ in range(20)]
    for table in tables:
        fail(table, "203.0.113.9")
    unused = {len(table.memory) - len(table.memory[:].lstrip(b"\0")) for table in tables}
    assert len(unused) > 15


def test_neither_credential_nor_address_is_stored_or_shown():
    table = FailureTable(sets=1)
    fail(table, "2001:db8:1:2ff::1", credential="a very secret token", method="POST")
    stored = table.memory[:]
    assert any(stored)
    assert b"secret" not in stored
    assert bytes.fromhex("20010db8") not in stored
    assert "secret" not in repr(vars(table))


@given(st.binary(min_size=128, max_size=128), st.booleans())
def test_any_bytes_in_the_table_do_no_lasting_harm(garbage, ours):
    table = FailureTable(sets=1)
    fail(table, "203.0.113.9", method="POST")
    own = table.memory[:8]
    table.memory[:128] = own + garbage[8:] if ours else garbage
    for method in ("GET", "POST", "GET", "POST"):
        assert 0 <= fail(table, "203.0.113.9", method=method) <= 60
    assert fail(table, "203.0.113.9", after=60) == 0


@given(
    started=st.integers(999_000, 1_001_000),
    pair=st.integers(0, 2**64 - 1),
    failures=st.one_of(st.integers(0, 5), st.integers(2**32 - 3, 2**32 - 1)),
    paired=st.integers(0, 2**32 - 1),
)
def test_any_numbers_in_a_window_do_no_lasting_harm(started, pair, failures, paired):
    table = FailureTable(sets=1)
    fail(table, "203.0.113.9")
    numbers = [(started, 8), (pair, 8), (failures, 4), (paired, 4)]
    table.memory[8:32] = b"".join(n.to_bytes(size, sys.byteorder) for n, size in numbers)
    for method in ("GET", "POST", "GET", "POST"):
        assert 0 <= fail(table, "203.0.113.9", method=method) <= 60
    assert fail(table, "203.0.113.9", after=61) == 0


def run(program):
    """The output of a Python program of its own: forking is not for a process with threads."""
    command = [sys.executable, "-W", "error", "-c", program]
    done = subprocess.run(command, cwd=BASE_DIR, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    return done.stdout.split()


FORKED = """
import os
from registry_token import throttle

def fail(number):
    for _ in range(number):
        seconds = throttle.failed("203.0.113.9", "x", method="GET", limit=10)
    return seconds

def forked(number):
    child = os.fork()
    if child == 0:
        os._exit(fail(number))
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])

print(forked(5), forked(5), forked(1), forked(1), fail(1))
"""


def test_forked_processes_have_one_count():
    first, second, *throttled = map(int, run(FORKED))
    assert (first, second) == (0, 0)
    assert all(55 <= seconds <= 60 for seconds in throttled)


CROWDED = """
import os
from registry_token.throttle import FailureTable

table = FailureTable(sets=1)

def fail(number):
    network = number * 7 % 5
    method = "POST" if number % 3 else "GET"
    return table.failed(f"10.0.{network}.1", str(number % 11), method=method, limit=50)

children = []
for _ in range(4):
    children.append(os.fork())
    if children[-1] == 0:
        os._exit(not all(0 <= fail(number) <= 60 for number in range(5000)))
print(*(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children))
"""


def test_processes_that_write_at_once_do_no_harm():
    assert run(CROWDED) == ["0"] * 4


def test_the_process_that_forks_loads_nothing_of_django():
    program = "import sys, registry_token.throttle; print(*sys.modules)"
    assert not {"django", "rest_framework", "jwt"} & set(run(program))
