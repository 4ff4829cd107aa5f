"""Changing the log's tables while rows are written to it.

Such a change stands in line for a lock, and each token's row behind it. So it soon steps back, lets
them pass and tries again: no row waits as long as its request may take.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any, TypeVar

from django.db import OperationalError, connection, transaction

LOCK_TIMEOUT = 300  # milliseconds
STATEMENT_TIMEOUT = 1_000  # milliseconds
ATTEMPTS = 30
PAUSE = 0.5  # seconds

_NO_LOCK = ("55P03", "40P01")  # not in time, or a deadlock
_TOO_LONG = "57014"

Result = TypeVar("Result")


class Busy(Exception):
    """The locks that a change needs were not to be had; nothing has been changed."""


class TooLong(Busy):
    """A change would make those wait who write, and has been undone."""


def briefly(work: Callable[[Any], Result], *, patient: bool = False) -> Result:
    """What `work` returns for a cursor, in a transaction that hardly ever makes others wait.

    With `patient` its statements may take their time, once they have their locks. Raises Busy,
    TooLong, django.db.Error.
    """
    limits = f"SET LOCAL lock_timeout = {LOCK_TIMEOUT}"
    if not patient:
        limits += f"; SET LOCAL statement_timeout = {STATEMENT_TIMEOUT}"
    reason = ""
    for _ in range(ATTEMPTS):
        try:
            with transaction.atomic(), connection.cursor() as cursor:
                cursor.execute(limits)
                return work(cursor)
        except OperationalError as error:
            state = getattr(error.__cause__, "sqlstate", None)
            if state == _TOO_LONG:
                raise TooLong("it would take longer than those may wait who write") from error
            if state not in _NO_LOCK:
                raise
            reason = str(error).strip()
        time.sleep(PAUSE)
    raise Busy(f"the issuance log is in use: {reason}; try again later")
