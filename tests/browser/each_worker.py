"""Asking every worker. An idle service gives all connections to one of them, so to hear another one
the rest have to be held for a moment.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

from tests.faults.processes import client_ports, eventually, workers
from tests.service import Service

Answer = TypeVar("Answer")


def from_each_worker(service: Service, ask: Callable[[], Answer]) -> list[Answer]:
    """What `ask` gets while only one worker can answer, for each of them."""
    pids = workers(service)
    assert len(pids) > 1
    answers = []
    for one in pids:
        with _held([pid for pid in pids if pid != one]):
            answers.append(ask())
    return answers


def answering_worker(service: Service, local_port: int) -> int:
    """The process that has the connection which begins at `local_port`."""
    (pid,) = [pid for pid in workers(service) if local_port in client_ports(pid, service.port)]
    return pid


@contextmanager
def _held(pids: list[int]) -> Iterator[None]:
    for pid in pids:
        os.kill(pid, signal.SIGSTOP)
    try:
        # A thread that has not stopped yet would take the connection, and then keep it.
        assert eventually(lambda: all(map(_is_stopped, pids)), within=5)
        yield
    finally:
        for pid in pids:
            os.kill(pid, signal.SIGCONT)


def _is_stopped(pid: int) -> bool:
    tasks = [stat.read_text() for stat in Path(f"/proc/{pid}/task").glob("*/stat")]
    return all(text.rpartition(")")[2].split()[0] == "T" for text in tasks)
