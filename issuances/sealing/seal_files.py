"""Seals and rows in files, read as they are verified: one line in memory at a time.
No Django.

A file of seals has one line of JSON a batch: number, statement, and the ids and leaves in base64,
or null where these were left out. A file of rows is an export in NDJSON, or an archive of it.
"""

from __future__ import annotations

import base64
import gzip
import json
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, Any
from uuid import UUID

from issuances.sealing import findings
from issuances.sealing.findings import Report, row_in_words
from issuances.sealing.seals import Batch

_CSV_HEAD = b"id,created_at,"
_BLOCK = 1 << 20  # bytes
_LONGEST = 1 << 24  # bytes of a line; the form of /token, from which a row comes, has fewer
_NAMED = 100  # lines that are no rows; more are counted


class FileError(ValueError):
    """The file cannot be read as what it should be; the message says where, and why."""


def without_twins(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """For json.loads: readers differ in which of two members of one name they take.

    Raises ValueError.
    """
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("a name stands twice")
    return found


def line_of_batch(batch: Batch) -> bytes:
    """As a file of seals has it, with its end."""
    blobs = {"ids": batch.ids, "leaves": batch.leaves}
    encoded = {
        name: None if blob is None else base64.b64encode(blob).decode()
        for name, blob in blobs.items()
    }
    said = {"number": batch.number, "statement": batch.statement} | encoded
    return json.dumps(said, separators=(",", ":")).encode() + b"\n"


class SealFile:
    """The batches of a file, in their order, and each by its number."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._places: dict[int, int] = {}

    def __iter__(self) -> Iterator[Batch]:
        """Raises FileError, OSError."""
        with self._path.open("rb") as file:
            place = 0
            for count, line in enumerate(file, 1):
                batch = self._batch_in(line, count)
                self._places.setdefault(batch.number, place)  # of two the first one counts
                place += len(line)
                yield batch

    def load(self, number: int) -> Batch:
        """One that has been passed before."""
        with self._path.open("rb") as file:
            file.seek(self._places[number])
            return self._batch_in(file.readline(), number)

    def _batch_in(self, line: bytes, count: int) -> Batch:
        try:
            said = json.loads(line)
            number, statement = said["number"], said["statement"]
            if type(number) is not int or not isinstance(statement, str):
                raise TypeError
            return Batch(number, statement, _blob(said["ids"]), _blob(said["leaves"]))
        except (ValueError, KeyError, TypeError, RecursionError):
            raise FileError(f"{self._path}, line {count}: this is no seal") from None


def _blob(text: Any) -> bytes | None:
    return None if text is None else base64.b64decode(text, validate=True)


def lines_in(path: Path, report: Report) -> Iterator[tuple[bytes, bytes]]:
    """Id and line of each row. What is no row, or out of order, is reported and passed over.

    Raises FileError, OSError; FileError also for an export in CSV.
    """
    newest, flaws = b"", 0
    for count, line in enumerate(_lines(path), 1):
        if count == 1 and line.startswith(_CSV_HEAD):
            raise FileError(
                f"{path} is CSV; seals are compared with NDJSON: export with --format ndjson"
            )
        row_id, flaw = _row_in(line, newest)
        if flaw:
            flaws += 1
            if flaws <= _NAMED:
                report.say(findings.FILE, f"{path.name}, line {count}: {flaw}")
            continue
        newest = row_id
        yield row_id, line[:-1]
    if flaws > _NAMED:
        text = f"{path.name}: in all there are {flaws:,} such lines"
        report.say(findings.FILE, text)


def _row_in(line: bytes, newest: bytes) -> tuple[bytes, str]:
    """A line's id, and what is wrong with it; `newest` is the greatest id before it."""
    try:
        row = json.loads(line, object_pairs_hook=without_twins)
        row_id = UUID(row["id"]).bytes
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return b"", "this is no row"
    if not line.endswith(b"\n"):
        return b"", "the line is cut off"
    if row_id <= newest:
        what = "stands twice" if row_id == newest else "is out of order"
        return row_id, f"row {row_in_words(row_id)} {what}"
    return row_id, ""


def _opened_rows(path: Path) -> IO[bytes]:
    """A file of rows, unpacked if need be. Raises OSError."""
    with path.open("rb") as file:
        is_packed = file.read(2) == b"\x1f\x8b"
    return gzip.open(path) if is_packed else path.open("rb")  # type: ignore[return-value]


def blocks_of(path: Path) -> Iterator[bytes]:
    """A file of rows, unpacked if need be, block by block. Raises FileError, OSError."""
    with _opened_rows(path) as file:
        while block := _unharmed(path, file.read, _BLOCK):
            yield block


def _lines(path: Path) -> Iterator[bytes]:
    """Some bytes of a file may unpack to a line that no memory holds, so lines have an end."""
    with _opened_rows(path) as file:
        while line := _unharmed(path, file.readline, _LONGEST):
            yield line


def _unharmed(path: Path, read: Callable[[int], bytes], size: int) -> bytes:
    try:
        return read(size)
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise FileError(f"{path}: the file is damaged: {error}") from None
