"""Failed authentications by minute, reason and client network: adding to them, and reading them.

No row for each, so that nobody can fill the table: a minute has at most `MOST` rows, and one more
for each reason, which counts what the networks without a row of their own did.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

from django.db import connection, transaction
from django.db.models import QuerySet, Sum
from django.db.models.functions import Trunc

from issuances.models import FailedAuthentications

MOST = 50  # rows of a minute for single networks
OTHER = "other"  # networks
SHOWN = 50  # networks of a summary

_PRUNED_AT_ONCE = timedelta(minutes=100)
_LOCK = 0x6661696C  # one process at a time looks what a minute has, and adds to it
_TABLE = FailedAuthentications._meta.db_table
_ADD = f"""
INSERT INTO {_TABLE} (minute, reason, network, failures, throttled) VALUES (%s, %s, %s, %s, %s)
ON CONFLICT (minute, reason, network) DO UPDATE SET
failures = {_TABLE}.failures + excluded.failures,
throttled = {_TABLE}.throttled + excluded.throttled
"""  # noqa: S608


class Cell(NamedTuple):
    """What is counted together. `minute` is in minutes since 1970."""

    minute: int
    reason: str
    network: str


class Count(NamedTuple):
    """Failures, and how many of them were answered 429."""

    failures: int
    throttled: int

    def plus(self, other: Count) -> Count:
        """Both together."""
        return Count(self.failures + other.failures, self.throttled + other.throttled)


def add(counts: Mapping[Cell, Count]) -> None:
    """Add to what is stored, in one transaction. Raises django.db.Error."""
    with transaction.atomic(), connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_LOCK])
        for minute in sorted({cell.minute for cell in counts}):
            at = datetime.fromtimestamp(minute * 60, UTC)
            known = set(
                FailedAuthentications.objects.filter(minute=at)
                .exclude(network=OTHER)
                .values_list("reason", "network")
            )
            of_minute = {cell: n for cell, n in counts.items() if cell.minute == minute}
            time = connection.ops.adapt_datetimefield_value(at)
            rows = [
                (time, cell.reason, cell.network, *count)
                for cell, count in sorted(_bounded(of_minute, known).items())
            ]
            cursor.executemany(_ADD, rows)


def _bounded(counts: Mapping[Cell, Count], known: set[tuple[str, str]]) -> dict[Cell, Count]:
    """The same in no more rows than a minute may have: those with the most failures keep theirs."""
    free = MOST - len(known)
    bounded: dict[Cell, Count] = {}
    for cell, count in sorted(counts.items(), key=lambda item: -item[1].failures):
        if cell.network != OTHER and (cell.reason, cell.network) not in known:
            if free > 0:
                free -= 1
            else:
                cell = cell._replace(network=OTHER)
        bounded[cell] = bounded.get(cell, Count(0, 0)).plus(count)
    return bounded


@dataclass(frozen=True, slots=True)
class Summary:
    """The failures of a time, their reasons, networks and course; each list of dicts."""

    begin: datetime
    end: datetime
    failures: int
    throttled: int
    reasons: list[dict[str, Any]]
    networks: list[dict[str, Any]]
    times: list[dict[str, Any]]
    step: str  # of `times`: minute, hour or day


def summary(begin: datetime, end: datetime, reason: str = "") -> Summary:
    """What is stored from `begin` on, before `end`. Raises django.db.Error."""
    rows = FailedAuthentications.objects.filter(minute__gte=begin, minute__lt=end)
    reasons = _sums(rows.values("reason"), "reason")  # all of them, to choose from
    if reason:
        rows = rows.filter(reason=reason)
    step = _step(end - begin)
    times = rows.annotate(at=Trunc("minute", step, tzinfo=UTC)).values("at")
    chosen = [one for one in reasons if reason in ("", one["reason"])]
    total: Counter[str] = Counter()
    for one in chosen:
        total.update({name: one[name] for name in ("failures", "throttled")})
    return Summary(
        begin=begin,
        end=end,
        failures=total["failures"],
        throttled=total["throttled"],
        reasons=reasons,
        networks=_sums(rows.values("network"), "network", SHOWN),
        times=list(_summed(times).order_by("at")),
        step=step,
    )


def _summed(rows: Any) -> Any:
    return rows.annotate(failures=Sum("failures"), throttled=Sum("throttled"))


def _sums(rows: QuerySet[Any, Any], name: str, most: int | None = None) -> list[dict[str, Any]]:
    return list(_summed(rows).order_by("-failures", name)[:most])


def _step(length: timedelta) -> str:
    """So that a table of the times stays readable."""
    if length <= timedelta(hours=2):
        return "minute"
    return "hour" if length <= timedelta(days=3) else "day"


def prune(before: datetime) -> int:
    """Take out the minutes before: how many rows. Raises django.db.Error.

    In short transactions, beside which others write.
    """
    rows, gone = FailedAuthentications.objects.filter(minute__lt=before).order_by("minute"), 0
    while oldest := rows.values_list("minute", flat=True).first():
        gone += rows.filter(minute__lt=oldest + _PRUNED_AT_ONCE).delete()[0]
    return gone
