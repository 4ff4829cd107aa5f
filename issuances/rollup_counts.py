"""Counting the rows of a range of time by outcome: all of them, and by key of each dimension.

A row counts for its plan, and for each repository that it asks for: a key has as many rows here as
the list has with the filter of the same name. What a caller chooses has no end of keys, so that
those with the most rows are kept alone.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import connection

from issuances.identifiers import first_uuid7
from issuances.models import Issuance

TOTAL = "total"
# By dimension: the parameter of the filter with the same meaning is its name.
COLUMNS = {
    "reason": "refusal",
    "plan": "plan",
    "licence": "licence",
    "subject": "subject",
    "service": "service",
}
REPOSITORY = "repository"
DIMENSIONS = (*COLUMNS, REPOSITORY)

_COUNTS = """
    count(*) FILTER (WHERE refusal = '' AND granted = requested),
    count(*) FILTER (WHERE refusal = '' AND granted <> requested),
    count(*) FILTER (WHERE refusal <> '')
"""
_ROWS = "issuances_issuance WHERE id >= %s AND id < %s"
# A resource may stand in a row more than once.
_REPOSITORIES = {
    "postgresql": """(
        SELECT DISTINCT log.id, entry.value ->> 'name' AS name, refusal, granted, requested
        FROM issuances_issuance log, jsonb_array_elements(requested) AS entry(value)
        WHERE log.id >= %s AND log.id < %s AND entry.value ->> 'type' = 'repository'
    ) AS repositories""",
    "sqlite": """(
        SELECT DISTINCT log.id, json_extract(entry.value, '$.name') AS name,
            refusal, granted, requested
        FROM issuances_issuance log, json_each(requested) AS entry
        WHERE log.id >= %s AND log.id < %s AND json_extract(entry.value, '$.type') = 'repository'
    ) AS repositories""",
}
_BY_BYTES = {"postgresql": 'COLLATE "C"', "sqlite": ""}


@dataclass(frozen=True, slots=True)
class Counts:
    """How many rows there are of each outcome."""

    granted: int = 0
    part: int = 0
    refused: int = 0

    @property
    def rows(self) -> int:
        """All of them."""
        return self.granted + self.part + self.refused

    def __add__(self, other: Counts) -> Counts:
        return Counts(
            self.granted + other.granted, self.part + other.part, self.refused + other.refused
        )


def ids_between(begin: datetime, end: datetime) -> tuple[UUID, UUID]:
    """From the first id of a range of time to the first one after it."""
    return first_uuid7(begin), first_uuid7(end)


def number_of_rows(low: UUID, high: UUID) -> int:
    """With ids from `low` to before `high`; read from the primary key alone. Raises
    django.db.Error, as all here do.
    """
    return Issuance.objects.filter(id__gte=low, id__lt=high).order_by().count()


def all_counts(low: UUID, high: UUID) -> Counts:
    """Of all rows in the range."""
    ((*found,),) = _rows(f"SELECT {_COUNTS} FROM {_ROWS}", low, high)  # noqa: S608
    return Counts(*found)


def counts_by_key(dimension: str, low: UUID, high: UUID, most: int) -> dict[str, Counts]:
    """Of the keys with the most rows, at most so many, those first; equal ones by their bytes."""
    key = COLUMNS.get(dimension, "name")
    rows = _REPOSITORIES[connection.vendor] if dimension == REPOSITORY else _ROWS
    if dimension == "reason":
        rows += " AND refusal <> ''"
    sql = f"""
        SELECT {key}, {_COUNTS} FROM {rows} GROUP BY {key}
        ORDER BY count(*) DESC, {key} {_BY_BYTES[connection.vendor]} LIMIT {most:d}
    """  # noqa: S608
    return {name: Counts(*found) for name, *found in _rows(sql, low, high)}


def _rows(sql: str, low: UUID, high: UUID) -> Iterator[tuple[Any, ...]]:
    prepared = [Issuance._meta.pk.get_db_prep_value(edge, connection) for edge in (low, high)]
    with connection.cursor() as cursor:
        cursor.execute(sql, prepared)
        yield from cursor.fetchall()
