"""Keeping PostgreSQL's processes off the core of the service while it is measured."""

from __future__ import annotations

import contextlib
import os
import threading
from collections.abc import Iterator
from pathlib import Path

import psycopg

from benchmarks.databases import Database
from benchmarks.processes import pin

# Of the whole server: what they do for the log must not take the service's core either.
_BACKGROUND = ("checkpointer", "walwriter", "background writer")
_PROCESSES = """
SELECT pid FROM pg_stat_activity WHERE datname = current_database() OR backend_type = ANY(%s)
"""
_INTERVAL = 0.5  # seconds


@contextlib.contextmanager
def pinned_backends(database: Database, core: int | None) -> Iterator[str]:
    """Keep the database's processes on `core`, new ones too; gives a sentence on what was done."""
    if database.kind == "sqlite" or core is None:
        yield ""
        return
    earlier: dict[int, set[int]] = {}
    with psycopg.connect(database.url, autocommit=True) as connection:
        try:
            _pin_all(connection, core, earlier)
        except (PermissionError, LookupError) as error:
            yield f"PostgreSQL's processes were not pinned: {error}."
            return
        stopping = threading.Event()
        watch = threading.Thread(target=_watch, args=(connection, core, earlier, stopping))
        watch.start()
        try:
            yield f"PostgreSQL's processes were kept on core {core}."
        finally:
            stopping.set()
            watch.join()
            _restore(earlier)


def _watch(
    connection: psycopg.Connection,
    core: int,
    earlier: dict[int, set[int]],
    stopping: threading.Event,
) -> None:
    """Connections come and go during a run, autovacuum's workers too."""
    while not stopping.wait(_INTERVAL):
        _pin_all(connection, core, earlier)


def _pin_all(connection: psycopg.Connection, core: int, earlier: dict[int, set[int]]) -> None:
    for (pid,) in connection.execute(_PROCESSES, [list(_BACKGROUND)]).fetchall():
        if pid in earlier:
            continue
        with contextlib.suppress(ProcessLookupError):
            _must_be_local(pid)
            cores = os.sched_getaffinity(pid)
            pin(pid, core)
            earlier[pid] = cores


def _must_be_local(pid: int) -> None:
    try:
        name = Path(f"/proc/{pid}/comm").read_text().strip()
    except FileNotFoundError:
        name = ""
    if name != "postgres":
        raise LookupError(f"process {pid} is not a PostgreSQL process of this machine")


def _restore(earlier: dict[int, set[int]]) -> None:
    for pid, cores in earlier.items():
        with contextlib.suppress(ProcessLookupError):
            os.sched_setaffinity(pid, cores)
