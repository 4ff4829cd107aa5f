"""Pages of the log by the ids of their rows, and all matching rows as a stream.

No page skips rows by number and none counts. Every page is bounded in time: what no index answers
is looked at in windows of so many rows of the best index, until the page is full or the time is
up; the page then says how far the search came, and the next one goes on from there.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from issuances.finding.filtered import Filtered
from issuances.finding.planning import uncompiled
from issuances.finding.searching import Search
from issuances.identifiers import FIRST_ID, LAST_ID, next_id, previous_id, time_of
from issuances.models import Issuance

FIRST_SECONDS, FURTHER_SECONDS = 0.04, 0.15
"""For the search of the page that begins at an end of the log, and of those that go on from there:
who goes on has agreed to wait."""
_STREAM_WINDOW = 2_000  # rows
_REACH = 86_400_000 << 80  # from id to id: a day


@dataclass(frozen=True, slots=True)
class Page:
    """Rows, newest first. `older` and `newer` are what `before` and `after` have to be for the
    pages beside it, None where the log ends. When the search ran out of time, one of the last two
    says how far it came; that page may be short of rows, or have none.
    """

    rows: list[Issuance]
    older: UUID | None
    newer: UUID | None
    searched_back_to: datetime | None = None
    searched_up_to: datetime | None = None


@uncompiled()
def page_of(
    filtered: Filtered,
    *,
    before: UUID | None = None,
    after: UUID | None = None,
    size: int = 50,
    seconds: float | None = None,
) -> Page:
    """The newest matching rows; or those before a row; or those that follow after a row. `seconds`
    for the search, by default `FIRST_SECONDS` or `FURTHER_SECONDS`.

    ValueError for both. Raises django.db.Error.
    """
    if seconds is None:
        seconds = FIRST_SECONDS if before is None and after is None else FURTHER_SECONDS
    if after is None:
        return _page_before(filtered, before, size, seconds)
    if before is not None:
        raise ValueError("a page is either before or after a row")
    return _page_after(filtered, after, size, seconds)


def windows_of(
    filtered: Filtered, *, after: UUID | None = None, columns: tuple[Any, ...] = ()
) -> Iterator[list[Any]]:
    """All matching rows by id, those after `after` only, as many at once as a bounded part of the
    log has: often none.

    With `columns` (names or expressions) each is a tuple that begins with the id. A row that is
    committed late, with an id that has been passed, is not among them. Raises django.db.Error.
    """
    with uncompiled():
        search = Search(filtered, low=after and next_id(after), columns=columns)
    until, reach = LAST_ID, _REACH  # the first row may be far away
    while not search.is_over:
        with uncompiled():
            window = search.next_window(_STREAM_WINDOW, until=until)
        # PostgreSQL takes longer to plan the more partitions lie ahead.
        reach *= 1 if len(window) == _STREAM_WINDOW else 2
        until = UUID(int=min(search.low.int + reach, LAST_ID.int))
        yield window
        window = []  # two at once would take twice the memory


def rows_of(filtered: Filtered, **options: Any) -> Iterator[Any]:
    """The same row by row. Raises django.db.Error."""
    for window in windows_of(filtered, **options):
        yield from window


def _page_before(filtered: Filtered, before: UUID | None, size: int, seconds: float) -> Page:
    search = Search(filtered, high=before, descending=True)
    rows = search.first(size + 1, seconds)
    newer = None
    if before is not None:
        newer = rows[0].id if rows else previous_id(before)
    if len(rows) > size:
        return Page(rows[:size], rows[size - 1].id, newer)
    if search.is_over:
        return Page(rows, None, newer)
    return Page(rows, search.high, newer, searched_back_to=time_of(search.high))


def _page_after(filtered: Filtered, after: UUID, size: int, seconds: float) -> Page:
    search = Search(filtered, low=next_id(after))
    rows = search.first(size + 1, seconds)
    older = None if after == FIRST_ID else rows[0].id if rows else next_id(after)
    page = rows[size - 1 :: -1] if len(rows) > size else rows[::-1]
    if len(rows) > size:
        return Page(page, older, page[0].id)
    if search.is_over:
        return Page(page, older, None)
    return Page(page, older, previous_id(search.low), searched_up_to=time_of(search.low))
