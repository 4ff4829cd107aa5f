"""What takes the whole log: exports, sealing, verifying, the roll-up; and writing rows."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from benchmarks.audit_client import Auditor
from benchmarks.server import Server
from registry_token.config_values import BASE_DIR


@dataclass(frozen=True, slots=True)
class Work:
    """How many rows in which time, and the most memory of the process, in MB of 10^6 bytes. Without
    rows it could not be done, for the reason in `note`.
    """

    name: str
    rows: int
    seconds: float
    peak: float
    note: str = ""

    @property
    def rate(self) -> float:
        """Rows a second."""
        return self.rows / self.seconds if self.seconds else 0.0


def export(server: Server, auditor: Auditor, form: str, folder: Path, query: str = "") -> Work:
    """All rows by the API, into nothing; by the manifest all arrived."""
    head = folder / "head"
    pids = server.worker_pids()
    for pid in pids:
        Path(f"/proc/{pid}/clear_refs").write_text("5")  # forget the peak
    url = f"{server.url}/api/v1/issuances/export?format={form}{query}"
    authorization = f"Authorization: Bearer {auditor.token}"
    command = ["curl", "-sS", "--fail", "-o", "/dev/null", "-D", str(head), "-H", authorization]
    started = time.monotonic()
    done = subprocess.run([*command, url], capture_output=True, text=True, check=False)
    seconds = time.monotonic() - started
    peak = max(_peak(pid) for pid in pids)
    if done.returncode != 0:
        return Work(f"export {form}", 0, seconds, peak, done.stderr.strip())
    found = re.search(r"^link: <([^>]*)>", head.read_text(), re.IGNORECASE | re.MULTILINE)
    assert found is not None
    manifest = auditor.json(found[1].removeprefix(server.url))
    return Work(f"export {form}", int(manifest["rows"]), seconds, peak)


def command(server: Server, name: str, rows: int, *arguments: str) -> Work:
    """A command of `manage.py` that goes through so many rows."""
    started = time.monotonic()
    process = subprocess.Popen(
        [server.python, str(BASE_DIR / "manage.py"), *arguments],
        env=server.environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert process.stdout is not None
    said = process.stdout.read()
    _pid, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    seconds = time.monotonic() - started
    last = (said.strip().splitlines() or [""])[-1]
    if process.returncode != 0:
        return Work(name, 0, seconds, usage.ru_maxrss * 1024 / 1e6, last)
    return Work(name, rows, seconds, usage.ru_maxrss * 1024 / 1e6, last)


def insert_rates(servers: Sequence[Server], seconds: float, rounds: int) -> list[float]:
    """Rows a second into each log: the median of rounds in which they take turns."""
    rates: list[list[float]] = [[] for _ in servers]
    for _ in range(rounds):
        for server, found in zip(servers, rates, strict=True):
            found.append(float(inserting(server, seconds).communicate()[0]))
    return [median(found) for found in rates]


def inserting(server: Server, seconds: float) -> subprocess.Popen[str]:
    """A process that writes rows for so long, and then the rate."""
    command = [sys.executable, "-m", "benchmarks.audit_insert", str(seconds)]
    return subprocess.Popen(
        command, cwd=BASE_DIR, env=server.environment, stdout=subprocess.PIPE, text=True
    )


def _peak(pid: int) -> float:
    status = Path(f"/proc/{pid}/status").read_text()
    found = re.search(r"^VmHWM:\s+(\d+) kB", status, re.MULTILINE)
    assert found is not None
    return int(found[1]) * 1024 / 1e6
