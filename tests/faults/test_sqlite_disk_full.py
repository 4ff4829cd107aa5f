"""The disk is full: no token without its row, 503 until there is space again."""

from __future__ import annotations

import contextlib
import sqlite3
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.faults.load import Load, check_rows
from tests.faults.sqlite_disk import fill, small_disk
from tests.service import Service


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    with small_disk(tmp_path / "disk", 8) as disk:
        yield disk


def test_a_full_disk_is_503_until_there_is_space_again(disk, tmp_path):
    url = f"sqlite:///{disk}/service.sqlite3"
    with Service(tmp_path, {"REGISTRY_TOKEN_DATABASE_URL": url}) as service:
        with Load(service, clients=8, rate=200) as load:
            load.wait_good(40)
            ballast = fill(disk)
            # What the log of the database had once taken may be overwritten for a while.
            while len(load.failures()) < 200:
                load.wait(10)
                fill(disk)
            refused = time.monotonic()
            time.sleep(1)
            freed = time.monotonic()
            ballast.unlink()
            assert load.wait_good(100) < 3
            recovered = time.monotonic()
            load.wait(100)
        assert {answer.status for answer in load.since(refused, freed - 0.2)} == {503}
        failures = load.failures()
        assert {(answer.status, answer.code) for answer in failures} == {(503, "UNAVAILABLE")}
        assert all(int(answer.retry_after) > 0 for answer in failures)
        assert max(answer.latency for answer in load.answers) < 2
        assert [answer for answer in load.since(recovered) if not answer.good] == []
        assert check_rows(load) == 0
    with contextlib.closing(sqlite3.connect(disk / "service.sqlite3")) as database:
        assert database.execute("PRAGMA integrity_check").fetchone() == ("ok",)


def test_a_full_disk_under_the_process_log_stops_nobody(disk, tmp_path):
    service = Service(tmp_path, {"WEB_CONCURRENCY": "1"})
    service.output = disk / "output.log"
    with service, Load(service, clients=4, rate=100) as load:
        load.wait_good(20)
        fill(disk)
        load.wait(100)
        (disk / "ballast").unlink()
        load.wait(20)
        assert load.failures() == []
        assert check_rows(load) == 0
