"""Looking at processes and their connections by /proc."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import time
from collections.abc import Callable
from pathlib import Path

from tests.service import Service


def children(pid: int) -> list[int]:
    """The children of all threads of a process."""
    with contextlib.suppress(OSError):
        lists = [task.read_text() for task in Path(f"/proc/{pid}/task").glob("*/children")]
        return [int(child) for text in lists for child in text.split()]
    return []


def descendants(pid: int) -> list[int]:
    """The children, their children and so on."""
    return [grand for child in children(pid) for grand in (child, *descendants(child))]


def workers(service: Service) -> list[int]:
    """The worker processes of gunicorn, oldest first."""
    assert service.process is not None
    return sorted(children(service.process.pid))


def kill_all(service: Service) -> None:
    """The whole service dies at once, as with its machine."""
    assert service.process is not None
    os.kill(service.process.pid, signal.SIGSTOP)  # or it would replace its workers
    for pid in (*workers(service), service.process.pid):
        os.kill(pid, signal.SIGKILL)
    service.process.wait()


def client_ports(pid: int, port: int) -> set[int]:
    """The clients' ports of the connections to `port` that a process holds."""
    held = set()
    for link in Path(f"/proc/{pid}/fd").iterdir():
        with contextlib.suppress(OSError):
            held.add(str(link.readlink()).removeprefix("socket:[").removesuffix("]"))
    ports = set()
    for line in Path(f"/proc/{pid}/net/tcp").read_text().splitlines()[1:]:
        fields = line.split()
        local, remote = (int(field.partition(":")[2], 16) for field in fields[1:3])
        if local == port and fields[9] in held:
            ports.add(remote)
    return ports - {0}


def eventually(holds: Callable[[], bool], within: float) -> bool:
    """Whether something becomes true in time."""
    deadline = time.monotonic() + within
    while not holds():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


def accepts(port: int) -> bool:
    """Whether somebody listens on a port of 127.0.0.1."""
    with socket.socket() as sock:
        return sock.connect_ex(("127.0.0.1", port)) == 0
