"""The log and its seals in the database, as verification takes them: a batch, or some thousand
rows, at a time.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from django.db import connection

from issuances.encoding import line_of, time_text
from issuances.exporting.exports import NDJSON, lines_of
from issuances.finding.filtered import Filtered
from issuances.identifiers import LAST_ID
from issuances.models import Issuance, SealedBatch
from issuances.sealing import findings
from issuances.sealing.chain import check_chain
from issuances.sealing.findings import Report
from issuances.sealing.proofs import proof_of
from issuances.sealing.seal_files import line_of_batch
from issuances.sealing.seals import ID_SIZE, PRUNED, Batch, parts
from issuances.sealing.sqlite_rows import Unreadable, lines_if_usual, odd_ids
from issuances.sealing.unsealed import numbers_around
from issuances.sealing.verification import check_rows
from issuances.statements import PublicKey

_ATTEMPTS = 3
_IN_ONE_QUERY = 20  # batches, of half a megabyte at most


class NotSealedYet(LookupError):
    """No batch has the row."""


class StoredSeals:
    """All batches in the database, by number, and each by its number."""

    def __iter__(self) -> Iterator[Batch]:
        """Raises django.db.Error."""
        ordered = SealedBatch.objects.order_by("number")
        found = list(ordered[:_IN_ONE_QUERY])
        while found:
            yield from map(_batch, found)
            found = list(ordered.filter(number__gt=found[-1].number)[:_IN_ONE_QUERY])

    def load(self, number: int) -> Batch:
        """One that has gone meanwhile is empty. Raises django.db.Error."""
        found = SealedBatch.objects.filter(number=number).first()
        return Batch(number, "", b"", b"") if found is None else _batch(found)


def verify_log(keys: list[PublicKey], *, head: tuple[int, str] | None = None) -> Report:
    """Compare all rows with all seals. Raises django.db.Error.

    What is sealed or pruned while the comparison runs may look like harm; then it is made again.
    """
    for _attempt in range(_ATTEMPTS):
        report, seals = Report(), StoredSeals()
        chain = check_chain(seals, keys, report, head=head)
        try:
            check_rows(_lines(), chain, seals.load, report, now=datetime.now(UTC))
        except Unreadable as error:
            report.say(findings.ALTERED, str(error))
        if Issuance.objects.filter(id=LAST_ID).exists():  # no search reaches it
            report.of_row(findings.FUTURE, LAST_ID.bytes)
        if connection.vendor == "sqlite" and (flaw := odd_ids()):
            report.say(findings.INSERTED, flaw)
        newest = SealedBatch.objects.values_list("number", flat=True).first()
        if not report.findings or newest == (report.head and report.head[0]):
            break
    return report


def seal_lines(first: UUID, last: UUID) -> Iterator[bytes]:
    """A file of seals for rows with ids from `first` to `last`: all statements, so that the chain
    can be verified, but ids and leaves only of the batches that may have such rows.
    """
    for batch in StoredSeals():
        stored = batch.shown
        if (
            not stored["first_id"]
            or stored["first_id"] > str(last)
            or stored["last_id"] < str(first)
        ):
            batch = Batch(batch.number, batch.statement)
        yield line_of_batch(batch)


def proof_for(row_id: UUID) -> dict[str, Any]:
    """The proof of a row. Raises Issuance.DoesNotExist, NotSealedYet, ProofError."""
    row = Issuance.objects.get(id=row_id)
    found = batch_with(row_id)
    if found is None:
        raise NotSealedYet(str(row_id))
    return proof_of(line_of(row), row_id, _batch(found))


def batch_with(row_id: UUID) -> SealedBatch | None:
    """The batch in which the row is sealed, if any; without its leaves."""
    for number in numbers_around(row_id, row_id):
        batch = SealedBatch.objects.defer("leaves").get(number=number)
        if row_id.bytes in parts(bytes(batch.ids or b""), ID_SIZE):
            return batch
    return None


def _lines() -> Iterator[tuple[bytes, bytes]]:
    if connection.vendor == "sqlite":
        yield from lines_if_usual()
        return
    for row_id, line in lines_of(Filtered(), NDJSON):
        yield row_id.bytes, line[:-1].encode()


def _batch(stored: SealedBatch) -> Batch:
    shown = {
        "kind": stored.kind,
        "sealed_at": time_text(stored.sealed_at),
        "rows": stored.rows,
        "first_id": str(stored.first_id or ""),
        "last_id": str(stored.last_id or ""),
    }
    if stored.kind == PRUNED:
        return Batch(stored.number, stored.statement, shown=shown)
    shown["late"] = stored.late
    # In the database none of them is left out.
    ids, leaves = bytes(stored.ids or b""), bytes(stored.leaves or b"")
    return Batch(stored.number, stored.statement, ids, leaves, shown)
