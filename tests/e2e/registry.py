"""The real registry, configured as its operator would: from what `registry_config` prints."""

from __future__ import annotations

import contextlib
import http.client
import os
import shutil
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.service import SERVICE, Service, free_port


def require(command: str) -> None:
    """Fail, with what to do, when a Debian package of the same name is not installed."""
    if shutil.which(command) is None:
        pytest.fail(
            f"{command} is not installed; run tests/e2e/install, or: apt-get install {command}",
            pytrace=False,
        )


class Registry:
    """Debian's docker-registry 2.8.2 on a free port. Starts on entering, stops on leaving."""

    def __init__(self, folder: Path, service: Service) -> None:
        self.folder = folder
        self.port = free_port()
        self.host = f"127.0.0.1:{self.port}"
        self.output = folder / "registry.log"
        self.process: subprocess.Popen[bytes] | None = None
        printed = service.manage(
            *("registry_config", "--version", "2"),
            *("--service", SERVICE, "--out", str(folder / "trusted")),
        )
        self.configuration = yaml.safe_load(printed.stdout) | {
            "version": 0.1,
            "storage": {
                "filesystem": {"rootdirectory": str(folder / "storage")},
                "delete": {"enabled": True},
            },
            "http": {"addr": self.host},
        }

    def __enter__(self) -> Registry:
        require("docker-registry")
        path = self.folder / "config.yml"
        path.write_text(yaml.safe_dump(self.configuration))
        with self.output.open("ab") as output:
            self.process = subprocess.Popen(
                ["docker-registry", "serve", str(path)],
                env={"PATH": os.environ["PATH"]},  # no REGISTRY_* of anybody's
                stdout=output,
                stderr=subprocess.STDOUT,
            )
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline and self.process.poll() is None:
            with contextlib.suppress(OSError):
                if self.request("GET", "/v2/")[0] == 401:
                    return self
            time.sleep(0.05)
        self.__exit__()
        raise RuntimeError(f"the registry did not start:\n{self.output.read_text()}")

    def __exit__(self, *_: object) -> None:
        if self.process is not None and self.process.poll() is None:
            self.process.terminate()
            self.process.wait(timeout=20)

    def request(
        self, method: str, path: str, token: str | None = None
    ) -> tuple[int, dict[str, str], Any]:
        """One request with a registry token: status, header fields, body."""
        headers = {} if token is None else {"Authorization": f"Bearer {token}"}
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        try:
            connection.request(method, path, headers=headers)
            response = connection.getresponse()
            return response.status, dict(response.getheaders()), response.read()
        finally:
            connection.close()

    def holds(self, repository: str) -> bool:
        """Whether anything was ever stored in a repository, as its disk has it."""
        return (self.folder / "storage/docker/registry/v2/repositories" / repository).exists()

    def log(self) -> str:
        """Its log, access lines included."""
        return self.output.read_text()
