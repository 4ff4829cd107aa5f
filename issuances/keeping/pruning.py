"""Taking old rows out of the log: whole months where these are partitions, else batch by batch.

What is said of a part is exact and read from that part alone; it goes part by part, each in short
transactions, so a run that ends early has done no harm and the next one goes on.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db import connection, transaction

from issuances.briefly import briefly
from issuances.identifiers import FIRST_ID
from issuances.keeping.partitions import TABLE, Partition, partitions
from issuances.models import Issuance

BATCH = 5_000  # rows
# Seconds between batches, or as long as the one before took, in which others write. SQLite has one
# writer at a time, and those who wait look every tenth of a second.
PAUSE = 0.1


@dataclass(frozen=True, slots=True)
class Part:
    """Rows that go together: those with ids from `first` on, before `end`.

    `partition` is the name of the one that goes as a whole, or empty; `bytes` what the disk gets
    back, where that is known. The ids of its oldest and newest row are None where there are none.
    """

    first: UUID
    end: UUID
    partition: str
    rows: int
    oldest: UUID | None
    newest: UUID | None
    bytes: int | None


def parts_before(end: UUID) -> list[Part]:
    """What to take out so that no row before `end` is left, in this order. Raises django.db.Error.

    The last one has what lies in partitions that also have younger rows.
    """
    whole = [one for one in partitions() if one.end is not None and one.end <= end]
    parts = [_part(one.first, one.end or end, one) for one in whole]
    # The rest is what remains once those are gone.
    rest = Issuance.objects.filter(id__lt=end)
    for part in parts:
        rest = rest.exclude(id__gte=part.first, id__lt=part.end)
    oldest, newest = _ends(rest)
    if oldest is not None:
        parts.append(Part(FIRST_ID, end, "", rest.count(), oldest, newest, None))
    return parts


def _part(first: UUID, end: UUID, partition: Partition) -> Part:
    rows = Issuance.objects.filter(id__gte=first, id__lt=end)
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_total_relation_size(%s)", [partition.oid])
        size = cursor.fetchone()[0]
    return Part(first, end, partition.name, rows.count(), *_ends(rows), bytes=size)


def _ends(rows: Any) -> tuple[UUID | None, UUID | None]:
    ids = rows.values_list("id", flat=True)
    return ids.order_by("id").first(), ids.order_by("-id").first()


def remove(part: Part) -> Iterator[int]:
    """Take the part out: numbers of rows, as they are gone. Raises Busy, django.db.Error."""
    if part.partition:
        # Nobody writes into it any more: its rows are those that were counted.
        if briefly(lambda cursor: _drop(cursor, part.partition)):
            yield part.rows
        return
    while (last := _last_of_batch(part)) is not None:
        begun = time.monotonic()
        with transaction.atomic():
            gone, _ = Issuance.objects.filter(id__gte=part.first, id__lte=last).delete()
        yield gone
        time.sleep(max(PAUSE, time.monotonic() - begun))


def _drop(cursor: Any, name: str) -> bool:
    """Whether it was there: somebody else may be pruning too."""
    cursor.execute(f"LOCK TABLE ONLY {TABLE} IN ACCESS EXCLUSIVE MODE")
    child = (
        "SELECT FROM pg_inherits WHERE inhrelid = to_regclass(%s) AND inhparent = to_regclass(%s)"
    )
    cursor.execute(child, [name, TABLE])
    if cursor.fetchone() is None:
        return False
    # The files go after the commit, when nobody waits for a lock any more.
    cursor.execute(f"DROP TABLE {connection.ops.quote_name(name)}")
    return True


def _last_of_batch(part: Part) -> UUID | None:
    rows = Issuance.objects.filter(id__gte=part.first, id__lt=part.end)
    ids = rows.order_by("id").values_list("id", flat=True)
    last: UUID | None = (
        ids[BATCH - 1 : BATCH].first() or rows.order_by("-id").values_list("id", flat=True).first()
    )
    return last
