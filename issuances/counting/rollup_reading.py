"""What happened lately, from the roll-up and, after its end, from the rows themselves.

Days come from the roll-up of days, what has passed of the last day from that of hours, and what
no run has reached yet is counted here: at most so many of the newest rows, so that it takes no
longer where the roll-up is never run. What has not been counted by either is told from nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import groupby
from uuid import UUID

from django.db.models import Case, Count, F, Q, Sum, When
from django.db.models.functions import TruncHour

from issuances.counting.rollup_counts import COLUMNS, DIMENSIONS, TOTAL, Counts, counts_by_key
from issuances.counting.rollups import KEPT, LENGTH, Span, floor, oldest_row
from issuances.expressions import OutcomeCode
from issuances.identifiers import first_uuid7, next_id, time_of
from issuances.models import Issuance, Rollup

LIVE_ROWS = 20_000
_HOUR = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Slot:
    """A bar of a chart. Not `is_counted` when some of it was reached neither by the roll-up nor by
    the rows that are counted here.
    """

    begin: datetime
    end: datetime
    counts: Counts
    is_counted: bool


@dataclass(frozen=True, slots=True)
class Range:
    """Where the numbers of a time come from: the roll-up of days up to `days_until`, that of hours
    up to `hours_until`, and rows with ids from `live_from` on.
    """

    begin: datetime
    days_until: datetime
    hours_until: datetime
    now: datetime
    live_from: UUID
    is_cut: bool

    @property
    def rolled_up(self) -> Q:
        """The rows of the roll-up."""
        days = Q(span=Span.DAY, begin__gte=self.begin, begin__lt=self.days_until)
        hours = Q(span=Span.HOUR, begin__gte=self.days_until, begin__lt=self.hours_until)
        return days | hours

    @property
    def live_until(self) -> UUID:
        """The id after the last that can be counted now."""
        return first_uuid7(self.now + _HOUR)


@dataclass(slots=True)
class Ranking:
    """The keys with the most rows, those first; how many rows have none of them."""

    keys: dict[str, Counts] = field(default_factory=dict)
    others: Counts = field(default_factory=Counts)


def range_of(begin: datetime, now: datetime, *, by_day: bool) -> Range:
    """The sources for the time from `begin`, which is a full hour, or day, to now."""
    days_until = _end_of(Span.DAY, begin) if by_day else begin
    hours_until = _end_of(Span.HOUR, days_until)
    live_from, is_cut = first_uuid7(hours_until), False
    newest = Issuance.objects.filter(id__gte=live_from).order_by("-id")
    beyond = newest.values_list("id", flat=True)[LIVE_ROWS : LIVE_ROWS + 1].first()
    if beyond is not None:
        live_from, is_cut = next_id(beyond), True
    return Range(begin, days_until, hours_until, now, live_from, is_cut)


def _end_of(span: Span, at_least: datetime) -> datetime:
    """Up to where the roll-up of the span reaches."""
    totals = Rollup.objects.filter(span=span, dimension=TOTAL, begin__gte=at_least)
    newest = totals.order_by("-begin").values_list("begin", flat=True).first()
    return at_least if newest is None else newest + LENGTH[span]


def slots_of(source: Range, step: timedelta) -> list[Slot]:
    """The bars from the begin to now, each `step` long, the last cut off by now. Raises
    django.db.Error, as all here do.
    """
    number = int((source.now - source.begin) / step) + 1
    counts, is_counted = [Counts()] * number, [True] * number

    def place(at: datetime) -> int:
        return min(max(int((at - source.begin) / step), 0), number - 1)

    for at, number_of in _totals(source):
        counts[place(at)] += number_of
    for at in _uncounted(source):
        is_counted[place(at)] = False
    slots = []
    for place_, (found, is_known) in enumerate(zip(counts, is_counted, strict=True)):
        begin = source.begin + step * place_
        slots.append(Slot(begin, begin + step, found, is_known))
    return slots


def _totals(source: Range) -> Iterator[tuple[datetime, Counts]]:
    totals = Rollup.objects.filter(source.rolled_up, dimension=TOTAL)
    for at, *found in totals.values_list("begin", "granted", "part", "refused"):
        yield at, Counts(*found)
    live = Issuance.objects.filter(id__gte=source.live_from, id__lt=source.live_until).order_by()
    code = OutcomeCode()
    live = live.annotate(hour=TruncHour("created_at", tzinfo=UTC), code=code)
    by_hour = live.values_list("hour", "code").annotate(number=Count("*"))
    for hour, outcome, number in by_hour:
        name = "granted" if outcome is None else "part" if outcome == "part" else "refused"
        yield hour, Counts(**{name: number})


def _uncounted(source: Range) -> Iterator[datetime]:
    """The hours, or days, that are not in the roll-up although there are rows of their time."""
    oldest = oldest_row()
    if oldest is None:
        return
    counted = Rollup.objects.filter(source.rolled_up, dimension=TOTAL)
    known = set(counted.values_list("span", "begin"))
    parts = (
        (Span.DAY, source.begin, source.days_until),
        (Span.HOUR, source.days_until, source.hours_until),
    )
    for span, begin, end in parts:
        periods = _periods(max(begin, floor(oldest, span)), end, LENGTH[span])
        of_span = {at for of, at in known if of == span}
        for is_known, run in groupby(periods, of_span.__contains__):
            times = list(run)
            if not is_known and _has_rows(times[0], times[-1] + LENGTH[span]):
                yield from times
    if source.is_cut:
        begin = max(source.hours_until, floor(oldest, Span.HOUR))
        yield from _periods(begin, time_of(source.live_from) + timedelta(milliseconds=1), _HOUR)


def _periods(begin: datetime, end: datetime, step: timedelta) -> Iterator[datetime]:
    """When each begins, before `end`."""
    while begin < end:
        yield begin
        begin += step


def _has_rows(begin: datetime, end: datetime) -> bool:
    return Issuance.objects.filter(id__gte=first_uuid7(begin), id__lt=first_uuid7(end)).exists()


def rankings_of(source: Range, total: Counts, most: int) -> dict[str, Ranking]:
    """By dimension."""
    return {dimension: _ranking(dimension, source, total, most) for dimension in DIMENSIONS}


def counts_of(dimension: str, source: Range) -> dict[str, Counts]:
    """By key; of more than `KEPT` keys those with the most rows."""
    live = counts_by_key(dimension, source.live_from, source.live_until, KEPT)
    keys = _summed(dimension, source, list(live))
    for key, found in live.items():
        keys[key] = keys.get(key, Counts()) + found
    return keys


def _ranking(dimension: str, source: Range, total: Counts, most: int) -> Ranking:
    keys = counts_of(dimension, source)
    first = sorted(keys, key=lambda key: (-keys[key].rows, key))[:most]
    ranking = Ranking({key: keys[key] for key in first})
    if dimension in COLUMNS and dimension != "reason":
        shown = sum(ranking.keys.values(), Counts())
        ranking.others = Counts(
            total.granted - shown.granted, total.part - shown.part, total.refused - shown.refused
        )
    return ranking


def _summed(dimension: str, source: Range, live: list[str]) -> dict[str, Counts]:
    """Of the roll-up: the keys with the most rows, and those that the newest rows have."""
    found = Rollup.objects.filter(source.rolled_up, dimension=dimension).order_by()
    sums = {name: Sum(name) for name in ("granted", "part", "refused")}
    # A constant cannot be ordered by.
    is_live = Case(When(key__in=live or [""], then=True), default=False)
    by_key = found.values("key").annotate(**sums, is_live=is_live)
    by_rows = by_key.order_by("-is_live", -(F("granted") + F("part") + F("refused")), "key")
    rows = by_rows.values_list("key", *sums)[: len(live) + KEPT]
    return {key: Counts(*counts) for key, *counts in rows}
