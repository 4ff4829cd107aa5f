"""haproxy in front of the service, pgbouncer behind it: Debian's packages, on free ports."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Self

import psycopg
import pytest

from tests.faults.postgres import Postgres
from tests.faults.processes import accepts, eventually
from tests.service import Service, free_port

_HAPROXY = """
global
    log stderr format raw local0 warning
defaults
    mode http
    log global
    timeout connect 2s
    timeout client 30s
    timeout server 10s
    option forwardfor
    # A replica that stops closes the connections that it keeps; asking again is harmless.
    option redispatch 1
    retries 3
    retry-on conn-failure empty-response
frontend tokens
    bind 127.0.0.1:{port}
    default_backend replicas
backend replicas
    balance roundrobin
    option httpchk GET /readyz
"""

# What the documentation says, and nothing more.
_PGBOUNCER = """
[databases]
registry = host=127.0.0.1 port={server} dbname=registry user=postgres
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {port}
unix_socket_dir =
auth_type = any
admin_users = postgres
pool_mode = transaction
default_pool_size = {pool}
max_client_conn = 200
logfile = {folder}/pgbouncer.log
"""


class _Daemon:
    """A program in the foreground that listens on `port`. Runs from entering to leaving."""

    command: Sequence[str]
    configuration: str

    def __init__(self) -> None:
        if shutil.which(self.command[0]) is None:
            name = self.command[0]
            pytest.skip(f"{name} is not installed; on Debian: apt-get install {name}")
        self.port = free_port()
        self.folder = Path(tempfile.mkdtemp(prefix="registry-token-proxy-"))
        self.process: subprocess.Popen[bytes] | None = None
        self.user: str | None = None

    def __enter__(self) -> Self:
        (self.folder / "configuration").write_text(self.configuration)
        if self.user is not None:
            shutil.chown(self.folder, self.user)
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()
        shutil.rmtree(self.folder)

    def start(self) -> None:
        """Start, and wait until it listens."""
        with (self.folder / "output").open("ab") as output:
            self.process = subprocess.Popen(
                [*self.command, str(self.folder / "configuration")],
                cwd="/",
                user=self.user,
                stdout=output,
                stderr=subprocess.STDOUT,
            )
        if not eventually(lambda: accepts(self.port), 10):
            self.stop()
            raise RuntimeError(f"no {self.command[0]}: {(self.folder / 'output').read_text()}")

    def stop(self) -> None:
        """Stop without waiting for its clients."""
        if self.process is not None:
            self.process.kill()
            self.process.wait(timeout=10)


class Haproxy(_Daemon):
    """Shares requests out between replicas, in turn, to those that say they are ready."""

    command = ("haproxy", "-db", "-f")

    def __init__(self, *replicas: Service) -> None:
        super().__init__()
        self.url = f"http://127.0.0.1:{self.port}"
        servers = [
            f"    server replica{number} 127.0.0.1:{replica.port} check inter 200ms fall 2 rise 1\n"
            for number, replica in enumerate(replicas)
        ]
        self.configuration = _HAPROXY.format(port=self.port) + "".join(servers)


class PgBouncer(_Daemon):
    """Few connections to PostgreSQL for many clients, in transaction mode."""

    command = ("pgbouncer",)

    def __init__(self, postgres: Postgres, pool: int) -> None:
        super().__init__()
        # It refuses to run as root.
        self.user = "postgres" if os.geteuid() == 0 else None
        self.url = f"postgres://postgres@127.0.0.1:{self.port}/registry"
        self.configuration = _PGBOUNCER.format(
            port=self.port, server=postgres.port, pool=pool, folder=self.folder
        )

    def tell(self, command: str) -> None:
        """A command of its console: PAUSE, RESUME and so on."""
        console = f"{self.url.rpartition('/')[0]}/pgbouncer"
        with psycopg.connect(console, autocommit=True) as connection:
            connection.execute(command.encode())
