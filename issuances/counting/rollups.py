"""The roll-up of the log: each hour and each day counted once, so that charts stay quick.

Rows never change, so a period is as it was counted while it has as many rows as then. What differs
is counted again: a row that was committed late, or by a clock that stood back. Where rows have
been pruned, what was counted before stays. A run may be killed at any moment, and two may run at
once: each period is written in one short transaction, after a look whether it still holds.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from uuid import UUID

from django.db import connection, transaction

from issuances.counting.rollup_counts import (
    DIMENSIONS,
    TOTAL,
    Counts,
    all_counts,
    counts_by_key,
    ids_between,
    number_of_rows,
)
from issuances.identifiers import first_uuid7, time_of
from issuances.models import Issuance, Rollup

Span = Rollup.Span
LENGTH = {Span.HOUR: timedelta(hours=1), Span.DAY: timedelta(days=1)}
KEPT = 50  # keys of each dimension
# Hours that lie further back are only shown within their days: their keys go, their totals stay.
KEYS_OF_HOURS = timedelta(days=7)
# A row has its id before it is committed; a period is counted when that long has passed.
SETTLES = timedelta(minutes=2)
# How far back periods are looked at again.
LOOKS_BACK = timedelta(hours=48)
# Of a longer time without rows little is written: one row of a clock that was decades wrong would
# make half a million hours to count.
_GAP = timedelta(days=40)
_CHUNK = 1_000  # periods whose counts are read at once


@dataclass(slots=True)
class Done:
    """What a run did: the periods that it counted, those that it left because their rows changed
    meanwhile (the next run counts them), and those it left because rows of them have been pruned.
    """

    counted: dict[Span, int] = field(default_factory=lambda: dict.fromkeys(Span, 0))
    postponed: int = 0
    kept: int = 0


@dataclass(frozen=True, slots=True)
class Period:
    """An hour or a day in UTC."""

    span: Span
    begin: datetime

    @property
    def end(self) -> datetime:
        """The first moment after it."""
        return self.begin + LENGTH[self.span]

    @property
    def ids(self) -> tuple[UUID, UUID]:
        """Of its rows."""
        return ids_between(self.begin, self.end)


def floor(at: datetime, span: Span) -> datetime:
    """When the hour or the day began."""
    at = at.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
    return at if span == Span.HOUR else at.replace(hour=0)


def oldest_row() -> datetime | None:
    """When the oldest row was made that is still there."""
    oldest = Issuance.objects.order_by("id").values_list("id", flat=True).first()
    return None if oldest is None else time_of(oldest)


def roll_up(
    now: datetime,
    *,
    begin: datetime | None = None,
    until: datetime | None = None,
    everything: bool = False,
) -> Done:
    """Count what has not been counted, newest first, and again what has changed: of the last 48
    hours, with `everything` of all times. With `begin` or `until` count all between them again.

    Raises django.db.Error.
    """
    done = Done()
    oldest = oldest_row()
    if oldest is None:
        return done
    forced = begin is not None or until is not None
    look_from = oldest if everything else now - LOOKS_BACK
    for span in Span:
        first = floor(max(begin or oldest, oldest), span)
        last = min(now - SETTLES, until or now)
        for period, known in _periods(span, first, last):
            looked_at = period.end > look_from
            if forced or known is None or (looked_at and number_of_rows(*period.ids) != known):
                with_keys = span == Span.DAY or period.begin >= now - KEYS_OF_HOURS
                _count(period, known, done, with_keys=with_keys)
    old = Rollup.objects.filter(span=Span.HOUR, begin__lt=now - KEYS_OF_HOURS)
    old.filter(dimension__in=DIMENSIONS).delete()
    return done


def _periods(span: Span, first: datetime, last: datetime) -> Iterator[tuple[Period, int | None]]:
    """Those that have ended by `last`, newest first, each with how many rows it was counted for."""
    end = looked_from = floor(last, span)
    while end > first:
        begin = max(first, end - _CHUNK * LENGTH[span])
        totals = Rollup.objects.filter(
            span=span, dimension=TOTAL, begin__gte=begin, begin__lt=end
        ).values_list("begin", "granted", "part", "refused")
        known = {at: sum(counts) for at, *counts in totals}
        while end > begin:
            if end <= looked_from and end - LENGTH[span] not in known:
                if (newest := _newest_row(end)) < end - _GAP:
                    end = floor(newest, span) + LENGTH[span]
                    break
                looked_from = end - _GAP / 2
            end -= LENGTH[span]
            yield Period(span, end), known.get(end)


def _newest_row(before: datetime) -> datetime:
    rows = Issuance.objects.filter(id__lt=first_uuid7(before)).order_by("-id")
    newest = rows.values_list("id", flat=True).first()
    return datetime.min.replace(tzinfo=UTC) if newest is None else time_of(newest)


def _count(period: Period, known: int | None, done: Done, *, with_keys: bool) -> None:
    """Count a period and write it down, if it still is like that."""
    total = all_counts(*period.ids)
    if known is not None and total.rows < known and _is_pruned(period):
        done.kept += 1
        return
    counted = {TOTAL: {"": total}}
    for dimension in DIMENSIONS if total.rows and with_keys else ():
        counted[dimension] = counts_by_key(dimension, *period.ids, KEPT)
    if _write(period, counted):
        done.counted[period.span] += 1
    else:
        done.postponed += 1


def _is_pruned(period: Period) -> bool:
    """Whether what it lacks may have been pruned: the oldest row that is there is no older."""
    oldest = oldest_row()
    return oldest is None or oldest >= period.begin


def _write(period: Period, counted: dict[str, dict[str, Counts]]) -> bool:
    """Whether it was written. Who writes waits for others; who reads does not."""
    with transaction.atomic():
        if connection.vendor == "postgresql":
            with connection.cursor() as cursor:
                cursor.execute("LOCK TABLE issuances_rollup IN SHARE ROW EXCLUSIVE MODE")
        if number_of_rows(*period.ids) != counted[TOTAL][""].rows:
            return False
        dimensions = (TOTAL, *DIMENSIONS)
        of_it = Rollup.objects.filter(span=period.span, begin=period.begin)
        of_it.filter(dimension__in=dimensions).delete()
        Rollup.objects.bulk_create(_rows(period, counted))
    return True


def _rows(period: Period, counted: dict[str, dict[str, Counts]]) -> Iterator[Rollup]:
    for dimension, by_key in counted.items():
        for key, counts in by_key.items():
            yield Rollup(
                span=period.span,
                begin=period.begin,
                dimension=dimension,
                key=key,
                granted=counts.granted,
                part=counts.part,
                refused=counts.refused,
            )
