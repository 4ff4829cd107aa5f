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
from issuances.finding.filters import Filtered
from issuances.identifiers import first_uuid7, time_of
from issuances.models import Issuance, SealedBatch
from issuances.sealing.merkle import leaf_hash
from issuances.sealing.seals import ID_SIZE, PRUNED, ROWS, Seal, hash_of, parts, seal_of_rows
from issuances.sealing.verification import SETTLED_AFTER

BATCH = 10_000  # rows
LOOK_BACK = timedelta(hours=24)
_IN_ONE_QUERY = 500  # ids: SQLite takes no more than some hundred parameters

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
    sealed_up_to = _newest_sealed()
    low = UUID(int=0)
    if sealed_up_to is not None:
        low = UUID(int=sealed_up_to.int + 1)
        back_to = min(time_of(sealed_up_to), now) - LOOK_BACK
        begin = UUID(int=0) if everything else first_uuid7(back_to)
        for late in _in_batches(_late_leaves(begin, min(low, high)), size):
            yield _sealed(head, late, sign, now, late=True)
    for leaves in _in_batches(_leaves(low, high), size):
        yield _sealed(head, leaves, sign, now, late=False)


def _newest_sealed() -> UUID | None:
    ids = SealedBatch.objects.exclude(last_id=None).order_by("-last_id")
    return ids.values_list("last_id", flat=True).first()


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


def is_in_use() -> bool:
    """Whether anything has ever been sealed."""
    return SealedBatch.objects.exists()


def is_overdue(now: datetime, after: timedelta) -> bool:
    """Whether sealing is in use and a row has waited for its seal longer than `after`."""
    newest = _newest_sealed()
    if newest is None:
        return False
    return Issuance.objects.filter(id__gt=newest, id__lt=first_uuid7(now - after)).exists()


def unsealed_before(before: UUID) -> int:
    """How many rows with smaller ids no seal covers. Reads all of their ids."""
    return sum(1 for _ in _unsealed_ids(UUID(int=0), before))


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
    ids = _unsealed_ids(low, high)
    while some := list(islice(ids, _IN_ONE_QUERY)):
        rows = Issuance.objects.filter(id__in=some).order_by("id").values_list(*FIELDS)
        for values in rows:
            yield values[0].bytes, leaf_hash(line_of_values(values))


def _unsealed_ids(low: UUID, high: UUID) -> Iterator[UUID]:
    """Those that no batch has, from `low` on and before `high`."""
    ids = Issuance.objects.order_by("id").values_list("id", flat=True)
    while some := list(ids.filter(id__gte=low, id__lt=high)[:BATCH]):
        sealed = _sealed_ids(some[0], some[-1])
        yield from (one for one in some if one.bytes not in sealed)
        low = UUID(int=some[-1].int + 1)


def _sealed_ids(first: UUID, last: UUID) -> set[bytes]:
    batches = SealedBatch.objects.filter(number__in=numbers_around(first, last))
    blobs = batches.values_list("ids", flat=True)
    low, high = first.bytes, last.bytes
    ids = (one for blob in blobs.iterator() for one in parts(bytes(blob or b""), ID_SIZE))
    return {one for one in ids if low <= one <= high}


def numbers_around(first: UUID, last: UUID) -> list[int]:
    """The batches that may have rows with ids from `first` to `last`.

    Those that are not late follow each other in the order of their ids: all that end within, and
    the next one. So no more of them are read, however many seals there are.
    """
    rows = SealedBatch.objects.filter(kind=ROWS).order_by("last_id")
    in_order, late = rows.filter(late=False), rows.filter(late=True)
    within = in_order.filter(last_id__gte=first, last_id__lte=last)
    following = in_order.filter(last_id__gt=last).values_list("number", "first_id").first()
    numbers = list(within.values_list("number", flat=True))
    if following is not None and following[1] is not None and following[1] <= last:
        numbers.append(following[0])
    overlapping = late.filter(last_id__gte=first, first_id__lte=last)
    return [*numbers, *overlapping.values_list("number", flat=True)]
