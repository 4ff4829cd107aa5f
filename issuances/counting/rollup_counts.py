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

# `whole` is whether all was granted that was asked for.
_COUNTS = """
    count(*) FILTER (WHERE refusal = '' AND whole),
    count(*) FILTER (WHERE refusal = '' AND NOT whole),
    count(*) FILTER (WHERE refusal <> '')
"""
_LOG = """(
    SELECT *, granted = requested AS whole FROM issuances_issuance WHERE id >= %s AND id < %s
) AS log"""
# A resource may stand in a row more than once, and a row may have a hundred: only names are
# compared for each of them, never JSON.
_REPOSITORIES = {
    "postgresql": """(
        SELECT name, refusal, whole
        FROM (
            SELECT refusal, requested, granted = requested AS whole
            FROM issuances_issuance WHERE id >= %s AND id < %s OFFSET 0
        ) AS log, LATERAL (
            SELECT DISTINCT entry.value ->> 'name' AS name
            FROM jsonb_array_elements(requested) AS entry(value)
            WHERE entry.value ->> 'type' = 'repository'
        ) AS names
    ) AS repositories""",
    "sqlite": """(
        SELECT DISTINCT log.id, json_extract(entry.value, '$.name') AS name,
            refusal, granted = requested AS whole
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
    ((*found,),) = _rows(f"SELECT {_COUNTS} FROM {_LOG}", low, high)  # noqa: S608
    return Counts(*found)


def counts_by_key(dimension: str, low: UUID, high: UUID, most: int) -> dict[str, Counts]:
    """Of the keys with the most rows, at most so many, those first; equal ones by their bytes."""
    key = COLUMNS.get(dimension, "name")
    rows = _REPOSITORIES[connection.vendor] if dimension == REPOSITORY else _LOG
    if dimension == "reason":
        rows += " WHERE refusal <> ''"
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
