"""The log's monthly partitions on PostgreSQL: which there are, and which month is where.

A row's id is a UUIDv7, so a month is a range of ids (docs/decisions/0015). SQLite has one table.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

from django.db import connection

from issuances.identifiers import FIRST_ID, first_uuid7

TABLE = "issuances_issuance"
DEFAULT = f"{TABLE}_default"

_PARTITIONS = """
    SELECT c.relname, pg_get_expr(c.relpartbound, c.oid), c.oid
    FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid WHERE i.inhparent = to_regclass(%s)
"""
_BOUND = r"\((?:'([0-9a-f-]{36})'|MINVALUE|MAXVALUE)\)"
_RANGE = re.compile(f"FOR VALUES FROM {_BOUND} TO {_BOUND}")


@dataclass(frozen=True, slots=True, order=True)
class Month:
    """A calendar month in UTC."""

    year: int
    number: int

    @classmethod
    def of(cls, at: datetime) -> Month:
        """The month of a time."""
        return cls(at.astimezone(UTC).year, at.astimezone(UTC).month)

    def after(self, months: int = 1) -> Month:
        """So many months later."""
        years, number = divmod(self.number - 1 + months, 12)
        return Month(self.year + years, number + 1)

    @property
    def begins(self) -> datetime:
        """Its first moment."""
        return datetime(self.year, self.number, 1, tzinfo=UTC)

    @property
    def first_id(self) -> UUID:
        """The least id of its rows."""
        return first_uuid7(self.begins)

    def __str__(self) -> str:
        return f"{self.year:04}-{self.number:02}"


@dataclass(frozen=True, slots=True)
class Partition:
    """The rows from the id `first` on, before the id `end`; the default one has what others lack.

    `end` is None where there is none.
    """

    name: str
    first: UUID
    end: UUID | None
    is_default: bool
    oid: int

    def has(self, month: Month) -> bool:
        """Whether rows of the month belong here; the default one has no month of its own."""
        begins_before = self.first < month.after().first_id
        return begins_before and not self.is_default and (not self.end or self.end > month.first_id)


def is_partitioned() -> bool:
    """Whether the log has partitions: on PostgreSQL, once it is migrated."""
    if connection.vendor != "postgresql":
        return False
    with connection.cursor() as cursor:
        cursor.execute("SELECT relkind FROM pg_class WHERE oid = to_regclass(%s)", [TABLE])
        return bool(cursor.fetchone() == ("p",))


def partitions() -> list[Partition]:
    """All of them, oldest first, the default one last; none on SQLite."""
    if connection.vendor != "postgresql":
        return []
    with connection.cursor() as cursor:
        cursor.execute(_PARTITIONS, [TABLE])
        found = [_partition(*row) for row in cursor.fetchall()]
    return sorted(found, key=lambda one: (one.is_default, one.first))


def _partition(name: str, bounds: str, oid: int) -> Partition:
    match = _RANGE.fullmatch(bounds)
    if match is None:
        return Partition(name, FIRST_ID, None, is_default=True, oid=oid)
    first, end = (UUID(text) if text else None for text in match.groups())
    return Partition(name, first or FIRST_ID, end, is_default=False, oid=oid)


def default_has_rows(before: UUID) -> bool:
    """Whether rows with smaller ids lie in the default partition: none was made for them."""
    with connection.cursor() as cursor:
        sql = f"SELECT EXISTS (SELECT 1 FROM {DEFAULT} WHERE id < %s)"  # noqa: S608
        cursor.execute(sql, [str(before)])
        return bool(cursor.fetchone()[0])


def analyze() -> None:
    """Let the planner know the log as a whole; PostgreSQL by itself looks at partitions only."""
    if is_partitioned():
        with connection.cursor() as cursor:
            cursor.execute(f"ANALYZE {TABLE}")
