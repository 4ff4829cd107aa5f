"""The chain of seals, from the first on: which are sound, and of which rows they speak. Pure."""

from __future__ import annotations

import hashlib
from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import accumulate
from operator import itemgetter

from issuances.identifiers import first_uuid7
from issuances.sealing import findings
from issuances.sealing.findings import Report
from issuances.sealing.seals import ID_SIZE, PRUNED, Batch, Seal, flaw_of, seal_in
from issuances.statements import PublicKey, StatementError

SETTLED_AFTER = timedelta(seconds=60)
"""How old a row is before it is sealed: whatever was asked before has been committed by then."""


@dataclass(slots=True)
class SoundBatch:
    """A sound batch of rows that can be compared: where it begins, what to load it by, and the hash
    of its ids and leaves, by which it is known again.
    """

    first: bytes
    number: int
    late: bool
    content: bytes


@dataclass(slots=True)
class Chain:
    """What the seals say, as far as they are sound. `is_complete`: none is missing or broken."""

    batches: list[SoundBatch] = field(default_factory=list)
    left_out: list[tuple[bytes, bytes]] = field(default_factory=list)
    """First and last id of batches whose ids and leaves are not there."""
    pruned: list[tuple[int, bytes, str]] = field(default_factory=list)  # number, before, when
    is_complete: bool = True
    sealed_before: bytes = bytes(ID_SIZE)
    """Rows with smaller ids ought to have been sealed."""
    _pruned_before: list[bytes] = field(default_factory=list)
    _left_out_until: list[bytes] = field(default_factory=list)

    def is_pruned(self, row_id: bytes, number: int) -> bool:
        """Whether a row of that batch may be gone: a later seal says so."""
        if len(self._pruned_before) != len(self.pruned):
            latest_first = (before for _number, before, _when in reversed(self.pruned))
            self._pruned_before = list(accumulate(latest_first, max))[::-1]
        at = bisect_right(self.pruned, number, key=itemgetter(0))
        return at < len(self.pruned) and row_id < self._pruned_before[at]

    def is_left_out(self, row_id: bytes) -> bool:
        """Whether a batch may have it whose ids are not there."""
        if len(self._left_out_until) != len(self.left_out):
            self.left_out.sort()
            self._left_out_until = list(accumulate((last for _, last in self.left_out), max))
        at = bisect_right(self.left_out, row_id, key=itemgetter(0))
        return at > 0 and row_id <= self._left_out_until[at - 1]

    def excuse_only_until(self, at: str) -> None:
        """Forget what was pruned later: rows that an archive has were there when it was made."""
        self.pruned = [one for one in self.pruned if one[2] < at]


def check_chain(
    seals: Iterable[Batch],
    keys: list[PublicKey],
    report: Report,
    *,
    head: tuple[int, str] | None = None,
) -> Chain:
    """Verify the seals, in the order of their numbers, from 1 on. `head`: a number and a hash that
    were noted down earlier.
    """
    chain, follows, number = Chain(), "", 0
    found_before = len(report.findings)
    passed: set[int] = set()
    for batch in seals:
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
    chain.is_complete = len(report.findings) == found_before
    return chain


def content_of(batch: Batch) -> bytes:
    """The hash of what it says of its rows."""
    return hashlib.sha256((batch.ids or b"") + (batch.leaves or b"")).digest()


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
        chain.pruned.append((seal.number, seal.before.bytes, seal.sealed_at))
    elif seal.first_id is not None and seal.last_id is not None:
        ends = (seal.first_id.bytes, seal.last_id.bytes)
        if batch.ids is None or batch.leaves is None:
            chain.left_out.append(ends)
        else:
            chain.batches.append(SoundBatch(ends[0], seal.number, seal.late, content_of(batch)))
        settled = first_uuid7(datetime.fromisoformat(seal.sealed_at) - SETTLED_AFTER).bytes
        chain.sealed_before = max(chain.sealed_before, min(ends[1], settled))
