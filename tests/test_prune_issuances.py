"""Pruning: what goes and what stays, in which steps, and who is told."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from issuances import briefly
from issuances.identifiers import first_uuid7
from issuances.keeping import partitions, pruning
from issuances.keeping.partitions import Month
from issuances.keeping.partitions_ahead import AHEAD, make_ahead
from issuances.models import Issuance
from people.models import Action, Activity
from registry_token import retention
from tests.log_rows import issuance

pytestmark = pytest.mark.django_db

ON_POSTGRESQL = connection.vendor == "postgresql"
postgres_only = pytest.mark.skipif(not ON_POSTGRESQL, reason="SQLite has no partitions")
NOW = datetime.now(UTC)


def midnight(days):
    """So many days ago."""
    return NOW.replace(hour=0, minute=0, second=0, microsecond=0) - timedelta(days=days)


@pytest.fixture
def rows():
    """One row at noon of each of the last 100 days, the oldest first."""
    return [issuance(midnight(days) + timedelta(hours=12)) for days in range(100, 0, -1)]


def prune(*arguments, **options):
    out = StringIO()
    call_command("prune_issuances", *arguments, stdout=out, **options)
    return out.getvalue()


def left():
    return list(Issuance.objects.order_by("id"))


def test_keeps_everything_without_a_retention(rows):
    assert "all rows are kept" in prune()
    assert left() == rows
    assert not Activity.objects.exists()


@pytest.mark.parametrize("days", [1, 40, 99])
def test_takes_out_what_is_older_than_the_retention(rows, settings, days):
    settings.AUDIT_RETENTION_DAYS = days
    assert f"{100 - days} rows before {midnight(days):%Y-%m-%d} are gone" in prune()
    assert left() == rows[100 - days :]
    assert "0 rows before" in prune()
    assert left() == rows[100 - days :]


def test_takes_out_what_is_before_a_date(rows):
    prune("--before", f"{midnight(60):%Y-%m-%d}")
    assert left() == rows[40:]


@pytest.mark.parametrize(("retention_days", "asked"), [(None, 0), (30, 29), (30, -5)])
def test_never_takes_out_what_has_to_be_kept(rows, settings, retention_days, asked):
    settings.AUDIT_RETENTION_DAYS = retention_days
    with pytest.raises(CommandError, match="or an earlier date"):
        prune("--before", f"{midnight(asked):%Y-%m-%d}")
    assert left() == rows


def test_a_date_may_keep_more_than_the_retention(rows, settings):
    settings.AUDIT_RETENTION_DAYS = 10
    prune("--before", f"{midnight(60):%Y-%m-%d}")
    assert left() == rows[40:]


def test_a_date_that_is_none_is_named():
    with pytest.raises(CommandError, match=r"--before: 'yesterday' is no date; write YYYY"):
        prune("--before", "yesterday")


def test_a_dry_run_says_what_would_go_and_takes_nothing(rows, settings):
    settings.AUDIT_RETENTION_DAYS = 40
    with CaptureQueriesContext(connection) as queries:
        said = prune("--dry-run")
    words = {query["sql"].split()[0] for query in queries}
    assert words == {"SELECT"}
    assert f"60 rows before {midnight(40):%Y-%m-%d} would go" in said
    assert f"{rows[0].created_at:%Y-%m-%d} 12:00:00 to {rows[59].created_at:%Y-%m-%d}" in said
    assert left() == rows
    assert not Activity.objects.exists()


def test_says_it_in_json(rows, settings):
    settings.AUDIT_RETENTION_DAYS = 40
    found = json.loads(prune("--dry-run", "--json"))
    assert found["rows"] == 60
    assert found["before"] == f"{midnight(40):%Y-%m-%dT%H:%M:%SZ}"
    assert found["parts"][-1]["newest"].startswith(f"{rows[59].created_at:%Y-%m-%dT12:00:00}")
    done = json.loads(prune("--json"))
    assert (done["rows"], done["before"]) == (60, found["before"])
    assert len(left()) == 40


def test_whole_months_leave_a_month_until_all_of_it_can_go(rows, settings):
    settings.AUDIT_RETENTION_DAYS = 40
    prune("--whole-months")
    month = Month.of(midnight(40))
    assert left() == [row for row in rows if row.id >= month.first_id]


def test_stands_in_the_activity_log_before_and_after(rows, settings):
    settings.AUDIT_RETENTION_DAYS = 40
    prune()
    end, begin = Activity.objects.filter(action=Action.PRUNED)
    assert begin.detail.startswith("begun: 60 rows before ")
    assert end.detail.startswith("pruned: 60 rows before ")
    assert {row.object for row in (begin, end)} == {"issuance log"}
    assert begin.actor.startswith("command prune_issuances (")


def test_goes_in_small_batches(rows, settings, monkeypatch):
    monkeypatch.setattr(pruning, "BATCH", 25)
    (part,) = pruning.parts_before(first_uuid7(midnight(40)))
    assert list(pruning.remove(part)) == [25, 25, 10]
    assert left() == rows[60:]


def test_a_batch_is_one_statement(rows, monkeypatch):
    monkeypatch.setattr(pruning, "PAUSE", 0)
    (part,) = pruning.parts_before(first_uuid7(midnight(40)))
    with CaptureQueriesContext(connection) as queries:
        list(pruning.remove(part))
    assert [query["sql"].split()[0] for query in queries].count("DELETE") == 1  # of 60 rows


def test_goes_on_where_an_earlier_run_ended(rows, settings, monkeypatch):
    monkeypatch.setattr(pruning, "BATCH", 25)
    settings.AUDIT_RETENTION_DAYS = 40
    assert next(pruning.remove(retention.parts(midnight(40))[-1])) == 25
    assert left() == rows[25:]
    assert "35 rows before" in prune()
    assert left() == rows[60:]


def test_a_run_that_ends_early_is_in_the_activity_log(rows):
    def interrupted(line):
        raise KeyboardInterrupt

    parts = retention.parts(midnight(40))
    with pytest.raises(KeyboardInterrupt):
        retention.prune(midnight(40), parts, actor="test", report=interrupted)
    newest = Activity.objects.first()
    assert newest is not None and newest.detail.startswith("pruned: 0 rows")


def test_two_at_once_do_no_harm(rows, settings, monkeypatch):
    """The second one runs between two batches of the first."""
    monkeypatch.setattr(pruning, "BATCH", 25)
    settings.AUDIT_RETENTION_DAYS = 40
    parts = retention.parts(midnight(40))
    first = pruning.remove(parts[-1])
    assert next(first) == 25
    assert "35 rows" in prune()
    assert list(first) == []
    assert left() == rows[60:]


@pytest.fixture
def months():
    """The partitions of three months long gone, three rows in each; the oldest first."""
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE issuances_issuance DETACH PARTITION issuances_issuance_first")
        cursor.execute("DROP TABLE issuances_issuance_first")
    months = [Month(2020, 11), Month(2020, 12), Month(2021, 1)]
    for month in months:
        for day in (0, 10, 20):
            issuance(month.begins + timedelta(days=day))
    made = make_ahead(timezone.now())
    assert made.moved == 9
    return months


def names():
    return {one.name.removeprefix("issuances_issuance_") for one in partitions.partitions()}


@postgres_only
def test_a_month_goes_as_a_whole(months):
    with CaptureQueriesContext(connection) as queries:
        said = prune("--before", "2021-01-01")
    assert "6 rows before 2021-01-01 are gone, 2 partitions" in said
    assert not any('DELETE FROM "issuances_issuance"' in query["sql"] for query in queries)
    assert {row.created_at.year for row in left()} == {2021}
    assert not {"y2020m11", "y2020m12"} & names()
    assert "y2021m01" in names()


@postgres_only
def test_of_a_month_that_is_not_over_single_rows_go(months):
    said = prune("--before", "2021-01-15")
    assert "8 rows before 2021-01-15 are gone, 2 partitions" in said
    assert [row.created_at.day for row in left()] == [21]


@postgres_only
def test_rows_of_the_default_partition_go_too(months):
    issuance(datetime(2020, 9, 1, tzinfo=UTC))
    said = prune("--before", "2020-12-01", "--dry-run")
    assert "4 rows before 2020-12-01 would go" in said
    assert "issuances_issuance_y2020m11: 3 rows" in said
    prune("--before", "2020-12-01")
    assert len(left()) == 6


@postgres_only
def test_a_month_that_somebody_else_has_dropped_is_no_error(months):
    parts = retention.parts(datetime(2021, 1, 1, tzinfo=UTC))
    prune("--before", "2021-01-01")
    assert [list(pruning.remove(part)) for part in parts] == [[], []]


@postgres_only
def test_pruning_makes_the_partitions_of_the_months_to_come(monkeypatch):
    with connection.cursor() as cursor:
        cursor.execute(f"DROP TABLE {partitions.partitions()[-2].name}")
    assert "made partitions: " in prune()
    last = Month.of(timezone.now()).after(AHEAD)
    assert any(one.has(last) for one in partitions.partitions())


@postgres_only
def test_a_log_in_use_is_left_for_later(months, monkeypatch):
    monkeypatch.setattr(briefly, "ATTEMPTS", 0)
    with pytest.raises(CommandError, match="try again later"):
        prune("--before", "2021-01-01")
    assert len(left()) == 9
