"""One measured run: load, the CPU it costs, and whether the log has one row for each answer."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path

from benchmarks.databases import Database
from benchmarks.load import Load, run_wrk
from benchmarks.pinning import pinned_backends
from benchmarks.processes import busy_seconds, cpu_seconds
from benchmarks.server import Server

_WARM_UP = 1  # seconds
_SETTLING = 5  # seconds


@dataclass(frozen=True, slots=True)
class Run:
    """What was measured, of what, with how many connections.

    `rows` are the tokens that the log gained. `others` is the part of the service's core that went
    to anything but the service, None where the service has no core of its own.
    """

    label: str
    connections: int
    load: Load
    rows: int
    cpu: float  # seconds of the workers
    others: float | None
    pinned: str

    @property
    def tokens_per_second(self) -> float:
        """Answers with a token, a second of the run."""
        return self.load.answers / (self.load.microseconds / 1e6)

    @property
    def cpu_per_token(self) -> float:
        """Microseconds that the workers spend on a token."""
        return self.cpu / self.rows * 1e6

    @property
    def is_exact(self) -> bool:
        """Whether each request that was sent, the last ones included, is a row."""
        return self.rows == self.load.sent

    def problems(self) -> list[str]:
        """What makes the run void, as sentences."""
        name = f"{self.label}, {self.connections} connections"
        found = []
        if self.load.errors:
            found.append(
                f"{name}: {self.load.refused} answers other than 200,"
                f" {self.load.socket_errors} socket errors"
            )
        # wrk hangs up at the end, when each connection may wait for an answer.
        if not self.load.answers <= self.rows <= self.load.answers + self.connections:
            found.append(f"{name}: {self.load.answers} answers and {self.rows} rows")
        return found


def measure(
    server: Server,
    database: Database,
    requests: Path,
    *,
    label: str,
    connections: int,
    seconds: float,
    load_core: int | None,
    warm_up: bool = True,
) -> Run:
    """Warm up if wanted, then measure."""
    if warm_up:
        newest = database.newest_row()
        load = run_wrk(
            server.url, requests, connections=connections, seconds=_WARM_UP, core=load_core
        )
        _settled_rows(database, newest, load.sent)  # or they would count for the run
    with pinned_backends(database, load_core) as pinned:
        newest = database.newest_row()
        pids = server.all_pids()
        busy, ours, cpu = _busy(server), cpu_seconds(pids), cpu_seconds(pids[1:])
        started = time.monotonic()
        load = run_wrk(
            server.url, requests, connections=connections, seconds=seconds, core=load_core
        )
        took = time.monotonic() - started
        cpu = cpu_seconds(pids[1:]) - cpu
        ours = cpu_seconds(pids) - ours
        others = None if server.core is None else (_busy(server) - busy - ours) / took
    rows = _settled_rows(database, newest, load.sent)
    return Run(label, connections, load, rows, cpu, others, pinned)


def cpu_per_probe(
    server: Server, requests: Path, *, connections: int, seconds: float, load_core: int
) -> float:
    """Microseconds that the workers spend on a request that leaves no row."""
    pids = server.worker_pids()
    before = cpu_seconds(pids)
    load = run_wrk(server.url, requests, connections=connections, seconds=seconds, core=load_core)
    if load.errors:
        raise RuntimeError(f"{load.errors} probes failed")
    return (cpu_seconds(pids) - before) / load.sent * 1e6


def _busy(server: Server) -> float:
    return 0.0 if server.core is None else busy_seconds(server.core)


def _settled_rows(database: Database, newest: str, expected: int) -> int:
    """The rows of a run, once those of the last requests are there."""
    deadline = time.monotonic() + _SETTLING
    while (rows := database.rows_after(newest)) < expected and time.monotonic() < deadline:
        time.sleep(0.1)
    return rows
