"""Walking the log along the best index, window by window."""

from __future__ import annotations

import heapq
import time
from collections.abc import Iterable
from operator import attrgetter, itemgetter
from typing import Any
from uuid import UUID

from django.db.models import Q

from issuances.access_paths import ALL_ROWS, WAYS, Branch, Branches
from issuances.filters import Filtered

_FIRST_WINDOW, _LAST_WINDOW = 1_000, 16_000  # rows
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
            taken = time.monotonic() - begun
            if time.monotonic() + taken > until:
                break  # the next would end too late
            if taken < _QUICK:
                window = min(window * 2, _LAST_WINDOW)
        return rows

    def next_window(self, window: int | None, limit: int | None = None) -> list[Any]:
        """The matching ones among the next `window` rows of the index, at most `limit`."""
        low, high = self.low, self.high
        if self._descending:
            low = self.high = self._edge(window)
        else:
            high = self.low = self._edge(window)
        found = [self._matching(branch, low, high, limit) for branch in self._branches]
        return found[0] if len(found) == 1 else self._merged(found, limit)

    def _matching(self, branch: Branch, low: UUID, high: UUID, limit: int | None) -> list[Any]:
        rows: Any = branch.rows(low, high, descending=self._descending).filter(*self._rest)
        if self._columns:
            rows = rows.values_list("id", *self._columns)
        return list(rows[:limit])

    def _merged(self, found: Iterable[list[Any]], limit: int | None) -> list[Any]:
        """By id; a row may stand in two branches."""
        id_of: Any = itemgetter(0) if self._columns else attrgetter("id")
        merged = heapq.merge(*found, key=id_of, reverse=self._descending)
        return list({id_of(row): row for row in merged}.values())[:limit]

    def _edge(self, window: int | None) -> UUID:
        """Where the window ends: no branch has more rows than `window` up to there."""
        end = self.low if self._descending else self.high
        if window is None:
            return end
        for branch in self._branches:
            rows = branch.rows(self.low, self.high, descending=self._descending)
            beyond = rows.values_list("id", flat=True)[window : window + 1].first()
            if beyond is not None and self._descending:
                end = max(end, UUID(int=beyond.int + 1))
            elif beyond is not None:
                end = min(end, beyond)
        return end


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
