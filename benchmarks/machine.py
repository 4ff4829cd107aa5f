"""The machine that figures belong to, and the limit: RSA-2048 signatures a second of one core."""

from __future__ import annotations

import os
import platform
import re
import subprocess
from dataclasses import dataclass
from pathlib import Path

import cryptography
import django
import gunicorn
import psycopg
from cryptography.hazmat.backends.openssl import backend

_SPEED = re.compile(r"^rsa\s+2048 bits\s+\S+s\s+\S+s\s+([0-9.]+)\s+([0-9.]+)", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Rates:
    """RSA-2048 operations a second of one core."""

    sign: float
    verify: float


def openssl_rates(core: int, seconds: int) -> Rates:
    """What `openssl speed` says, kept on that core."""
    speed = ["taskset", "-c", str(core), "openssl", "speed", "-seconds", str(seconds), "rsa2048"]
    return parse_speed(subprocess.run(speed, capture_output=True, text=True, check=True).stdout)


def parse_speed(output: str) -> Rates:
    """The rates in the report of `openssl speed rsa2048`."""
    found = _SPEED.search(output)
    if found is None:
        raise RuntimeError(f"openssl speed said nothing of rsa2048:\n{output}")
    return Rates(float(found[1]), float(found[2]))


def description(database_server: str | None) -> dict[str, str]:
    """Processor, kernel and versions, as lines of a report."""
    described = {
        "processor": f"{_processor()}, {os.cpu_count()} cores",
        "memory": f"{os.sysconf('SC_PAGE_SIZE') * os.sysconf('SC_PHYS_PAGES') / 2**30:.0f} GiB",
        "kernel": f"{platform.system()} {platform.release()}",
        "Python": platform.python_version(),
        "openssl": _first_line("openssl", "version"),
        "cryptography": f"{cryptography.__version__} with {backend.openssl_version_text()}",
        "Django": django.__version__,
        "gunicorn": gunicorn.__version__,
        "psycopg": psycopg.__version__,
        "wrk": _first_line("wrk", "--version"),
        "code": _first_line("git", "describe", "--always", "--dirty"),
    }
    if database_server is not None:
        described["PostgreSQL"] = _postgres(database_server)
    return described


def _processor() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.machine()


def _first_line(*command: str) -> str:
    # wrk shows its version and leaves with 1.
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return (done.stdout or done.stderr or "unknown").splitlines()[0]


def _postgres(server: str) -> str:
    names = ("server_version", "fsync", "synchronous_commit", "shared_buffers")
    with psycopg.connect(server) as connection:
        values = [connection.execute(f"SHOW {name}").fetchone() for name in names]
    shown = [str(value[0]) for value in values if value is not None]
    return ", ".join([shown[0], *(f"{n} {v}" for n, v in zip(names[1:], shown[1:], strict=True))])
