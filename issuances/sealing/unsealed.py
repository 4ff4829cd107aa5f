"""Which rows of the log have no seal yet, and which batches may have the others."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import islice
from uuid import UUID

from django.db import transaction

from issuances.identifiers import FIRST_ID, LAST_ID, first_uuid7, next_id
from issuances.models import Issuance, SealedBatch
from issuances.sealing.seals import ID_SIZE, PRUNED, ROWS, parts
from issuances.statements import unverified_claims

_AT_ONCE, IN_ONE_QUERY = 10_000, 500  # ids
_BATCHES_AT_ONCE = 20


def is_in_use() -> bool:
    """Whether anything has ever been sealed."""
    return SealedBatch.objects.exists()


def is_overdue(now: datetime, after: timedelta) -> bool:
    """Whether sealing is in use and a row has waited for its seal longer than `after`."""
    newest = newest_sealed(first_uuid7(now))
    if newest is None:
        return False
    return Issuance.objects.filter(id__gt=newest, id__lt=first_uuid7(now - after)).exists()


def unsealed_before(before: UUID) -> int:
    """How many rows with smaller ids no seal covers. Reads all of their ids."""
    return sum(1 for _ in unsealed_ids(FIRST_ID, before))


def newest_sealed(before: UUID = LAST_ID) -> UUID | None:
    """The greatest last id of a batch that ends before `before`. Raises django.db.Error."""
    ids = SealedBatch.objects.filter(last_id__lt=before).order_by("-last_id")
    return ids.values_list("last_id", flat=True).first()


def unsealed_ids(low: UUID, high: UUID) -> Iterator[UUID]:
    """Those that no batch has, from `low` on and before `high`."""
    ids = Issuance.objects.order_by("id").values_list("id", flat=True)
    while some := list(ids.filter(id__gte=low, id__lt=high)[:_AT_ONCE]):
        sealed = _sealed_ids(some[0], some[-1])
        yield from (one for one in some if one.bytes not in sealed)
        low = next_id(some[-1])


def _sealed_ids(first: UUID, last: UUID) -> set[bytes]:
    batches = SealedBatch.objects.filter(number__in=numbers_around(first, last))
    blobs = batches.values_list("ids", flat=True)
    low, high = first.bytes, last.bytes
    with transaction.atomic():  # which keeps a pooler from giving the cursor to others
        some = blobs.iterator(chunk_size=_BATCHES_AT_ONCE)
        ids = (one for blob in some for one in parts(bytes(blob or b""), ID_SIZE))
        return {one for one in ids if low <= one <= high}


def missing_before(before: UUID) -> Iterator[UUID]:
    """Sealed rows with smaller ids that are not in the log, though no seal says that they were
    pruned. Reads the ids of all that were not.
    """
    low = _pruned_before()
    for number in numbers_around(low, before):
        blob = SealedBatch.objects.values_list("ids", flat=True).get(number=number)
        sealed = (UUID(bytes=one) for one in parts(bytes(blob or b""), ID_SIZE))
        expected = (one for one in sealed if low <= one < before)
        while some := list(islice(expected, IN_ONE_QUERY)):
            there = set(Issuance.objects.filter(id__in=some).values_list("id", flat=True))
            yield from (one for one in some if one not in there)


def _pruned_before() -> UUID:
    """Up to which ids rows may be gone, as the seals say; verifying them is not done here."""
    pruned = SealedBatch.objects.filter(kind=PRUNED).values_list("statement", flat=True)
    said = (unverified_claims(statement).get("before") for statement in pruned)
    return max((UUID(text) for text in said if text), default=FIRST_ID)


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
