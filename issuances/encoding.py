"""The canonical form of a row, which exports, archives and hashes have in common.

One line of JSON: all fields, keys sorted, no blanks, UTF-8; times in UTC with microseconds and Z;
ids in hex with dashes. A row gives the same bytes on every database, and for ever: seals hold its
hash. What has to come before a new column: docs/decisions/0016-seals.md.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any

from issuances.models import Issuance

_FIELDS = Issuance._meta.concrete_fields
FIELDS: tuple[str, ...] = tuple(field.name for field in _FIELDS)
"""Their names, in the order of the columns."""

canonical: Callable[[Any], str] = json.JSONEncoder(
    sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False
).encode
"""A JSON value as the one text that stands for it."""


def time_text(at: datetime) -> str:
    """ISO 8601, for example 2026-11-25T14:00:00.000001Z."""
    return f"{at.astimezone(UTC):%Y-%m-%dT%H:%M:%S.%f}Z"


def _as_it_is(value: Any) -> Any:
    return value


def _unless_none(convert: Callable[[Any], Any]) -> Callable[[Any], Any]:
    return lambda value: None if value is None else convert(value)


_CONVERSIONS: tuple[Callable[[Any], Any], ...] = tuple(
    {"UUIDField": _unless_none(str), "DateTimeField": _unless_none(time_text)}.get(
        field.get_internal_type(), _as_it_is
    )
    for field in _FIELDS
)


def fields_of(row: Issuance) -> dict[str, Any]:
    """What JSON can hold, by field."""
    return fields_of_values([getattr(row, name) for name in FIELDS])


def fields_of_values(values: Sequence[Any]) -> dict[str, Any]:
    """The same of the row's values in the order of `FIELDS`."""
    return {
        name: convert(value)
        for name, convert, value in zip(FIELDS, _CONVERSIONS, values, strict=True)
    }


def line_of(row: Issuance) -> bytes:
    """The canonical line, without the newline."""
    return canonical(fields_of(row)).encode()


def line_of_values(values: Sequence[Any]) -> bytes:
    """The same of the row's values in the order of `FIELDS`."""
    return canonical(fields_of_values(values)).encode()
