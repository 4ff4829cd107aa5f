"""What the dashboard shows of a period: bars, rankings, changes of the catalogue, each with its way
into the log.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from issuances.counting.rollup_counts import Counts
from issuances.counting.rollup_reading import Range, Ranking, Slot, range_of, rankings_of, slots_of
from issuances.counting.rollups import Span, floor
from issuances.finding.filters import OUTCOMES
from issuances.refusals import refusal_in_words
from plans.models import CatalogueRevision
from registry_token.charts import Chart, Event, Value, chart_of
from registry_token.log_access import LOG_LIST

SHOWN = 10  # of each ranking
MAX_MARKS = 200
_LONGEST = 255  # characters that the filter takes
_HOUR, _DAY = timedelta(hours=1), timedelta(days=1)
_BAR = 120  # pixels

_RANKINGS: tuple[tuple[str, Promise], ...] = (
    ("reason", gettext_lazy("Refusals by reason")),
    ("plan", gettext_lazy("Busiest plans")),
    ("licence", gettext_lazy("Busiest licences")),
    ("repository", gettext_lazy("Busiest repositories")),
    ("subject", gettext_lazy("Busiest subjects")),
    ("service", gettext_lazy("Services")),
)


@dataclass(frozen=True, slots=True)
class Period:
    """How far back, in bars of what length."""

    label: Promise
    bars: int
    step: timedelta

    def begin(self, now: datetime) -> datetime:
        """When the first bar begins; the last one is not over yet."""
        span = Span.HOUR if self.step < _DAY else Span.DAY
        last = floor(now, span)
        if self.step > _DAY:  # weeks begin on Mondays
            last -= last.weekday() * _DAY
        return last - (self.bars - 1) * self.step


PERIODS = {
    "24h": Period(gettext_lazy("24 hours"), 24, _HOUR),
    "48h": Period(gettext_lazy("48 hours"), 48, _HOUR),
    "7d": Period(gettext_lazy("7 days"), 7, _DAY),
    "30d": Period(gettext_lazy("30 days"), 30, _DAY),
    "90d": Period(gettext_lazy("90 days"), 90, _DAY),
    "1y": Period(gettext_lazy("a year"), 53, 7 * _DAY),
}


@dataclass(frozen=True, slots=True)
class Line:
    """A row of a table: what it is about, and the counts with their ways into the log, which are
    "" where the filter cannot tell them.
    """

    label: str
    counts: Counts
    urls: Mapping[str, str]
    widths: Mapping[str, str]
    words: str = ""
    is_known: bool = True


@dataclass(frozen=True, slots=True)
class Ranked:
    """A ranking as a table."""

    dimension: str
    label: Promise
    lines: list[Line]
    others: Counts


@dataclass(frozen=True, slots=True)
class Activity:
    """The chart of a period, its numbers newest first, and what is said of where they come from."""

    source: Range
    total: Counts
    chart: Chart
    lines: list[Line]
    revisions: list[CatalogueRevision]

    @property
    def has_gaps(self) -> bool:
        """Whether some of it has not been counted."""
        return any(not line.is_known for line in self.lines)


def activity(period: Period, now: datetime, *, with_revisions: bool) -> Activity:
    """Raises django.db.Error."""
    source = range_of(period.begin(now), now, by_day=period.step >= _DAY)
    slots = slots_of(source, period.step)
    revisions = _revisions(source) if with_revisions else []
    values = [_value(slot, period) for slot in slots]
    label = "%H:%M" if period.step < _DAY else "%m-%d"
    events = sorted(map(_event, revisions), key=lambda event: event.at)
    chart = chart_of(
        values,
        [(name, str(words)) for name, words in OUTCOMES],
        events,
        lambda at: f"{at:{label}}",
        slots[-1].end,
    )
    total = sum((slot.counts for slot in slots), Counts())
    lines = [
        Line(value.label, slot.counts, _by_name(value.urls), {}, is_known=slot.is_counted)
        for slot, value in zip(slots, values, strict=True)
    ]
    return Activity(source, total, chart, lines[::-1], revisions)


def rankings(source: Range, total: Counts) -> list[Ranked]:
    """Raises django.db.Error."""
    found = rankings_of(source, total, SHOWN)
    return [
        Ranked(name, label, _lines(name, found[name], source), found[name].others)
        for name, label in _RANKINGS
    ]


def log_url(**parameters: str) -> str:
    """The list of the log with this filter."""
    return f"{reverse(LOG_LIST)}?{urlencode(parameters)}"


def _value(slot: Slot, period: Period) -> Value:
    times = {"from": _iso(slot.begin), "until": _iso(slot.end)}
    counts = slot.counts
    label = f"{slot.begin:%Y-%m-%d}"
    if period.step < _DAY:
        label += f" {slot.begin:%H:%M}"
    elif period.step > _DAY:
        label = _("week of %(day)s") % {"day": label}
    return Value(
        slot.begin,
        label,
        (counts.granted, counts.part, counts.refused),
        [log_url(outcome=name, **times) for name, _label in OUTCOMES],
        slot.is_counted,
    )


def _lines(dimension: str, ranking: Ranking, source: Range) -> list[Line]:
    most = max((counts.rows for counts in ranking.keys.values()), default=1)
    since = {"from": _iso(source.begin)}
    lines = []
    for key, counts in ranking.keys.items():
        urls = {}
        if key and len(key) <= _LONGEST:
            of_key = since | {dimension: key}
            urls = {name: log_url(outcome=name, **of_key) for name, _label in OUTCOMES}
            urls["all"] = log_url(**of_key)
        words = refusal_in_words(key) if dimension == "reason" else ""
        lines.append(Line(key or _("(none)"), counts, urls, _widths(counts, most), words))
    return lines


def _widths(counts: Counts, most: int) -> dict[str, str]:
    """Of the parts of a bar, each after the one before."""
    granted, part = counts.granted / most * _BAR, counts.part / most * _BAR
    refused = counts.refused / most * _BAR
    widths = {"granted": granted, "part": part, "refused": refused}
    begins = {"part_at": granted, "refused_at": granted + part}
    return {name: f"{pixels:.1f}" for name, pixels in (widths | begins).items()}


def _by_name(urls: Any) -> dict[str, str]:
    return {name: url for (name, _label), url in zip(OUTCOMES, urls, strict=True)}


def _revisions(source: Range) -> list[CatalogueRevision]:
    """Newest first."""
    since = CatalogueRevision.objects.filter(created_at__gte=source.begin, number__gt=0)
    return list(since.defer("snapshot", "changes").order_by("-created_at")[:MAX_MARKS])


def _event(revision: CatalogueRevision) -> Event:
    url = reverse("admin:plans_cataloguerevision_change", args=[revision.number])
    return Event(revision.created_at, revision.number, url)


def _iso(at: datetime) -> str:
    return f"{at.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"
