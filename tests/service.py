"""A service process for tests: migrated, with the example catalogue, served by gunicorn."""

from __future__ import annotations

import contextlib
import http.client
import os
import secrets
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any, Self
from urllib.parse import urlsplit

import psycopg

from registry_token import key_files
from registry_token.config_values import BASE_DIR
from tests.authority import Authority

SERVICE = "registry.example.com"


def free_port() -> int:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        port: int = sock.getsockname()[1]
        return port


class Service:
    """Starts on entering, stops on leaving. `environment` adds to or replaces the settings."""

    def __init__(self, folder: Path, environment: dict[str, str] | None = None) -> None:
        self.folder = folder
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.authority = Authority()
        self.authority.publish(folder / "authority.jwks.json")
        self.signing_key = key_files.new_private_key()
        key_files.write_new_file(
            folder / "signing.key", key_files.private_key_pem(self.signing_key)
        )
        self._drop = contextlib.ExitStack()
        self.python = sys.executable
        self.environment = self._base_environment() | (environment or {})
        self.process: subprocess.Popen[bytes] | None = None
        self.output = folder / "output.log"

    def _base_environment(self) -> dict[str, str]:
        inherited = {k: v for k, v in os.environ.items() if not k.startswith("REGISTRY_TOKEN_")}
        empty = self.folder / "registry-token.yaml"
        empty.touch()
        return inherited | {
            "REGISTRY_TOKEN_CONFIG": str(empty),
            "REGISTRY_TOKEN_SECRET_KEY": secrets.token_urlsafe(50),
            "REGISTRY_TOKEN_AUTHORITY_ISSUER": self.authority.issuer,
            "REGISTRY_TOKEN_AUTHORITY_AUDIENCES": self.authority.audience,
            "REGISTRY_TOKEN_AUTHORITY_JWKS": str(self.folder / "authority.jwks.json"),
            "REGISTRY_TOKEN_SIGNING_KEY": str(self.folder / "signing.key"),
            "REGISTRY_TOKEN_SIGNING_ISSUER": "registry-token-tests",
            "REGISTRY_TOKEN_REGISTRY_SERVICES": f"{SERVICE},mirror.example.com",
            "REGISTRY_TOKEN_REGISTRY_REALM": f"{self.url}/token",
            "REGISTRY_TOKEN_DATABASE_URL": self._database_url(),
            "WEB_CONCURRENCY": "2",
            "DJANGO_SETTINGS_MODULE": "registry_token.settings",
        }

    def _database_url(self) -> str:
        """A file, or a database of its own on the server of TEST_DATABASE_URL."""
        server = os.environ.get("TEST_DATABASE_URL")
        if server is None:
            return f"sqlite:///{self.folder}/service.sqlite3"
        name = f"service_{secrets.token_hex(6)}"
        with psycopg.connect(server, autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name}")
        self._drop.callback(_drop_database, server, name)
        return urlsplit(server)._replace(path=f"/{name}").geturl()

    def manage(self, *arguments: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        """Run a management command on the service's configuration."""
        return subprocess.run(
            [self.python, str(BASE_DIR / "manage.py"), *arguments],
            env=self.environment,
            capture_output=True,
            text=True,
            check=check,
            timeout=60,
        )

    def __enter__(self) -> Self:
        self.manage("migrate", "--verbosity", "0")
        example = BASE_DIR / "etc" / "catalogue.example.yaml"
        self.manage("load_catalogue", str(example), "--reason", "the first plans")
        self.start()
        return self

    def start(self) -> None:
        """Start gunicorn and wait until it answers."""
        gunicorn = [self.python, "-m", "gunicorn", "-c", "etc/gunicorn.conf.py"]
        with self.output.open("ab") as output:
            self.process = subprocess.Popen(
                [*gunicorn, "--bind", f"127.0.0.1:{self.port}"],
                cwd=BASE_DIR,
                env=self.environment,
                stdout=output,
                stderr=subprocess.STDOUT,
            )
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline:
            if self.process.poll() is not None:
                break
            with contextlib.suppress(OSError):
                if self.request("GET", "/healthz")[0] == 200:
                    return
            time.sleep(0.05)
        self.process.kill()
        raise RuntimeError(f"the service did not start:\n{self.output.read_text()}")

    def stop(self) -> int:
        """Stop gracefully; the exit status."""
        assert self.process is not None
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(timeout=40)

    def __exit__(self, *_: object) -> None:
        if self.process is not None and self.process.poll() is None:
            self.stop()
        self._drop.close()

    def connection(self) -> http.client.HTTPConnection:
        """A new one, which is made by its first request."""
        return http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)

    def request(
        self,
        method: str,
        path: str,
        body: Any = None,
        headers: dict[str, str] | None = None,
        **options: Any,
    ) -> tuple[int, dict[str, str], bytes]:
        """One request on a connection of its own: status, header fields, body."""
        connection = self.connection()
        try:
            connection.request(method, path, body, headers or {}, **options)
            response = connection.getresponse()
            return response.status, dict(response.getheaders()), response.read()
        finally:
            connection.close()


def _drop_database(server: str, name: str) -> None:
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)")
