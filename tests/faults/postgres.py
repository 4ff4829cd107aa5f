"""A PostgreSQL cluster of a test's own: it can be stopped, frozen, promoted and filled up."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import tempfile
from pathlib import Path

import psycopg
import pytest

from tests.faults.processes import descendants
from tests.service import free_port

_DATABASE = "registry"
_OWN_BACKENDS = (
    "SELECT pid FROM pg_stat_activity WHERE backend_type = 'client backend'"
    f" AND datname = '{_DATABASE}' AND pid <> pg_backend_pid() AND application_name <> 'other'"
)


def _binaries() -> Path:
    """The newest of Debian's versions, or what is on the path."""
    if installed := sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb")):
        return installed[-1].parent
    if (found := shutil.which("initdb")) is not None:
        return Path(found).resolve().parent
    pytest.skip("PostgreSQL's initdb is not installed; on Debian: apt-get install postgresql")


class Postgres:
    """Made and started on entering, stopped and removed on leaving."""

    def __init__(self, **options: str | int) -> None:
        self.port = free_port()
        self.url = f"postgres://postgres@127.0.0.1:{self.port}/{_DATABASE}"
        self._binaries = _binaries()
        self._folder = Path(tempfile.mkdtemp(prefix="registry-token-postgres-"))
        self._data = self._folder / "data"
        self._options = options
        # The server refuses to run as root.
        self._user = ["runuser", "-u", "postgres", "--"] if os.geteuid() == 0 else []
        if self._user:
            shutil.chown(self._folder, "postgres")

    def __enter__(self) -> Postgres:
        self._run("initdb", "-U", "postgres", "-A", "trust", "-E", "UTF8", "--no-sync")
        self._configure()
        self.start()
        with psycopg.connect(self.url.replace(_DATABASE, "postgres"), autocommit=True) as server:
            server.execute(f"CREATE DATABASE {_DATABASE}")
        return self

    def __exit__(self, *_: object) -> None:
        if self.is_running():
            self.thaw()
            self.stop("immediate")
        shutil.rmtree(self._folder, ignore_errors=True)

    def standby(self) -> Postgres:
        """A hot standby that streams from this cluster; it starts on entering."""
        return _Standby(self, **self._options)

    def start(self) -> None:
        """Start, and wait until connections are accepted."""
        self._run("pg_ctl", "start", "-w", "-t", "20", "-l", str(self._folder / "log"))

    def stop(self, mode: str = "fast") -> None:
        """`fast` ends the sessions in order, `immediate` is a crash."""
        self._run("pg_ctl", "stop", "-w", "-t", "20", "-m", mode)

    def commit_with_standby(self) -> None:
        """A commit counts from now on when a standby has it too."""
        self.alter_system("synchronous_standby_names", "'*'")

    def alter_system(self, name: str, value: str) -> None:
        """Change a setting of the running server and of all its sessions."""
        with psycopg.connect(self.url, autocommit=True) as connection:
            connection.execute(f"ALTER SYSTEM SET {name} = {value}".encode())
            connection.execute("SELECT pg_reload_conf()")

    def promote(self) -> None:
        """Make a standby the primary."""
        self._run("pg_ctl", "promote", "-w", "-t", "20")

    def freeze(self) -> None:
        """Every process of the server hangs; what is sent to it is taken by the kernel."""
        self._signal([self._postmaster(), *descendants(self._postmaster())], signal.SIGSTOP)

    def thaw(self) -> None:
        """The opposite."""
        self._signal([self._postmaster(), *descendants(self._postmaster())], signal.SIGCONT)

    def backends(self) -> list[int]:
        """The processes that serve connections to the service's database."""
        with psycopg.connect(self.url, autocommit=True) as connection:
            return [pid for (pid,) in connection.execute(_OWN_BACKENDS).fetchall()]

    def end_sessions(self, by: psycopg.Connection | None = None) -> int:
        """End the service's sessions as an administrator would; how many there were."""
        query = f"SELECT count(pg_terminate_backend(pid)) FROM ({_OWN_BACKENDS}) AS backends"
        with contextlib.ExitStack() as stack:
            by = by or stack.enter_context(psycopg.connect(self.url, autocommit=True))
            ((count,),) = by.execute(query).fetchall()
        return int(count)

    def is_running(self) -> bool:
        return (self._data / "postmaster.pid").exists()

    def _postmaster(self) -> int:
        return int((self._data / "postmaster.pid").read_text().split()[0])

    def _signal(self, pids: list[int], number: signal.Signals) -> None:
        for pid in pids:
            with contextlib.suppress(ProcessLookupError):  # some come and go
                os.kill(pid, number)

    def _configure(self) -> None:
        settings = {
            "port": self.port,
            "listen_addresses": "'127.0.0.1'",
            "unix_socket_directories": f"'{self._folder}'",
            # What a process has written outlives it; only a machine's crash needs the disk.
            "fsync": "off",
            **self._options,
        }
        with (self._data / "postgresql.conf").open("a") as file:
            file.writelines(f"{name} = {value}\n" for name, value in settings.items())

    def _run(self, command: str, *arguments: str) -> None:
        done = subprocess.run(
            [*self._user, str(self._binaries / command), "-D", str(self._data), *arguments],
            cwd=self._folder,
            stdout=subprocess.DEVNULL,  # a pipe would stay open as long as the server runs
            stderr=subprocess.STDOUT,
            timeout=60,
            check=False,
        )
        if done.returncode:
            log = self._folder / "log"
            raise RuntimeError(f"{command} failed: {log.read_text() if log.exists() else ''}")


class _Standby(Postgres):
    def __init__(self, primary: Postgres, **options: str | int) -> None:
        super().__init__(**options)
        self._primary = primary

    def __enter__(self) -> Postgres:
        source = ("-h", "127.0.0.1", "-p", str(self._primary.port), "-U", "postgres")
        self._run("pg_basebackup", *source, "--write-recovery-conf", "--checkpoint=fast")
        self._configure()
        self.start()
        return self
