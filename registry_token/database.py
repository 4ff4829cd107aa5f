"""The calls to the database on the way of a token: none takes longer than two seconds.

The server is told to give up a statement after `TIME_LIMIT`; a server that does not even do that is
left after `PATIENCE`. After a call that failed so slowly no other is made until a probe in a thread
of its own has succeeded: requests are answered 503 at once instead of standing in line for it.
"""

from __future__ import annotations

import functools
import logging
import threading
import time
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from django.db import Error, InterfaceError, InternalError, OperationalError, connection

from registry_token.errors import Unavailable

logger = logging.getLogger(__name__)

Result = TypeVar("Result")

# Seconds.
TIME_LIMIT = 1.5  # also what SQLite waits for another writer, see config_values
PATIENCE = 1.8
SLOW = 1.0  # a failure that took longer is one of a database that hangs
PROBE_INTERVAL = 0.5

# For this transaction only: the admin and commands may take their time, and a pooler such as
# PgBouncer hands the session to others.
_LIMITED = f"SET LOCAL statement_timeout = {round(TIME_LIMIT * 1000)}; "

# What a connection that was kept open may raise: a restart has closed it, or a failover has left it
# with a server that only reads.
_STALE = (OperationalError, InterfaceError, InternalError)


def fetch_one(sql: str, parameters: Sequence[Any]) -> Any:
    """The first row of a query. Raises django.db.Error, Unavailable."""
    return attempt(lambda _: execute(sql, parameters, lambda cursor: cursor.fetchone()))


def attempt(call: Callable[[bool], Result]) -> Result:
    """call(False); then call(True), where a connection that was kept open has been lost since.

    Nobody knows whether it was lost before or after what was sent by it had been committed. Raises
    what `call` raises, and Unavailable.
    """
    gate.pass_or_raise()
    kept_open = connection.connection is not None
    begun = time.monotonic()
    try:
        return call(False)
    except _STALE as error:
        _give_up_connection(error, begun)
        if not kept_open or gate.is_shut:
            raise
    try:
        return call(True)
    except _STALE as error:
        _give_up_connection(error, begun)
        raise


def _give_up_connection(error: Error, begun: float) -> None:
    if time.monotonic() - begun > SLOW:
        gate.shut(error)
    connection.close()


def execute(sql: str, parameters: Sequence[Any], result: Callable[[Any], Result]) -> Result:
    """What `result` makes of the cursor after one statement, bounded in time.

    Raises django.db.Error. To be called by `attempt`.
    """
    with connection.cursor() as cursor:
        if connection.vendor != "postgresql":
            cursor.execute(sql, parameters)
            return result(cursor)
        raw: Any = connection.connection
        raw.wait = functools.partial(type(raw).wait, raw, timeout=PATIENCE)
        try:
            cursor.execute(_LIMITED + sql, parameters)
            cursor.nextset()
            return result(cursor)
        finally:
            del raw.wait


class Gate:
    """Shut while the database hangs; a probe in a thread of its own opens it."""

    def __init__(self, probe: Callable[[], object]) -> None:
        self._probe = probe
        self._lock = threading.Lock()
        self.is_shut = False

    def pass_or_raise(self) -> None:
        """Raises Unavailable while it is shut."""
        if self.is_shut:
            raise Unavailable(
                "the service's database does not answer; try again", reason="database"
            )

    def shut(self, error: Error) -> None:
        """Let nobody pass until the probe succeeds."""
        with self._lock:
            if self.is_shut:
                return
            self.is_shut = True
        logger.error("the database hangs, requests are refused until it answers: %s", error)
        threading.Thread(target=self._open_when_well, daemon=True).start()

    def _open_when_well(self) -> None:
        try:
            while not self._succeeds():
                time.sleep(PROBE_INTERVAL)
        finally:
            self.is_shut = False
            connection.close()
        logger.warning("the database answers again")

    def _succeeds(self) -> bool:
        try:
            self._probe()
        except Error as error:
            logger.info("the database does not answer yet: %s", error)
            connection.close()
            return False
        return True


def _write_nothing() -> None:
    """What recording a decision needs: a server that takes writes, the table, its lock."""
    table = "issuances_issuance"
    execute(f"INSERT INTO {table} SELECT * FROM {table} WHERE 1 = 0", (), lambda cursor: None)  # noqa: S608


gate = Gate(_write_nothing)
