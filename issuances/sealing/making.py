"""Sealing the log: which rows are not sealed yet, and their batches, each in a transaction of its
own that touches no row of the log.

Rows are sealed in the order of their ids. One that comes late, by a slow commit or a clock that
was set back, has a smaller id than rows that are sealed already; it gets into a batch of late ones.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice
from typing import Any
from uuid import UUID

from django.db import IntegrityError, transaction

from issuances.encoding import FIELDS, line_of_values, time_text
from issuances.exporting.exports import NDJSON, lines_of
from issuances.finding.filtered import Filtered
from issuances.identifiers import FIRST_ID, first_uuid7, next_id, time_of
from issuances.models import Issuance, SealedBatch
from issuances.sealing.chain import SETTLED_AFTER
from issuances.sealing.merkle import leaf_hash
from issuances.sealing.seals import PRUNED, Seal, hash_of, seal_of_rows
from issuances.sealing.unsealed import IN_ONE_QUERY, newest_sealed, unsealed_ids

BATCH = 10_000  # rows
LOOK_BACK = timedelta(hours=24)

Sign = Callable[[dict[str, Any]], str]
Leaf = tuple[bytes, bytes]
"""A row's id, and the hash of its line."""


class SealedMeanwhile(Exception):
    """Somebody else is sealing; what is left is left to them."""


@dataclass(slots=True)
class Head:
    """The newest seal: what the next one is made after."""

    number: int = 0
    hash: str = ""
    sealed_at: datetime | None = None

    def __str__(self) -> str:
        return f"{self.number}:{self.hash}"


def newest_head() -> Head:
    """Raises django.db.Error."""
    newest = SealedBatch.objects.defer("ids", "leaves").first()
    if newest is None:
        return Head()
    return Head(newest.number, hash_of(newest.statement), newest.sealed_at)


def seal_rows(
    sign: Sign,
    now: datetime,
    *,
    settle: timedelta = SETTLED_AFTER,
    everything: bool = False,
    size: int = BATCH,
) -> Iterator[Seal]:
    """Seal what is older than `settle`, in batches of up to `size` rows; `everything`: look for
    late rows in the whole log, not only in the last `LOOK_BACK`.

    Raises SealedMeanwhile, django.db.Error, and what `sign` raises.
    """
    head = newest_head()  # first: whoever seals in between takes the next number
    high = first_uuid7(now - settle)
    sealed_up_to = newest_sealed()
    low = FIRST_ID
    if sealed_up_to is not None:
        low = next_id(sealed_up_to)
        back_to = min(time_of(sealed_up_to), now) - LOOK_BACK
        begin = FIRST_ID if everything else first_uuid7(back_to)
        for late in _in_batches(_late_leaves(begin, min(low, high)), size):
            yield _sealed(head, late, sign, now, late=True)
    for leaves in _in_batches(_leaves(low, high), size):
        yield _sealed(head, leaves, sign, now, late=False)


def seal_pruning(sign: Sign, now: datetime, *, before: UUID, rows: int) -> Seal:
    """Seal that sealed rows with ids below `before` go, some `rows` of them: before they go.

    Raises SealedMeanwhile, django.db.Error, and what `sign` raises.
    """
    head = newest_head()
    seal = Seal(
        head.number + 1, PRUNED, sealed_at=time_text(now), previous=head.hash, rows=rows,
        before=before,
    )  # fmt: skip
    _store(head, seal, sign, now)
    return seal


def _sealed(head: Head, leaves: list[Leaf], sign: Sign, now: datetime, *, late: bool) -> Seal:
    ids, hashes = [leaf[0] for leaf in leaves], [leaf[1] for leaf in leaves]
    beside = {"number": head.number + 1, "sealed_at": time_text(now), "previous": head.hash}
    seal = seal_of_rows(ids, hashes, late=late, **beside)
    _store(head, seal, sign, now, ids=b"".join(ids), leaves=b"".join(hashes))
    return seal


def _store(head: Head, seal: Seal, sign: Sign, now: datetime, **blobs: bytes) -> None:
    statement = sign(seal.as_json())
    batch = SealedBatch(
        number=seal.number,
        kind=seal.kind,
        sealed_at=now,
        rows=seal.rows,
        first_id=seal.first_id,
        last_id=seal.last_id,
        late=seal.late,
        statement=statement,
        **blobs,
    )
    try:
        with transaction.atomic():
            batch.save(force_insert=True)
    except IntegrityError:
        raise SealedMeanwhile(f"batch {seal.number} was sealed by somebody else") from None
    head.number, head.hash, head.sealed_at = seal.number, hash_of(statement), now


def _in_batches(leaves: Iterator[Leaf], size: int) -> Iterator[list[Leaf]]:
    while batch := list(islice(leaves, size)):
        yield batch


def _leaves(low: UUID, high: UUID) -> Iterator[Leaf]:
    for row_id, line in lines_of(Filtered(low=low, high=high), NDJSON):
        yield row_id.bytes, leaf_hash(line[:-1].encode())


def _late_leaves(low: UUID, high: UUID) -> Iterator[Leaf]:
    ids = unsealed_ids(low, high)
    while some := list(islice(ids, IN_ONE_QUERY)):
        rows = Issuance.objects.filter(id__in=some).order_by("id").values_list(*FIELDS)
        for values in rows:
            yield values[0].bytes, leaf_hash(line_of_values(values))
