"""Making the log's partitions before they are needed, and moving rows that came too early.

Partitions are attached, not created as such: that would lock out all who read and write. Rows whose
month has no partition are in the default one, and move when theirs is made. Where rows keep coming
there, because partitions were forgotten, it grows large; then all that is still done is what makes
nobody wait.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db import connection

from issuances.briefly import TooLong, briefly
from issuances.identifiers import FIRST_ID, time_of
from issuances.keeping.partitions import (
    DEFAULT,
    TABLE,
    Month,
    default_has_rows,
    is_partitioned,
    partitions,
)

AHEAD = 3  # months after the current one
MOVED_AT_ONCE = 5_000  # rows out of the default partition while new ones wait for it

_LIKE = f"(LIKE {TABLE} INCLUDING DEFAULTS INCLUDING CONSTRAINTS INCLUDING STORAGE)"
_WITHOUT = f"{DEFAULT}_without"  # the constraint that saves the scan of the default partition


@dataclass(slots=True)
class Made:
    """What was done: partitions, rows moved out of the default one, months left there."""

    partitions: list[str] = field(default_factory=list)
    moved: int = 0
    left: list[Month] = field(default_factory=list)


def lacks_partitions(now: datetime) -> bool:
    """Whether there are rows whose months `make_ahead` would make. Those of later months are from a
    clock that was wrong; they stay where they are. Raises django.db.Error.
    """
    return is_partitioned() and default_has_rows(Month.of(now).after(AHEAD + 1).first_id)


def make_ahead(now: datetime, *, move_all: bool = False) -> Made:
    """Make the partitions of this month and the next ones, and of months whose rows fell into the
    default partition; those rows move. More than a few thousand of a month only move with
    `move_all`: new rows may wait for it. Raises Busy, django.db.Error.
    """
    made = Made()
    if not is_partitioned():
        return made
    there = partitions()
    if not any(one.is_default for one in there):
        briefly(_make_default)
    ahead = [Month.of(now).after(months) for months in range(AHEAD + 1)]
    with_rows = list(_months_in_default(ahead[-1]))
    for month in dict.fromkeys([*with_rows, *ahead]):
        if any(one.has(month) for one in there):
            continue
        if with_rows and month not in with_rows and month > ahead[0]:
            _say_that_default_has_none_of(month)
        try:
            made.moved += briefly(_maker(month, move_all), patient=move_all)
            made.partitions.append(str(month))
        except TooLong:
            made.left.append(month)
    return made


def _make_default(cursor: Any) -> None:
    cursor.execute(f"CREATE TABLE IF NOT EXISTS {DEFAULT} {_LIKE}")
    cursor.execute(f"ALTER TABLE {TABLE} ATTACH PARTITION {DEFAULT} DEFAULT")


def _bounds(month: Month) -> tuple[str, str]:
    return str(month.first_id), str(month.after().first_id)


def _say_that_default_has_none_of(month: Month) -> None:
    """By a constraint that is checked while others write. Attaching would look at all its rows."""

    def constrain(cursor: Any) -> None:
        cursor.execute(f"ALTER TABLE {DEFAULT} DROP CONSTRAINT IF EXISTS {_WITHOUT}")
        cursor.execute(
            f"ALTER TABLE {DEFAULT} ADD CONSTRAINT {_WITHOUT}"
            " CHECK (id < %s::uuid OR id >= %s::uuid) NOT VALID",
            _bounds(month),
        )

    briefly(constrain)
    with connection.cursor() as cursor:
        cursor.execute(f"ALTER TABLE {DEFAULT} VALIDATE CONSTRAINT {_WITHOUT}")


def _maker(month: Month, move_all: bool) -> Callable[[Any], int]:
    """Makes a month's partition; how many rows have moved into it."""
    name = f"{TABLE}_y{month.year:04}m{month.number:02}"
    bounds = _bounds(month)
    rows = f"FROM {DEFAULT} WHERE id >= %s AND id < %s"

    def make(cursor: Any) -> int:
        # In the order of an insert, and of ATTACH: first the log, then its default partition.
        cursor.execute(f"LOCK TABLE ONLY {TABLE} IN SHARE UPDATE EXCLUSIVE MODE")
        cursor.execute(f"SELECT count(*) FROM (SELECT 1 {rows} LIMIT %s) few", [*bounds, _MANY])  # noqa: S608
        if cursor.fetchone()[0] == _MANY and not move_all:
            raise TooLong(f"there are more than {MOVED_AT_ONCE} rows to move")
        cursor.execute(f"CREATE TABLE {name} {_LIKE}")
        cursor.execute(f"LOCK TABLE {DEFAULT} IN ACCESS EXCLUSIVE MODE")
        moved = f"WITH moved AS (DELETE {rows} RETURNING *) INSERT INTO {name} SELECT * FROM moved"  # noqa: S608
        cursor.execute(moved, bounds)
        count = int(cursor.rowcount)
        attach = f"ALTER TABLE {TABLE} ATTACH PARTITION {name} FOR VALUES FROM (%s) TO (%s)"
        cursor.execute(attach, bounds)
        cursor.execute(f"ALTER TABLE {DEFAULT} DROP CONSTRAINT IF EXISTS {_WITHOUT}")
        return count

    return make


_MANY = MOVED_AT_ONCE + 1


def _months_in_default(last: Month) -> Iterator[Month]:
    """The months of its rows, up to `last`: what lies beyond came from a clock that was wrong."""
    at = FIRST_ID
    while True:
        with connection.cursor() as cursor:
            least = f"SELECT id FROM {DEFAULT} WHERE id >= %s ORDER BY id LIMIT 1"  # noqa: S608
            cursor.execute(least, [str(at)])
            row = cursor.fetchone()
        if row is None or row[0] >= last.after().first_id:
            return
        month = Month.of(time_of(row[0]))
        yield month
        at = month.after().first_id
