"""Load by wrk: keep-alive connections that send one request after the other."""

from __future__ import annotations

import json
import subprocess
from dataclasses import dataclass
from pathlib import Path

_SCRIPT = Path(__file__).with_name("rotate.lua")


@dataclass(frozen=True, slots=True)
class Load:
    """What wrk saw. `answers` are those with status 200; latencies in milliseconds."""

    microseconds: int
    sent: int
    answers: int
    refused: int
    socket_errors: int
    p50: float
    p99: float
    longest: float

    @property
    def errors(self) -> int:
        """Answers other than 200, and connections that broke or timed out."""
        return self.refused + self.socket_errors


def run_wrk(
    url: str, requests: Path, *, connections: int, seconds: float, core: int | None
) -> Load:
    """Send the requests of a table (see rotate.lua) in turn; wrk stays on `core`."""
    pinned = [] if core is None else ["taskset", "-c", str(core)]
    wrk = ["wrk", "-t1", f"-c{connections}", f"-d{max(1, round(seconds))}s", "--timeout", "10s"]
    done = subprocess.run(
        [*pinned, *wrk, "-s", str(_SCRIPT), url, "--", str(requests)],
        capture_output=True,
        text=True,
        check=False,
        timeout=seconds + 60,
    )
    if done.returncode != 0:
        raise RuntimeError(f"wrk failed:\n{done.stdout}{done.stderr}")
    return parse_report(done.stdout)


def parse_report(output: str) -> Load:
    """The line of JSON that rotate.lua prints."""
    lines = [line for line in output.splitlines() if line.startswith("{")]
    return Load(**json.loads(lines[-1]))
