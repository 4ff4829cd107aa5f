"""Another process holds SQLite's write lock: quick 503s, and recovery by itself."""

from __future__ import annotations

import contextlib
import subprocess
import sys
import time
from collections.abc import Iterator

import pytest

from tests.faults.load import Load, check_rows
from tests.service import Service

CLIENTS = 40
WITHIN = 2.5  # seconds: two, and something for a busy machine

_HOLD = """
import sqlite3, sys
database = sqlite3.connect(sys.argv[1], isolation_level=None, timeout=60)
database.execute(f"BEGIN {sys.argv[2]}")
print("locked", flush=True)
sys.stdin.read()
database.execute("ROLLBACK")
"""


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    folder = tmp_path_factory.mktemp("locked")
    url = f"sqlite:///{folder}/service.sqlite3"
    with Service(folder, {"REGISTRY_TOKEN_DATABASE_URL": url}) as service:
        yield service


@contextlib.contextmanager
def locked(service: Service, kind: str) -> Iterator[None]:
    """The lock of a transaction of this kind, held by a process of its own."""
    path = service.environment["REGISTRY_TOKEN_DATABASE_URL"].removeprefix("sqlite:///")
    command = [sys.executable, "-c", _HOLD, path, kind]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as holder:
        assert holder.stdout is not None
        assert holder.stdin is not None
        assert holder.stdout.readline() == "locked\n"
        try:
            yield
        finally:
            holder.stdin.close()
            holder.wait(10)


@pytest.mark.parametrize(("kind", "seconds"), [("IMMEDIATE", 6), ("EXCLUSIVE", 4)])
def test_a_held_lock_is_503_within_two_seconds_and_recovers(kind, seconds, service):
    with Load(service, clients=CLIENTS, rate=200) as load:
        load.wait_good(CLIENTS * 2)
        with locked(service, kind):
            began = time.monotonic()
            time.sleep(seconds)
            ended = time.monotonic()
        assert load.wait_good(100) < 3
        recovered = time.monotonic()
        load.wait(200)
    assert max(answer.latency for answer in load.answers) < WITHIN
    during = load.since(began, ended - WITHIN)
    assert {(answer.status, answer.code) for answer in during} == {(503, "UNAVAILABLE")}
    assert len(during) >= CLIENTS / 2
    refused = load.failures()
    assert {answer.status for answer in refused} == {503}
    assert all(int(answer.retry_after) > 0 for answer in refused)
    assert [answer for answer in load.since(recovered) if not answer.good] == []
    assert check_rows(load) == 0


def test_a_lock_of_a_moment_is_not_noticed(service):
    with Load(service, clients=8, rate=100) as load:
        for _ in range(3):
            load.wait_good(20)
            with locked(service, "IMMEDIATE"):
                time.sleep(0.3)
        load.wait_good(20)
    assert load.failures() == []
    assert check_rows(load) == 0
