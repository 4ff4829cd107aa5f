"""Walking the log along the best index, window by window."""

from __future__ import annotations

import time
from operator import attrgetter, itemgetter
from typing import Any
from uuid import UUID

from django.db import connection
from django.db.models import Q

from issuances.finding.access_paths import ALL_ROWS, WAYS, Branch, Branches
from issuances.finding.filtered import Filtered
from issuances.identifiers import LAST_ID, next_id

_FIRST_WINDOW, _LAST_WINDOW = 1_000, 16_000  # rows
_LEAST_WINDOW = 100  # of each of several branches
_QUICK = 0.03  # seconds for a window; the next one is larger then
_PROBE = 2_000  # rows of an index, to tell rare from frequent


class Search:
    """What is left to search lies from `low` to before `high`; it is over when there is nothing."""

    def __init__(
        self,
        filtered: Filtered,
        *,
        low: UUID | None = None,
        high: UUID | None = None,
        descending: bool = False,
        columns: tuple[Any, ...] = (),
    ) -> None:
        self.low = max(filtered.low, low or filtered.low)
        self.high = min(filtered.high, high or filtered.high)
        self._descending = descending
        self._columns = columns
        self._branches, self._rest = _way(filtered, self.low, self.high)

    @property
    def is_over(self) -> bool:
        return self.low >= self.high

    def first(self, number: int, seconds: float) -> list[Any]:
        """So many rows in the direction of the search, fewer when it ends or takes too long."""
        if not self._rest:
            return [] if self.is_over else self.next_window(None, number)
        rows: list[Any] = []
        window, until = _FIRST_WINDOW, time.monotonic() + seconds
        while not self.is_over and len(rows) < number:
            begun = time.monotonic()
            rows += self.next_window(window, number - len(rows))
            expected = time.monotonic() - begun
            if expected < _QUICK and window < _LAST_WINDOW:
                window, expected = window * 2, expected * 2
            if time.monotonic() + expected > until:
                break  # the next would end too late
        return rows

    def next_window(
        self, window: int | None, limit: int | None = None, *, until: UUID = LAST_ID
    ) -> list[Any]:
        """The matching ones among the next `window` rows of the index, at most `limit`; none from
        `until` on.
        """
        low, high = self.low, self.high
        if self._descending:
            low = self.high = self._edge(window, low, high)
        else:
            high = self.low = self._edge(window, low, min(high, until))
        found = _together([self._matching(one, low, high)[:limit] for one in self._branches])
        return found if len(self._branches) == 1 else self._merged(found, limit)

    def _matching(self, branch: Branch, low: UUID, high: UUID) -> Any:
        rows: Any = branch.rows(low, high, descending=self._descending).filter(*self._rest)
        return rows.values_list("id", *self._columns) if self._columns else rows

    def _merged(self, found: list[Any], limit: int | None) -> list[Any]:
        """By id; a row may stand in two branches."""
        id_of: Any = itemgetter(0) if self._columns else attrgetter("id")
        of_id = {id_of(row): row for row in found}
        return [of_id[id] for id in sorted(of_id, reverse=self._descending)][:limit]

    def _edge(self, window: int | None, low: UUID, high: UUID) -> UUID:
        """Where the window ends: the branches together have about so many rows up to there."""
        end = low if self._descending else high
        if window is None or not self._branches:
            return end
        each = max(window // len(self._branches), min(window, _LEAST_WINDOW))
        rows = [one.rows(low, high, descending=self._descending) for one in self._branches]
        beyond: list[UUID] = _together(
            [one.values_list("id", flat=True)[each : each + 1] for one in rows]
        )
        if self._descending:
            return max([end, *map(next_id, beyond)])
        return min([end, *beyond])


def _together(querysets: list[Any]) -> list[Any]:
    """What they find, one after the other; on PostgreSQL in one round trip."""
    if len(querysets) > 1 and connection.vendor == "postgresql":
        return list(querysets[0].union(*querysets[1:], all=True))
    return [found for queryset in querysets for found in queryset]


def _way(filtered: Filtered, low: UUID, high: UUID) -> tuple[Branches, tuple[Q, ...]]:
    """The index with the fewest rows, as far as a short look tells, and the other conditions."""
    candidates = [
        (name, branches)
        for name, way in WAYS.items()
        if name in filtered.values and (branches := way.branches(filtered.values[name])) is not None
    ]
    if not candidates:
        return ALL_ROWS, tuple(filtered.conditions.values())
    name, branches = candidates[0]
    if len(candidates) > 1:
        name, branches = min(candidates, key=lambda named: _rows_in(named[1], low, high))
    rest = filtered.conditions.items()
    return branches, tuple(q for of, q in rest if not (of == name and WAYS[name].exact))


def _rows_in(branches: Branches, low: UUID, high: UUID) -> int:
    return sum(branch.rows(low, high, descending=True)[:_PROBE].count() for branch in branches)
