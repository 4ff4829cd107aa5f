"""The log's partitions: made ahead, filled from the default one, and no matter to Django."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from io import StringIO

import pytest
from django.core.management import call_command
from django.db import connection, models, transaction
from django.utils import timezone

from issuances import briefly
from issuances.identifiers import LAST_ID, first_uuid7, uuid7
from issuances.keeping import partitioning, partitions, partitions_ahead
from issuances.keeping.partitions import DEFAULT, Month
from issuances.keeping.partitions_ahead import make_ahead
from issuances.models import Issuance
from tests.log_rows import issuance

postgres_only = pytest.mark.skipif(connection.vendor != "postgresql", reason="PostgreSQL only")
pytestmark = pytest.mark.django_db


def names():
    return {one.name.removeprefix("issuances_issuance_") for one in partitions.partitions()}


def place(row):
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT tableoid::regclass::text FROM issuances_issuance WHERE id = %s", [row.id]
        )
        return cursor.fetchone()[0].removeprefix("issuances_issuance_")


@pytest.mark.parametrize(
    ("month", "months", "later"),
    [((2026, 11), 1, (2026, 12)), ((2026, 12), 1, (2027, 1)), ((2026, 11), 14, (2028, 1))],
)
def test_months_are_counted_across_years(month, months, later):
    assert Month(*month).after(months) == Month(*later)


def test_a_month_begins_with_its_least_id():
    month = Month(2026, 12)
    last = uuid7(datetime(2026, 11, 30, 23, 59, 59, 999000, tzinfo=UTC))
    assert last < month.first_id <= uuid7(month.begins)
    assert month.first_id == first_uuid7(datetime(2026, 12, 1, tzinfo=UTC))


@pytest.mark.skipif(connection.vendor == "postgresql", reason="SQLite only")
def test_sqlite_has_one_table():
    assert not partitions.is_partitioned()
    assert partitions.partitions() == []
    assert make_ahead(timezone.now()).partitions == []


@postgres_only
def test_migrating_makes_this_month_and_the_next_three():
    now = timezone.now()
    there = partitions.partitions()
    for ahead in range(4):
        month = Month.of(now).after(ahead)
        assert sum(one.has(month) for one in there) == 1
    assert there[-1].is_default
    assert make_ahead(now).partitions == []


@postgres_only
def test_partitions_are_made_as_time_goes_on():
    later = Month.of(timezone.now()).after(5)
    made = make_ahead(later.begins)
    assert made.partitions == [str(later.after(n)) for n in range(-1, 4) if n >= 0]
    row = issuance(later.begins + timedelta(days=3))
    assert place(row) == f"y{later.year}m{later.number:02}"


@postgres_only
def test_rows_without_a_partition_fall_into_the_default_one_and_move_when_theirs_is_made():
    later = Month.of(timezone.now()).after(7)
    rows = [issuance(later.begins + timedelta(hours=n)) for n in range(3)]
    assert {place(row) for row in rows} == {"default"}
    assert partitions.default_has_rows(LAST_ID)
    made = make_ahead(later.after(-1).begins)
    assert made.moved == 3
    assert {place(row) for row in rows} == {f"y{later.year}m{later.number:02}"}
    assert not partitions.default_has_rows(LAST_ID)
    assert list(Issuance.objects.order_by("id")) == rows


@postgres_only
def test_rows_of_a_month_that_has_passed_move_too():
    missed = Month.of(timezone.now()).after(6)
    row = issuance(missed.begins)
    made = make_ahead(missed.after(2).begins)
    assert (made.partitions[0], made.moved) == (str(missed), 1)
    assert place(row) != "default"


@postgres_only
def test_too_many_rows_stay_until_told_otherwise(monkeypatch):
    monkeypatch.setattr(partitions_ahead, "_MANY", 3)
    month = Month.of(timezone.now()).after(6)
    rows = [issuance(month.begins + timedelta(hours=n)) for n in range(3)]
    made = make_ahead(month.begins)
    assert (made.left, made.moved) == ([month], 0)
    assert str(month.after()) in made.partitions
    assert {place(row) for row in rows} == {"default"}
    made = make_ahead(month.begins, move_all=True)
    assert (made.left, made.moved, made.partitions) == ([], 3, [str(month)])


@postgres_only
def test_the_rows_of_other_months_are_not_looked_at_when_one_is_made(monkeypatch):
    """A large default partition would keep new rows waiting as long."""
    monkeypatch.setattr(partitions_ahead, "_MANY", 1)
    month = Month.of(timezone.now()).after(6)
    issuance(month.begins)
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL client_min_messages = debug1")
    notices = []
    assert connection.connection is not None
    connection.connection.add_notice_handler(lambda said: notices.append(said.message_primary))
    made = make_ahead(month.begins)
    assert made.left == [month]
    assert made.partitions == [str(month.after(n)) for n in (1, 2, 3)]
    implied = [said for said in notices if "implied by existing constraints" in (said or "")]
    assert sum(DEFAULT in said for said in implied) == 3
    # The rows of the month keep coming into it.
    assert place(issuance(month.begins + timedelta(days=1))) == "default"


@postgres_only
def test_rows_from_a_clock_far_ahead_stay_in_the_default_partition():
    row = issuance(datetime(2199, 1, 1, tzinfo=UTC))
    assert make_ahead(timezone.now()).partitions == []
    assert place(row) == "default"


@postgres_only
def test_a_month_is_asked_of_its_partition_alone():
    plan = Issuance.objects.filter(id=uuid7(timezone.now())).explain()
    assert plan.count("issuances_issuance_") <= 3  # the index of one partition, and its name


@postgres_only
@pytest.mark.django_db(transaction=True)
def test_a_change_of_partitions_gives_up_while_others_hold_the_log(monkeypatch):
    import psycopg

    monkeypatch.setattr(briefly, "ATTEMPTS", 2)
    monkeypatch.setattr(briefly, "PAUSE", 0.01)
    held = {k: v for k, v in connection.get_connection_params().items() if k in KEYS}
    with psycopg.connect(**held) as other:
        other.execute(f"LOCK TABLE {DEFAULT} IN ACCESS SHARE MODE")
        with pytest.raises(briefly.Busy, match="try again later"):
            make_ahead(Month.of(timezone.now()).after(9).begins)
    assert len(names()) == len(partitions.partitions())


KEYS = ("host", "port", "user", "password", "dbname")


@postgres_only
@pytest.mark.parametrize(("ahead", "end"), [(None, 2), (0, 2), (1, 3), (10, 12)])
def test_the_first_partition_has_room_for_the_newest_row(ahead, end):
    """Also when the clock that made it was ahead: until the first of the month after next."""
    month = Month.of(timezone.now())
    if ahead is not None:
        issuance(month.after(ahead).begins + timedelta(days=3))
    assert partitioning._end_of_first(timezone.now()) == month.after(end).first_id


@postgres_only
def test_a_row_from_a_clock_far_ahead_has_to_go_before_the_log_is_partitioned():
    row = issuance(datetime(2199, 1, 1, tzinfo=UTC))
    with pytest.raises(ValueError, match=f"{row.id}, was written by a clock"):
        partitioning._end_of_first(timezone.now())


@postgres_only
def test_later_indexes_reach_every_partition():
    index = models.Index(fields=("tenant",), name="issuance_by_tenant_test")
    with connection.schema_editor() as editor:
        editor.add_index(Issuance, index)
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_index i JOIN pg_inherits h ON h.inhrelid = i.indexrelid"
            " WHERE h.inhparent = to_regclass('issuance_by_tenant_test')"
        )
        assert cursor.fetchone()[0] == len(partitions.partitions())
        with connection.schema_editor() as editor:
            editor.remove_index(Issuance, index)


def test_dumping_and_deleting_know_one_table():
    rows = [issuance(timezone.now() - timedelta(days=n)) for n in range(3)]
    out = StringIO()
    call_command("dumpdata", "issuances.issuance", stdout=out)
    assert out.getvalue().count('"pk"') == 3
    with transaction.atomic():
        assert Issuance.objects.filter(id=rows[0].id).delete()[0] == 1
    found = connection.introspection.table_names()
    assert [name for name in found if name.startswith("issuances_issuance")] == [
        "issuances_issuance"
    ]
