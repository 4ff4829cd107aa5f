"""Real clients, each with a home, credentials and stores of its own."""

from __future__ import annotations

import base64
import json
import os
import subprocess
from pathlib import Path
from typing import Any

from tests.e2e.images import Image
from tests.e2e.registry import Registry

Result = subprocess.CompletedProcess[str]


class Client:
    """A command that talks to one registry with the credentials in its auth file."""

    command: tuple[str, ...]

    def __init__(self, folder: Path, registry: Registry) -> None:
        self.host = registry.host
        self.auth_file = folder / "auth.json"
        for name in ("home", "run", "tmp"):
            (folder / name).mkdir()
        (folder / "registries.conf").touch()
        self.auth_file.write_text("{}")  # podman wants one, even for local images
        # Nothing of the user's own environment: no proxy, no other credentials or registries.
        # Only root's cache of known layers is where it always is, under /var/lib/containers.
        self.environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(folder / "home"),
            "XDG_RUNTIME_DIR": str(folder / "run"),
            "TMPDIR": str(folder / "tmp"),
            "REGISTRY_AUTH_FILE": str(self.auth_file),
            "CONTAINERS_REGISTRIES_CONF": str(folder / "registries.conf"),
        }

    def run(self, *arguments: str, given: str | None = None) -> Result:
        """Run it; `given` is its standard input."""
        return subprocess.run(
            [*self.command, *arguments],
            env=self.environment,
            input=given,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    def log_in(self, token: str, user: str = "ci") -> Result:
        """The client's own login, with the token as password."""
        options = ("--tls-verify=false", "--username", user, "--password-stdin")
        return self.run("login", *options, self.host, given=token)

    def use_password(self, token: str, user: str = "ci") -> None:
        """What a login leaves behind, without asking anybody."""
        self._use({"auth": _basic(user, token)})

    def use_identity_token(self, token: str) -> None:
        """What `docker login` leaves behind where it gets a refresh token.

        Without `auth`, whose password is empty, skopeo and podman do not look at the token.
        """
        self._use({"auth": _basic("ci", ""), "identitytoken": token})

    def _use(self, credential: dict[str, str]) -> None:
        self.auth_file.write_text(json.dumps({"auths": {self.host: credential}}))

    def at(self, repository: str) -> str:
        """How the registry's image is named on the command line."""
        return f"docker://{self.host}/{repository}:1"


class Skopeo(Client):
    """skopeo 1.9.3."""

    command = ("skopeo", "--insecure-policy")

    def push(self, image: Image, repository: str) -> Result:
        return self.run("copy", "--dest-tls-verify=false", image.reference, self.at(repository))

    def pull(self, repository: str, folder: Path) -> Result:
        """Copy into a folder as the registry has it: manifest.json, blobs named by digest."""
        return self.run("copy", "--src-tls-verify=false", self.at(repository), f"dir:{folder}")

    def delete(self, repository: str) -> Result:
        return self.run("delete", "--tls-verify=false", self.at(repository))

    def list_tags(self, repository: str) -> Result:
        name = self.at(repository).removesuffix(":1")
        return self.run("list-tags", "--tls-verify=false", name)

    def inspect(self, repository: str) -> Result:
        return self.run("inspect", "--tls-verify=false", self.at(repository))


class Podman(Client):
    """podman 4.3.1, which here stores images but runs nothing.

    It refuses a runroot longer than 50 characters, so `folder` must not lie deep.
    """

    def __init__(self, folder: Path, registry: Registry) -> None:
        super().__init__(folder, registry)
        self.command = (
            *("podman", "--storage-driver=vfs", "--events-backend=none"),
            *("--cgroup-manager=cgroupfs", "--root", str(folder / "root")),
            *("--runroot", str(folder / "r"), "--tmpdir", str(folder / "libpod")),
        )

    def push(self, image: str, repository: str) -> Result:
        return self.run("push", "--tls-verify=false", image, self.at(repository))

    def pull(self, repository: str) -> Result:
        return self.run("pull", "--tls-verify=false", self.at(repository))


def _basic(user: str, password: str) -> str:
    return base64.b64encode(f"{user}:{password}".encode()).decode()


def succeeded(result: Result) -> str:
    """Its standard output; fails with what it said when it failed."""
    assert result.returncode == 0, result.stderr
    return result.stdout


def parsed(result: Result) -> Any:
    return json.loads(succeeded(result))
