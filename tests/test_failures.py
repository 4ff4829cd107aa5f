"""Failed authentications are counted: exactly, in few rows, and without a query on their way."""

from __future__ import annotations

import json
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
from django.db import Error, connection
from django.test.utils import CaptureQueriesContext

from issuances.counting import failures as stored
from issuances.counting.failures import OTHER, Cell, Count
from issuances.models import FailedAuthentications
from registry_token import failures
from registry_token.failures import Counts
from tests.conftest import basic
from tests.service import SERVICE, Service

pytestmark = pytest.mark.django_db

PULL = "repository:stella-ops/public/app:pull"
MINUTE = 29_000_000
AT = datetime.fromtimestamp(MINUTE * 60, UTC)


@pytest.fixture(autouse=True)
def _nothing_counted(monkeypatch):
    monkeypatch.setattr(failures, "_counts", Counts())


def rows():
    """What is stored: reason and network to failures and throttled ones."""
    failures.store()
    return {
        (row.reason, row.network): (row.failures, row.throttled)
        for row in FailedAuthentications.objects.all()
    }


def cells(number, *, count=1, first=0):
    """As many networks, each with `count` failures."""
    return {
        Cell(MINUTE, "invalid", f"10.{n >> 8}.{n & 255}.0/24"): Count(count, 0)
        for n in range(first, first + number)
    }


def total():
    return sum(row.failures for row in FailedAuthentications.objects.all())


def test_a_failure_is_counted_with_its_reason_and_network(get_token, authority):
    get_token("nonsense", PULL, REMOTE_ADDR="203.0.113.9")
    get_token("nonsense", PULL, REMOTE_ADDR="203.0.113.77")
    expired = authority.token("community", exp=int(time.time()) - 60)
    get_token(expired, PULL, REMOTE_ADDR="2001:db8:1:2ff::1")
    assert rows() == {
        ("invalid", "203.0.113.0/24"): (2, 0),
        ("expired", "2001:db8:1:200::/56"): (1, 0),
    }
    (minute,) = {row.minute for row in FailedAuthentications.objects.all()}
    assert timedelta() <= datetime.now(UTC) - minute < timedelta(minutes=2)


def test_neither_probes_nor_valid_callers_are_counted(get_token, authority, catalogue):
    get_token(None, PULL)
    assert get_token(authority.token("community"), PULL).status_code == 200
    assert get_token(authority.token("nonexistent"), PULL).status_code == 403
    assert rows() == {}


def test_an_unreadable_credential_is_counted(get_token):
    get_token(None, PULL, headers={"Authorization": basic("")}, REMOTE_ADDR="203.0.113.9")
    assert rows() == {("no_credentials", "203.0.113.0/24"): (1, 0)}


def test_those_answered_429_are_counted_and_told_apart(get_token, settings):
    settings.THROTTLE_FAILURES = 2
    answers = [get_token(f"no-{n}", PULL, REMOTE_ADDR="10.81.0.1").status_code for n in range(5)]
    assert answers == [401, 401, 429, 429, 429]
    assert rows() == {("invalid", "10.81.0.0/24"): (5, 3)}


def test_failures_at_the_api_are_counted(client):
    headers = {"Authorization": "Bearer nonsense"}
    client.get("/api/v1/simulate", headers=headers, REMOTE_ADDR="203.0.113.9")
    assert rows() == {("invalid", "203.0.113.0/24"): (1, 0)}


def test_a_failing_request_asks_the_database_nothing(get_token):
    with CaptureQueriesContext(connection) as queries:
        get_token("nonsense", PULL)
    assert len(queries) == 0


def test_counts_are_added_to_what_is_stored():
    one = Cell(MINUTE, "invalid", "10.0.0.0/24")
    for _ in range(3):
        stored.add({one: Count(2, 1), one._replace(reason="expired"): Count(1, 0)})
    assert rows() == {("invalid", "10.0.0.0/24"): (6, 3), ("expired", "10.0.0.0/24"): (3, 0)}


def test_a_minute_has_a_bounded_number_of_rows_and_the_exact_total():
    for number in range(10):
        stored.add(cells(150, first=150 * number))
    assert FailedAuthentications.objects.count() == stored.MOST + 1
    assert total() == 1500
    assert rows()["invalid", OTHER] == (1500 - stored.MOST, 0)


