"""What the kernel says about processes and cores: /proc, as proc(5) describes it."""

from __future__ import annotations

import os
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

_TICKS = os.sysconf("SC_CLK_TCK")
_PROC = Path("/proc")


@dataclass(frozen=True, slots=True)
class Memory:
    """Of one process, in MiB: what is resident, and that with shared pages counted in parts."""

    rss: float
    pss: float


def cores() -> list[int]:
    """The cores that this process may use."""
    return sorted(os.sched_getaffinity(0))


def workers(master: int) -> list[int]:
    """The processes below `master`, but for multiprocessing's own helper."""
    return [pid for pid in _descendants(master) if "resource_tracker" not in _command(pid)]


def _descendants(pid: int) -> list[int]:
    found: list[int] = []
    for task in (_PROC / str(pid) / "task").iterdir():
        for child in (task / "children").read_text().split():
            found += [int(child), *_descendants(int(child))]
    return found


def _command(pid: int) -> str:
    return (_PROC / str(pid) / "cmdline").read_bytes().replace(b"\0", b" ").decode()


def cpu_seconds(pids: Iterable[int]) -> float:
    """User and system time that the processes have used so far, all threads."""
    ticks = 0
    for pid in pids:
        # The second field, the name, may hold blanks.
        fields = (_PROC / str(pid) / "stat").read_text().rpartition(")")[2].split()
        ticks += int(fields[11]) + int(fields[12])  # utime, stime
    return ticks / _TICKS


def memory(pid: int) -> Memory:
    """The memory of one process."""
    return Memory(_kilobytes(pid, "status", "VmRSS"), _kilobytes(pid, "smaps_rollup", "Pss"))


def _kilobytes(pid: int, file: str, name: str) -> float:
    for line in (_PROC / str(pid) / file).read_text().splitlines():
        if line.startswith(f"{name}:"):
            return int(line.split()[1]) / 1024
    raise RuntimeError(f"/proc/{pid}/{file} has no {name}")


def busy_seconds(core: int) -> float:
    """How long the core has been busy so far, with interrupts and with what the host took."""
    for line in (_PROC / "stat").read_text().splitlines():
        name, *values = line.split()
        if name == f"cpu{core}":
            user, nice, system, _idle, _iowait, irq, softirq, steal, *_guests = map(int, values)
            return (user + nice + system + irq + softirq + steal) / _TICKS
    raise RuntimeError(f"/proc/stat has no cpu{core}")


def pin(pid: int, core: int) -> None:
    """Keep a process, with all its threads, on one core. Raises OSError."""
    for task in (_PROC / str(pid) / "task").iterdir():
        with suppress(ProcessLookupError):
            os.sched_setaffinity(int(task.name), {core})
