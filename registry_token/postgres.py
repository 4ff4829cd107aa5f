"""One message to PostgreSQL and its answer, straight over libpq, bounded in time.

psycopg's cursor does a great deal that a statement without types, names and rows does not need, and
costs a third of a signature more (docs/decisions/0011). Connections are Django's and psycopg's.
"""

from __future__ import annotations

import select
import time

from psycopg.errors import Error, OperationalError, error_from_result
from psycopg.pq import Escaping, ExecStatus
from psycopg.pq.abc import PGconn, PGresult

_GOOD = (ExecStatus.COMMAND_OK, ExecStatus.TUPLES_OK)


def ask(pgconn: PGconn, statements: str, until: float) -> list[bytes]:
    """The first column of what the last of the statements returns, as text.

    `until` is on the clock of time.monotonic(). Raises psycopg.Error; an OperationalError when the
    time is over: the connection is of no use then.
    """
    pgconn.send_query(statements.encode())
    while pgconn.flush():
        _wait(pgconn, select.POLLOUT, until)
    last, error = None, None
    while (result := _next_result(pgconn, until)) is not None:
        last, error = result, error or _error(result)
    if error is not None:
        raise error
    rows = last.ntuples if last is not None else 0
    return [last.get_value(row, 0) or b"" for row in range(rows)] if last is not None else []


def literal(pgconn: PGconn, text: str) -> str:
    """A text as a literal of SQL."""
    return bytes(Escaping(pgconn).escape_literal(text.encode())).decode()


def _next_result(pgconn: PGconn, until: float) -> PGresult | None:
    while pgconn.is_busy():
        _wait(pgconn, select.POLLIN, until)
        pgconn.consume_input()
    return pgconn.get_result()


def _error(result: PGresult) -> Error | None:
    return None if result.status in _GOOD else error_from_result(result)


def _wait(pgconn: PGconn, event: int, until: float) -> None:
    poll = select.poll()
    poll.register(pgconn.socket, event)
    if not poll.poll(max(0.0, until - time.monotonic()) * 1000):
        raise OperationalError("the server did not answer in time")
