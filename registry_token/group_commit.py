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
    """An item in the line. `turn` is released when it is written, or when it is to lead."""

    __slots__ = ("error", "item", "result", "turn", "written")

    def __init__(self, item: Item) -> None:
        self.item = item
        self.result: Any = None
        self.error: BaseException | None = None
        self.written = False
        self.turn = threading.Lock()
        self.turn.acquire()


class GroupCommit(Generic[Item, Result]):
    """`commit` writes up to `most` items at once: a result, or an exception, for each of them. What
    it raises concerns them all.
    """

    def __init__(
        self, commit: Callable[[list[Item]], Sequence[Result | Exception]], most: int = 100
    ) -> None:
        self._commit = commit
        self._most = most
        self._lock = threading.Lock()
        self._line: list[_Place[Item, Result]] = []
        self._is_led = False

    def __call__(self, item: Item) -> Result:
        """Write `item`, alone or with others: what came of it. Raises what `commit` has for it."""
        place: _Place[Item, Result] = _Place(item)
        with self._lock:
            self._line.append(place)
            leads, self._is_led = not self._is_led, True
        if not leads:
            place.turn.acquire()
        if not place.written:
            self._lead()
        if place.error is not None:
            raise place.error
        result: Result = place.result
        return result

    def _lead(self) -> None:
        """Write for all who stand in line, the leading thread among them; pass the lead on."""
        with self._lock:
            group, self._line = self._line[: self._most], self._line[self._most :]
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
            self._is_led = bool(self._line)
            following = self._line[:1]
        for place in group:
            place.written = True
            place.turn.release()
        for place in following:
            place.turn.release()
