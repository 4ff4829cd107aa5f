"""Comparing rows with their seals, wherever both come from: database, archive or export. Pure.

The rows and the sealed ids stand side by side, both in the order of the ids, so that memory holds a
few batches, however long the log is.
"""

from __future__ import annotations

import heapq
import re
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime, timedelta
from itertools import islice
from typing import Any
from uuid import UUID

from issuances.identifiers import FIRST_ID, LAST_ID, first_uuid7, time_of
from issuances.sealing import findings, merkle
from issuances.sealing.chain import Chain, SoundBatch, content_of
from issuances.sealing.findings import Report
from issuances.sealing.seals import ID_SIZE, Batch, parts

AHEAD = timedelta(hours=1)  # by which a clock may be ahead
_ROUNDED = timedelta(milliseconds=2)
# No text of anybody's has bare quotes in it, and no name in JSON before it is like this.
_CREATED_AT = re.compile(rb',"created_at":"([^"]+)"')
_NO_SEALS = (
    "there are no seals, so nothing is known about the rows: either none were ever sealed"
    " (manage.py seal_issuances), or the seals were removed"
)
EVERYTHING = (FIRST_ID.bytes, LAST_ID.bytes)
Lines = Iterable[tuple[bytes, bytes]]
"""Rows: id and canonical line, in the order of the ids."""


def check_rows(
    lines: Lines,
    chain: Chain,
    load: Callable[[int], Batch],
    report: Report,
    *,
    within: tuple[bytes, bytes] | None = EVERYTHING,
    now: datetime,
) -> None:
    """Compare the rows with the sound batches, which `load` gives by number. `within`: between
    which ids none may be missing; None when the rows are a selection.
    """
    future = first_uuid7(now + AHEAD).bytes
    sealed = _sealed(chain, load, report)
    expected = next(sealed, None)
    for row_id, line in lines:
        while expected is not None and expected[0] < row_id:
            _note_missing(expected, chain, report, within)
            expected = next(sealed, None)
        if expected is None or row_id != expected[0]:
            _note_unsealed(row_id, line, chain, report, future)
            continue
        if merkle.leaf_hash(line) != expected[1]:
            report.of_row(findings.ALTERED, row_id, expected[2].number)
        elif _is_retimed(row_id, line):
            report.of_row(findings.RETIMED, row_id)
        _note_compared(expected, report)
        expected = next(sealed, None)
    while expected is not None:
        _note_missing(expected, chain, report, within)
        expected = next(sealed, None)
    if not report.seals:
        report.say(findings.BATCH, _NO_SEALS)
    if not chain.is_complete:
        # The rows of a missing batch look like that.
        report.forget([findings.INSERTED])


Expected = tuple[bytes, bytes, SoundBatch]


def _sealed(chain: Chain, load: Callable[[int], Batch], report: Report) -> Iterator[Expected]:
    """Id, leaf and batch of all sealed rows, by id. A batch is opened when its ids begin."""
    waiting = sorted(chain.batches, key=lambda one: one.first, reverse=True)
    heap: list[tuple[bytes, int, bytes, SoundBatch, Iterator[tuple[bytes, bytes]]]] = []
    while heap or waiting:
        while waiting and (not heap or waiting[-1].first <= heap[0][0]):
            batch = waiting.pop()
            rows = _rows_of(batch, load(batch.number), report)
            for row_id, leaf in islice(rows, 1):
                heapq.heappush(heap, (row_id, batch.number, leaf, batch, rows))
        if not heap:
            return
        row_id, number, leaf, batch, rows = heap[0]
        yield row_id, leaf, batch
        following = next(rows, None)
        if following is None:
            heapq.heappop(heap)
        else:
            heapq.heapreplace(heap, (following[0], number, following[1], batch, rows))


def _rows_of(batch: SoundBatch, loaded: Batch, report: Report) -> Iterator[tuple[bytes, bytes]]:
    """Of what was found sound, nothing else; the chain was read some time ago."""
    if content_of(loaded) != batch.content:
        text = f"batch {batch.number} was changed while it was compared; compare again"
        report.say(findings.BATCH, text, batch.number)
        return iter(())
    ids, leaves = loaded.ids or b"", loaded.leaves or b""
    return zip(parts(ids, ID_SIZE), parts(leaves, merkle.SIZE), strict=True)


def _note_compared(expected: Expected, report: Report) -> None:
    report.rows += 1
    if expected[2].late:
        report.late += 1
        report.first_late = report.first_late or expected[0]


def _note_missing(expected: Expected, chain: Chain, report: Report, within: Any) -> None:
    row_id, _, batch = expected
    if within is None or not within[0] <= row_id <= within[1]:
        return
    if chain.is_pruned(row_id, batch.number):
        report.pruned += 1
    else:
        report.of_row(findings.REMOVED, row_id, batch.number)


def _is_retimed(row_id: bytes, line: bytes) -> bool:
    """Whether the time in the canonical line is not the one in the id, to the millisecond.

    The service makes both of the same moment.
    """
    found = _CREATED_AT.search(line)
    said = datetime.fromisoformat(found[1].decode()) if found else None
    return said is None or abs(said - time_of(UUID(bytes=row_id))) > _ROUNDED


def _note_unsealed(row_id: bytes, line: bytes, chain: Chain, report: Report, future: bytes) -> None:
    if _is_retimed(row_id, line):
        report.of_row(findings.RETIMED, row_id)
    if row_id >= future:
        report.of_row(findings.FUTURE, row_id)
    elif chain.is_left_out(row_id):
        report.uncovered += 1
    elif row_id < chain.sealed_before:
        report.of_row(findings.INSERTED, row_id)
    else:
        report.unsealed += 1
        report.first_unsealed = report.first_unsealed or row_id
