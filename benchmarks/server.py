"""The service as shipped, on one core: gunicorn with its configuration file, or granian."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import Any, Literal

from benchmarks.callers import catalogue
from benchmarks.databases import Database
from benchmarks.processes import Memory, memory, workers
from registry_token.config_values import BASE_DIR
from tests.service import Service

Kind = Literal["gunicorn", "granian"]

_PATIENCE = 30  # seconds


class Server(Service):
    """A service of the tests with a catalogue of any size; knows how long it took to start."""

    def __init__(
        self,
        folder: Path,
        database: Database,
        *,
        kind: Kind = "gunicorn",
        plans: int = 3,
        rules: int = 10,
        processes: int = 1,
        core: int | None = None,
        python: str = sys.executable,
    ) -> None:
        folder.mkdir(exist_ok=True)
        super().__init__(
            folder,
            {
                "REGISTRY_TOKEN_DATABASE_URL": database.url,
                "WEB_CONCURRENCY": str(processes),
            },
        )
        self.python = python
        self.kind = kind
        self.plans, self.rules = plans, rules
        self.core = core
        self.processes = processes
        self.start_up = 0.0  # seconds

    def __enter__(self) -> Server:
        self.manage("migrate", "--verbosity", "0")
        self._load_catalogue()
        self.start()
        return self

    def _load_catalogue(self) -> None:
        file = self.folder / "catalogue.yaml"
        file.write_text(json.dumps(catalogue(self.plans, self.rules)))
        subprocess.run(
            [self.python, str(BASE_DIR / "manage.py"), "load_catalogue", str(file)],
            env=self.environment,
            stdout=subprocess.DEVNULL,
            check=True,
        )

    def start(self) -> None:
        """Start and wait until it can issue tokens."""
        started = time.monotonic()
        with self.output.open("ab") as output:
            self.process = subprocess.Popen(
                self._command(),
                cwd=BASE_DIR,
                env=self.environment,
                stdout=output,
                stderr=subprocess.STDOUT,
            )
        while not self._is_ready():
            if self.process.poll() is not None or time.monotonic() - started > _PATIENCE:
                raise RuntimeError(f"the service did not start:\n{self.output.read_text()}")
            time.sleep(0.005)
        self.start_up = time.monotonic() - started

    def _is_ready(self) -> bool:
        with suppress(OSError):
            return self.request("GET", "/readyz")[0] == 200
        return False

    def _command(self) -> list[str]:
        pinned = [] if self.core is None else ["taskset", "-c", str(self.core)]
        python = [*pinned, self.python, "-m"]
        if self.kind == "gunicorn":
            options = ["-c", "etc/gunicorn.conf.py", "--bind", f"127.0.0.1:{self.port}"]
            return [*python, "gunicorn", *options]
        options = ["--interface", "wsgi", "--host", "127.0.0.1", "--port", str(self.port)]
        options += ["--workers", str(self.processes), "--blocking-threads", "8"]
        return [*python, "granian", *options, "registry_token.wsgi:application"]

    def worker_pids(self) -> list[int]:
        """The processes that answer."""
        assert self.process is not None
        return workers(self.process.pid)

    def all_pids(self) -> list[int]:
        """Those, and the one that watches them."""
        assert self.process is not None
        return [self.process.pid, *self.worker_pids()]

    def memory(self) -> list[Memory]:
        """Of each worker."""
        return [memory(pid) for pid in self.worker_pids()]


def description(kind: Kind) -> str:
    """How it is started, for a report."""
    options: dict[str, Any] = {
        "gunicorn": "gunicorn -c etc/gunicorn.conf.py",
        "granian": "granian --interface wsgi --blocking-threads 8",
    }
    return str(options[kind])
