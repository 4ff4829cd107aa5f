"""Group commit: what several threads want to write at the same moment is written together.

A commit costs the same for one row as for ten. While one thread waits for it, the others line up;
then one of these writes for all of them. Nobody waits who is alone.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from typing import Any, Generic, TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")


class _Place(Generic[Item, Result]):
    """An item that is to be written."""

    __slots__ = ("done", "error", "item", "result", "turn")

    def __init__(self, item: Item) -> None:
        self.item = item
        self.result: Any = None
        self.error: BaseException | None = None
        self.turn = _locked()  # released when it shall lead, or is written
        self.done = _locked()  # released when it is written


class GroupCommit(Generic[Item, Result]):
    """`commit` writes up to `most` items at once: a result, or an exception, for each of them. What
    it raises concerns them all. Who has stood in line for `patience` seconds does not wait for the
    others: a write that is slow shall not take their time from those who come after it.
    """

    def __init__(
        self,
        commit: Callable[[list[Item]], Sequence[Result | Exception]],
        most: int = 100,
        patience: float = 0.2,
    ) -> None:
        self._commit = commit
        self._most = most
        self._patience = patience
        self._lock = threading.Lock()
        self._line: list[_Place[Item, Result]] = []
        self._leaders = 0

    def __call__(self, item: Item) -> Result:
        """Write `item`, alone or with others: what came of it. Raises what `commit` has for it."""
        place: _Place[Item, Result] = _Place(item)
        with self._lock:
            self._line.append(place)
            group = self._taken(place) if self._leaders == 0 else []
        if not group:
            place.turn.acquire(timeout=self._patience)
            with self._lock:
                group = self._taken(place) if place in self._line else []
        if group:
            self._write(group)
        else:
            place.done.acquire()
        if place.error is not None:
            raise place.error
        result: Result = place.result
        return result

    def _taken(self, leader: _Place[Item, Result]) -> list[_Place[Item, Result]]:
        """The leader's group, out of the line. To be called with the lock."""
        self._leaders += 1
        self._line.remove(leader)
        others = self._most - 1
        group, self._line = [leader, *self._line[:others]], self._line[others:]
        return group

    def _write(self, group: list[_Place[Item, Result]]) -> None:
        """Write for all of the group; let the next one lead."""
        try:
            results = self._commit([place.item for place in group])
            for place, result in zip(group, results, strict=True):
                if isinstance(result, Exception):
                    place.error = result
                else:
                    place.result = result
        except BaseException as error:  # noqa: BLE001  (raised again, by each of them)
            for place in group:
                place.error = error
        with self._lock:
            self._leaders -= 1
            woken = self._line[:1] if self._leaders == 0 else []
            for place in group:
                place.done.release()
            for place in group + woken:
                if place.turn.locked():  # it may have been woken before, to lead
                    place.turn.release()


def _locked() -> threading.Lock:
    lock = threading.Lock()
    lock.acquire()
    return lock
