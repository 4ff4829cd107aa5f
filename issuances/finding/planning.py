"""What PostgreSQL is told about the queries of the log before it plans them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection, transaction


@contextmanager
def uncompiled() -> Iterator[None]:
    """Queries within, in one transaction, are not compiled before they run (JIT).

    PostgreSQL compiles what it believes to be expensive. These queries stop after a few rows, which
    takes milliseconds; compiling them for all months takes seconds. Raises django.db.Error.
    """
    if connection.vendor != "postgresql":
        yield
        return
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SET LOCAL jit = off")
        yield
