"""The calls to the database on the way of a token: none takes longer than two seconds.

The server is told to give up a statement in time; a server that does not even do that is left.
After a call that failed so slowly no other is made until a probe in a thread of its own has
succeeded: requests are answered 503 at once instead of standing in line for it.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, TypeVar

from django.db import (
    Error,
    InterfaceError,
    InternalError,
    OperationalError,
    connection,
    transaction,
)

from registry_token import postgres
from registry_token.errors import database_unavailable

logger = logging.getLogger(__name__)

Result = TypeVar("Result")

_thread = threading.local()

# Seconds.
TIME_LIMIT = 1.8  # for a request's calls together, the time that it stands in line included
GRACE = 0.3  # by which the server gives up a statement earlier than we give up the server
LEAST = 0.1  # for a call, however late
# A call that had a fair chance and failed so late was one to a database that hangs.
SLOW = 0.9  # of the time that the server had
FAIR = 0.9  # seconds
PROBE_INTERVAL = 0.5

# What a connection that was kept open may raise: a restart has closed it, or a failover has left it
# with a server that only reads.
_STALE = (OperationalError, InterfaceError, InternalError)


def deadline() -> float:
    """Until when the calls of a request that begins now may take: on the clock of monotonic()."""
    return time.monotonic() + TIME_LIMIT


def fetch_one(sql: str, parameters: Sequence[Any], until: float) -> Any:
    """The first row of a query. Raises django.db.Error, Unavailable."""
    return attempt(lambda _: _first_row(sql, parameters, until), until)


def _first_row(sql: str, parameters: Sequence[Any], until: float) -> Any:
    if connection.vendor != "postgresql":
        return execute(sql, parameters, lambda cursor: cursor.fetchone())
    with _waiting(until) as left, connection.cursor() as cursor:
        cursor.execute(_limited(sql, left), parameters)
        cursor.nextset()
        return cursor.fetchone()


@contextmanager
def limited(until: float) -> Iterator[float]:
    """Let Django's own queries take no longer, all of them in one transaction; seconds that are
    left. To be called by `attempt`. Raises django.db.Error.
    """
    if connection.vendor != "postgresql":
        yield max(LEAST, until - time.monotonic())
        return
    with _waiting(until) as left, transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute(_limited("SELECT 1", left))
        yield left


@contextmanager
def _waiting(until: float) -> Iterator[float]:
    """Leave a server that says nothing then; seconds that are left."""
    connection.ensure_connection()
    raw: Any = connection.connection

    def wait(generator: Any, *args: Any, **kwargs: Any) -> Any:
        left = max(LEAST, until - time.monotonic())
        return type(raw).wait(raw, generator, timeout=left)

    raw.wait = wait
    try:
        yield max(LEAST, until - time.monotonic())
    finally:
        del raw.wait


def attempt(call: Callable[[bool], Result], until: float) -> Result:
    """call(False); then call(True), where a connection that was kept open has been lost since.

    Nobody knows whether it was lost before or after what was sent by it had been committed. Raises
    what `call` raises, and Unavailable.
    """
    gate.pass_or_raise()
    if getattr(_thread, "hangs", 0) != gate.hangs:
        _thread.hangs = gate.hangs
        connection.close()  # made before the database hung: it may be one that still does
    kept_open = connection.connection is not None
    begun = time.monotonic()
    try:
        return call(False)
    except _STALE as error:
        _give_up_connection(error, begun, until)
        if not kept_open or gate.is_shut:
            raise
    try:
        return call(True)
    except _STALE as error:
        _give_up_connection(error, begun, until)
        raise


def _give_up_connection(error: Error, begun: float, until: float) -> None:
    now = time.monotonic()
    if now - begun > SLOW * (max(FAIR, until - begun) - GRACE):
        gate.shut(error)
    connection.close()


def execute(sql: str, parameters: Sequence[Any], result: Callable[[Any], Result]) -> Result:
    """What `result` makes of the cursor after one statement. To be called by `attempt`.

    Raises django.db.Error.
    """
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)
        return result(cursor)


def ask_postgres(sql: str, document: str, until: float) -> list[str]:
    """The first column of what a statement returns whose one parameter is `document`. To be called
    by `attempt`. Raises django.db.Error.
    """
    connection.ensure_connection()
    left = max(LEAST, until - time.monotonic())
    raw: Any = connection.connection
    with connection.wrap_database_errors:
        statement = sql.replace("%s", postgres.literal(raw.pgconn, document))
        column = postgres.ask(raw.pgconn, _limited(statement, left), time.monotonic() + left)
    if connection.queries_logged:
        connection.queries_log.append({"sql": sql, "time": "0"})
    return [value.decode() for value in column]


def _limited(statements: str, left: float) -> str:
    """With a limit for this transaction only: the admin and commands may take their time, and a
    pooler such as PgBouncer hands the session to others.
    """
    return f"SET LOCAL statement_timeout = {round(1000 * max(LEAST, left - GRACE))}; {statements}"


class Gate:
    """Shut while the database hangs; a probe in a thread of its own opens it."""

    def __init__(self, probe: Callable[[], object]) -> None:
        self._probe = probe
        self._lock = threading.Lock()
        self.is_shut = False
        self.hangs = 0

    def pass_or_raise(self) -> None:
        """Raises Unavailable while it is shut."""
        if self.is_shut:
            raise database_unavailable()

    def shut(self, error: Error) -> None:
        """Let nobody pass until the probe succeeds."""
        with self._lock:
            if self.is_shut:
                return
            self.is_shut = True
            self.hangs += 1
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
        except _STALE as error:
            logger.info("the database does not answer yet: %s", error)
            connection.close()
            return False
        except Error as error:  # of the probe, not of the database: requests must find out
            logger.warning("the probe of the database does not work: %s", error)
        return True


def _write_nothing() -> None:
    """What recording a decision needs: a server that takes writes, the table, its lock, and on
    PostgreSQL a commit that waits for disk and standby, for which an empty message will do.
    """
    nothing = "INSERT INTO issuances_issuance SELECT * FROM issuances_issuance WHERE 1 = 0"
    if connection.vendor != "postgresql":
        execute(nothing, (), lambda cursor: None)
        return
    message = "SELECT pg_logical_emit_message(true, 'registry-token', '')"
    ask_postgres(f"{nothing}; {message}", "", deadline())
    _prefer_this_server()


def _prefer_this_server() -> None:
    """Of several servers try the one first that has just answered: a dead one takes two seconds."""
    options = connection.settings_dict["OPTIONS"]
    if "," not in options.get("host", ""):
        return
    raw: Any = connection.connection
    servers = list(zip(options["host"].split(","), options["port"].split(","), strict=True))
    servers.sort(key=lambda server: server != (raw.info.host, str(raw.info.port)))
    hosts, ports = map(",".join, zip(*servers, strict=True))
    # One assignment: other threads read it.
    connection.settings_dict["OPTIONS"] = options | {"host": hosts, "port": ports}


gate = Gate(_write_nothing)
