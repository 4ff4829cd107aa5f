"""All rows that match a filter as one stream of bytes, in the order of their ids.

No transaction lasts longer than the reading of some thousand rows, and no more than that is in
memory, however many there are.
"""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime
from itertools import islice
from typing import Any
from uuid import UUID

from django.db import connection

from issuances.encoding import FIELDS, canonical, fields_of_values
from issuances.exporting.csv_form import HEAD, cell_of, csv_line_of_values
from issuances.exporting.line_sql import canonical_json, csv_line_columns, json_line_columns
from issuances.finding.filtered import Filtered
from issuances.finding.paging import windows_of
from issuances.identifiers import first_uuid7

ROWS_IN_A_PIECE = 250
_REMEMBERED = 64  # texts of JSON: what was granted is mostly what was asked for

Columns = tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Format:
    """A form of export. A line is made of a row's values, or of what `columns` has the database
    make of it, in which JSON is still to be written in the form of `of_json`.
    """

    name: str
    media_type: str
    head: bytes
    line: Callable[[Columns], str]
    columns: Callable[[], Columns]
    of_json: Callable[[str], str]


@functools.lru_cache(_REMEMBERED)
def _canonical(text: str) -> str:
    return canonical_json(text)


@functools.lru_cache(_REMEMBERED)
def _cell(text: str) -> str:
    return cell_of(canonical_json(text))


def _json_line(values: Columns) -> str:
    return canonical(fields_of_values(values)) + "\n"


NDJSON = Format(
    "ndjson", "application/x-ndjson", b"", _json_line, json_line_columns, of_json=_canonical
)
CSV = Format(
    "csv", "text/csv; charset=utf-8", HEAD, csv_line_of_values, csv_line_columns, of_json=_cell
)
FORMATS = {format.name: format for format in (NDJSON, CSV)}


@dataclass(slots=True)
class Tally:
    """What has been made so far."""

    rows: int = 0
    size: int = 0  # bytes
    first_id: UUID | None = None
    last_id: UUID | None = None
    sha256: Any = field(default_factory=hashlib.sha256)


def until_now(filtered: Filtered, now: datetime) -> Filtered:
    """Without the rows that come while the export runs: it must come to an end."""
    return replace(filtered, high=min(filtered.high, first_uuid7(now)))


def pieces(
    filtered: Filtered, format: Format, tally: Tally, *, after: UUID | None = None
) -> Iterator[bytes]:
    """The rows in the form of `format`, some hundred at a time; `tally` counts what is given.

    An empty one where a part of the log has none, so that who takes them can do something else.
    Raises django.db.Error.
    """
    if format.head:
        yield _counted(format.head, [], tally)
    for lines in _windows(filtered, format, after):
        some = list(islice(lines, ROWS_IN_A_PIECE))
        yield _piece(some, tally)
        while some := list(islice(lines, ROWS_IN_A_PIECE)):
            yield _piece(some, tally)


def _piece(some: list[tuple[UUID, str]], tally: Tally) -> bytes:
    data = "".join(line for _, line in some).encode()
    return _counted(data, [row_id for row_id, _ in some], tally)


def _counted(data: bytes, ids: list[UUID], tally: Tally) -> bytes:
    tally.rows += len(ids)
    tally.size += len(data)
    tally.sha256.update(data)
    if ids:
        tally.first_id = tally.first_id or ids[0]
        tally.last_id = ids[-1]
    return data


def lines_of(
    filtered: Filtered, format: Format, *, after: UUID | None = None
) -> Iterator[tuple[UUID, str]]:
    """The rows' ids and lines, these with their ends. Raises django.db.Error."""
    for lines in _windows(filtered, format, after):
        yield from lines


def _windows(
    filtered: Filtered, format: Format, after: UUID | None
) -> Iterator[Iterator[tuple[UUID, str]]]:
    """The same, each part of the log for itself."""
    is_made_there = connection.vendor == "postgresql"
    columns = format.columns() if is_made_there else FIELDS[1:]
    lines = _completed if is_made_there else _made
    windows = windows_of(filtered, after=after, columns=columns)
    return map(lambda window: lines(window, format), windows)  # noqa: C417  (keeps no window)


def _completed(window: list[Any], format: Format) -> Iterator[tuple[UUID, str]]:
    """Lines that the database has made, but for their JSON."""
    of_json = format.of_json
    for row_id, a, b, c, d, e in window:
        yield row_id, "".join((a, of_json(b), c, of_json(d), e))


def _made(window: list[Any], format: Format) -> Iterator[tuple[UUID, str]]:
    for values in window:
        yield values[0], format.line(values)