def test_those_with_the_most_failures_have_rows_of_their_own():
    stored.add(cells(200) | cells(3, count=50, first=1000))
    assert sum(row.failures == 50 for row in FailedAuthentications.objects.all()) == 3
    assert total() == 350


def test_a_network_keeps_its_row_when_the_minute_is_full():
    first = cells(stored.MOST)
    stored.add(first)
    stored.add(cells(stored.MOST, count=9, first=5000) | first)
    found = rows()
    assert found.pop(("invalid", OTHER)) == (9 * stored.MOST, 0)
    assert set(found.values()) == {(2, 0)}


def test_another_minute_has_rows_of_its_own():
    stored.add(cells(stored.MOST))
    stored.add({cell._replace(minute=MINUTE + 1): count for cell, count in cells(5).items()})
    assert FailedAuthentications.objects.count() == stored.MOST + 5


def test_memory_is_bounded_and_the_total_exact():
    counts = Counts()
    for number in range(5000):
        counts.note(f"network {number}", "invalid", False, MINUTE + number)
    assert len(counts._cells) <= 2 * failures.MOST + 1
    assert sum(failed for failed, _ in counts._cells.values()) == 5000


def test_what_cannot_be_stored_is_kept():
    counts = Counts()
    counts.note("10.0.0.0/24", "x" * 41 if connection.vendor == "postgresql" else None, False, 1)  # type: ignore[arg-type]
    with pytest.raises(Error):
        counts.store()
    assert sum(failed for failed, _ in counts._cells.values()) == 1
    assert not FailedAuthentications.objects.exists()


@pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite has one writer at a time")
@pytest.mark.django_db(transaction=True)
def test_processes_that_store_at_once_lose_nothing_and_stay_within_bounds():
    def store(number):
        try:
            stored.add(cells(80, first=40 * number))
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(store, range(8)))
    assert total() == 640
    assert FailedAuthentications.objects.exclude(network=OTHER).count() == stored.MOST


@pytest.mark.parametrize(
    ("length", "step", "times"),
    [(timedelta(hours=2), "minute", 3), (timedelta(days=3), "hour", 2), (timedelta(4), "day", 2)],
)
def test_a_summary_has_as_many_times_as_can_be_read(length, step, times):
    begin = datetime(2026, 3, 1, tzinfo=UTC)
    minutes = (0, 1, 119, *([1500] if step != "minute" else []))
    for minute in minutes:
        FailedAuthentications.objects.create(
            minute=begin + timedelta(minutes=minute),
            reason="expired",
            network="10.0.0.0/24",
            failures=2,
            throttled=1,
        )
    found = stored.summary(begin, begin + length)
    assert (found.step, found.failures, found.throttled) == (step, 2 * len(minutes), len(minutes))
    expected = {"minute": 3, "hour": 3, "day": 2}[step]
    assert len(found.times) == expected
    assert sum(one["failures"] for one in found.times) == found.failures


def test_the_service_stores_within_seconds_and_when_it_ends(tmp_path):
    """The service as shipped."""
    path = f"/token?service={SERVICE}&scope={PULL}"
    with Service(tmp_path, {"WEB_CONCURRENCY": "1"}) as service:

        def fail():
            return service.request("GET", path, headers={"Authorization": "Bearer nonsense"})[0]

        def found():
            done = service.manage("shell", "--no-imports", "-c", READ)
            return json.loads(done.stdout)

        assert [fail() for _ in range(7)] == [401] * 7
        deadline = time.monotonic() + 20
        while not found() and time.monotonic() < deadline:
            time.sleep(0.5)
        assert found() == {"invalid 127.0.0.0/24": 7}
        assert [fail() for _ in range(3)] == [401] * 3
        assert service.stop() == 0
        assert found() == {"invalid 127.0.0.0/24": 10}


READ = """
import collections, json
from issuances.models import FailedAuthentications
counts = collections.Counter()
for row in FailedAuthentications.objects.all():
    counts[f"{row.reason} {row.network}"] += row.failures
print(json.dumps(counts))
"""
