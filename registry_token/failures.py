"""Counting failed authentications on the way of a request, in memory; a thread stores the counts.

What a process has counted since it stored last, `FAILURES_STORED_EVERY` seconds before at most, is
lost when it is killed; one that ends stores it.
"""

from __future__ import annotations

import atexit
import logging
import threading
import time
from collections.abc import Mapping

from django.conf import settings
from django.db import Error, connection

from issuances.counting import failures
from issuances.counting.failures import OTHER, Cell, Count
from registry_token import database
from registry_token.throttle import network_of

logger = logging.getLogger(__name__)

MOST = 1_000  # cells; further networks are counted together
LIMIT = 2.0  # seconds that the database has to store them


class Counts:
    """What has not been stored yet."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._cells: dict[Cell, list[int]] = {}
        self._newest = 0  # minute

    def note(self, network: str, reason: str, throttled: bool, minute: int) -> None:
        """Count one failure."""
        with self._lock:
            self._add(Cell(minute, reason, network), 1, int(throttled))

    def _add(self, cell: Cell, failed: int, throttled: int) -> None:
        """To be called with the lock."""
        count = self._cells.get(cell)
        if count is None:
            count = self._cells.setdefault(self._within_bounds(cell), [0, 0])
        count[0] += failed
        count[1] += throttled

    def _within_bounds(self, cell: Cell) -> Cell:
        """The cell, or one that stands for others too. While the database is away minutes come on:
        in the end those are counted together as well.
        """
        if len(self._cells) >= 2 * MOST:
            return cell._replace(network=OTHER, minute=self._newest)
        self._newest = max(self._newest, cell.minute)
        return cell._replace(network=OTHER) if len(self._cells) >= MOST else cell

    def store(self) -> None:
        """Add all to the database; what it does not take is kept for the next time.

        Raises django.db.Error.
        """
        with self._lock:
            taken, self._cells = self._cells, {}
        if not taken:
            return
        try:
            with database.limited(time.monotonic() + LIMIT):
                failures.add({cell: Count(*count) for cell, count in taken.items()})
        except BaseException:
            self._put_back(taken)
            raise

    def _put_back(self, taken: Mapping[Cell, list[int]]) -> None:
        with self._lock:
            for cell, count in taken.items():
                self._add(cell, *count)


_counts = Counts()
_pending = threading.Event()
_start = threading.Lock()
_thread: threading.Thread | None = None


def note(address: str, reason: str, *, throttled: bool) -> None:
    """Count a failed authentication of this service. `reason` as it is logged."""
    word = reason.partition(":")[0]  # what follows is of an unlimited number
    _counts.note(network_of(address), word, throttled, int(time.time()) // 60)
    if not _pending.is_set():
        _pending.set()
        _store_in_the_background()


def store() -> None:
    """Store now what has been counted. Raises django.db.Error."""
    _counts.store()


def _store_in_the_background() -> None:
    global _thread
    if not settings.FAILURES_STORED_EVERY:
        return
    with _start:
        if _thread is None:  # one for each process that serves, not for the one that forks them
            _thread = threading.Thread(target=_keep_storing, name="failures", daemon=True)
            _thread.start()
            atexit.register(_store_or_say_why)


def _keep_storing() -> None:
    """Nothing is done, and no connection kept, where nobody fails."""
    while True:
        _pending.wait()
        time.sleep(settings.FAILURES_STORED_EVERY)
        _pending.clear()
        if not _store_or_say_why():
            _pending.set()


def _store_or_say_why() -> bool:
    try:
        store()
    except Error as error:
        logger.warning("failed authentications are counted, but not stored yet: %s", error)
        return False
    finally:
        connection.close()
    return True
