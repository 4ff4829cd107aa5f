"""Comparing rows with their seals, wherever both come from: database, archive or export. Pure.

First the chain of seals, from the first on; then the rows beside the sealed ids, both in the order
of the ids, so that memory holds a few batches, however long the log is.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from issuances.identifiers import first_uuid7
from issuances.sealing import findings, merkle
from issuances.sealing.findings import Report
from issuances.sealing.seals import ID_SIZE, PRUNED, Batch, Seal, flaw_of, parts, seal_in
from issuances.statements import PublicKey, StatementError

SETTLED_AFTER = timedelta(seconds=60)
"""How old a row is before it is sealed: whatever was asked before has been committed by then."""

_NO_SEALS = (
    "there are no seals, so nothing is known about the rows: either none were ever sealed"
    " (manage.py seal_issuances), or the seals were removed"
)
EVERYTHING = (bytes(ID_SIZE), b"\xff" * ID_SIZE)
Lines = Iterable[tuple[bytes, bytes]]
"""Rows: id and canonical line, in the order of the ids."""


@dataclass(slots=True)
class Span:
    """A sound batch of rows that can be compared: where it begins, and what to load it by."""

    first: bytes
    number: int
    late: bool


@dataclass(slots=True)
class Chain:
    """What the seals say, as far as they are sound. `is_complete`: none is missing or broken."""

    spans: list[Span] = field(default_factory=list)
    left_out: list[tuple[bytes, bytes]] = field(default_factory=list)
    """First and last id of batches whose ids and leaves are not there."""
    pruned: list[tuple[int, bytes]] = field(default_factory=list)  # number, before
    is_complete: bool = True
    sealed_before: bytes = bytes(ID_SIZE)
    """Rows with smaller ids ought to have been sealed."""

    def is_pruned(self, row_id: bytes, number: int) -> bool:
        """Whether a row of that batch may be gone."""
        return any(number < later and row_id < before for later, before in self.pruned)


def check_chain(
    batches: Iterable[Batch],
    keys: list[PublicKey],
    report: Report,
    *,
    head: tuple[int, str] | None = None,
) -> Chain:
    """Verify the seals, in the order of their numbers, from 1 on. `head`: a number and a hash that
    were noted down earlier.
    """
    chain, follows, number = Chain(), "", 0
    passed: set[int] = set()
    for batch in batches:
        if batch.number in passed:
            report.say(findings.BATCH, f"batch {batch.number} stands twice", batch.number)
            continue
        passed.add(batch.number)
        if batch.number != number + 1:
            report.say(findings.BATCH, _missing(number + 1, batch.number - 1), number + 1)
            follows = "?"
        number = batch.number
        report.seals += 1
        seal, flaw = _read(batch, keys)
        if seal is not None and not flaw and follows not in ("?", seal.previous):
            flaw = f"it does not follow batch {number - 1} as that is now"
        if head is not None and head[0] == number and head[1] != batch.hash:
            report.say(findings.HEAD, f"batch {number} is another than was noted down", number)
        if flaw or seal is None:
            report.say(findings.BATCH, f"batch {number}: {flaw}", number)
        else:
            _take(chain, batch, seal)
        follows = batch.hash if seal is not None else "?"
        report.head = (number, batch.hash, seal.sealed_at if seal else "?")
    if head is not None and head[0] > number:
        text = f"batch {head[0]} was noted down, the last one is {number}: seals were cut off"
        report.say(findings.HEAD, text, number + 1)
    chain.is_complete = not report.findings
    return chain


def _missing(first: int, last: int) -> str:
    if last < first:
        return f"batch {last + 1} stands where batch {first} should"
    return f"batch {first} is missing" + (f", so are those up to {last}" if last > first else "")


def _read(batch: Batch, keys: list[PublicKey]) -> tuple[Seal | None, str]:
    try:
        seal = seal_in(batch.statement, keys)
    except StatementError as error:
        return None, str(error)
    return seal, flaw_of(batch, seal)


def _take(chain: Chain, batch: Batch, seal: Seal) -> None:
    if seal.kind == PRUNED and seal.before is not None:
        chain.pruned.append((seal.number, seal.before.bytes))
    elif seal.first_id is not None and seal.last_id is not None:
        ends = (seal.first_id.bytes, seal.last_id.bytes)
        if batch.ids is None or batch.leaves is None:
            chain.left_out.append(ends)
        else:
            chain.spans.append(Span(ends[0], seal.number, seal.late))
        settled = first_uuid7(datetime.fromisoformat(seal.sealed_at) - SETTLED_AFTER).bytes
        chain.sealed_before = max(chain.sealed_before, min(ends[1], settled))


def check_rows(
    lines: Lines,
    chain: Chain,
    load: Callable[[int], Batch],
    report: Report,
    *,
    within: tuple[bytes, bytes] | None = EVERYTHING,
) -> None:
    """Compare the rows with the sound batches, which `load` gives by number. `within`: between
    which ids none may be missing; None when the rows are a selection.
    """
    sealed = _sealed(chain, load)
    expected = next(sealed, None)
    for row_id, line in lines:
        while expected is not None and expected[0] < row_id:
            _note_missing(expected, chain, report, within)
            expected = next(sealed, None)
        if expected is None or row_id != expected[0]:
            _note_unsealed(row_id, chain, report)
            continue
        if merkle.leaf_hash(line) != expected[1]:
            report.of_row(findings.ALTERED, row_id, expected[2].number)
        _note_compared(expected, report)
        expected = next(sealed, None)
    while expected is not None:
        _note_missing(expected, chain, report, within)
        expected = next(sealed, None)
    if not report.seals and report.unsealed:
        report.say(findings.BATCH, _NO_SEALS)
    if not chain.is_complete:
        # The rows of a missing batch look like that.
        report.forget([findings.INSERTED])


Expected = tuple[bytes, bytes, Span]


def _sealed(chain: Chain, load: Callable[[int], Batch]) -> Iterator[Expected]:
    """Id, leaf and batch of all sealed rows, by id. A batch is opened when its ids begin."""
    waiting = sorted(chain.spans, key=lambda one: one.first, reverse=True)
    heap: list[tuple[bytes, int, bytes, Span, Iterator[tuple[bytes, bytes]]]] = []
    while heap or waiting:
        while waiting and (not heap or waiting[-1].first <= heap[0][0]):
            span = waiting.pop()
            rows = _rows_of(load(span.number))
            row_id, leaf = next(rows)
            heapq.heappush(heap, (row_id, span.number, leaf, span, rows))
        row_id, number, leaf, span, rows = heap[0]
        yield row_id, leaf, span
        following = next(rows, None)
        if following is None:
            heapq.heappop(heap)
        else:
            heapq.heapreplace(heap, (following[0], number, following[1], span, rows))


def _rows_of(batch: Batch) -> Iterator[tuple[bytes, bytes]]:
    ids, leaves = batch.ids or b"", batch.leaves or b""
    return zip(parts(ids, ID_SIZE), parts(leaves, merkle.SIZE), strict=True)


def _note_compared(expected: Expected, report: Report) -> None:
    report.rows += 1
    if expected[2].late:
        report.late += 1
        report.first_late = report.first_late or expected[0]


def _note_missing(expected: Expected, chain: Chain, report: Report, within: Any) -> None:
    row_id, _, span = expected
    if within is None or not within[0] <= row_id <= within[1]:
        return
    if chain.is_pruned(row_id, span.number):
        report.pruned += 1
    else:
        report.of_row(findings.REMOVED, row_id, span.number)


def _note_unsealed(row_id: bytes, chain: Chain, report: Report) -> None:
    if any(first <= row_id <= last for first, last in chain.left_out):
        report.uncovered += 1
    elif row_id < chain.sealed_before:
        report.of_row(findings.INSERTED, row_id)
    else:
        report.unsealed += 1
        report.first_unsealed = report.first_unsealed or row_id
