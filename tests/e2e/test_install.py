"""The script that installs the registry and the clients, with an apt-get that installs nothing."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parent / "install"
TOOLS = ("bash", "chmod", "env", "rm", "tee", "touch", "true")

# Notes how it was called; "installs" its arguments as empty commands unless told to fail.
APT_GET = """
echo "$DEBIAN_FRONTEND $*" >>"{folder}/calls"
if [[ "$*" == *update* ]]; then exit; fi
[[ ! -e {folder}/policy ]] || {folder}/policy || echo "policy: $?" >>"{folder}/calls"
for name; do
    if [[ $name == {unavailable} ]]; then exit 100; fi
done
for name; do touch "{folder}/bin/${{name#--}}"; chmod 755 "{folder}/bin/${{name#--}}"; done
"""


class Machine:
    """A PATH with few commands on it, and what was called."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        (folder / "bin").mkdir()
        for tool in TOOLS:
            path = shutil.which(tool)
            assert path is not None
            (folder / "bin" / tool).symlink_to(path)
        self.command("id", "echo 0")
        self.apt_get()

    def command(self, name: str, script: str = "") -> None:
        path = self.folder / "bin" / name
        path.write_text(f"#!/usr/bin/env bash\n{script}\n")
        path.chmod(0o755)

    def apt_get(self, unavailable: str = "nothing") -> None:
        self.command("apt-get", APT_GET.format(folder=self.folder, unavailable=unavailable))

    def install(self, *packages: str) -> subprocess.CompletedProcess[str]:
        environment = {"PATH": str(self.folder / "bin"), "POLICY": str(self.folder / "policy")}
        return subprocess.run(
            [SCRIPT, *packages],
            env=environment,
            capture_output=True,
            text=True,
            timeout=20,
            check=False,
        )

    def calls(self) -> list[str]:
        path = self.folder / "calls"
        return path.read_text().splitlines() if path.exists() else []


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path)


def test_installs_what_is_missing_without_starting_it(machine):
    machine.command("update-rc.d", f'echo "update-rc.d $*" >>"{machine.folder}/calls"')
    assert machine.install().returncode == 0
    assert machine.calls() == [
        "noninteractive -qq update",
        "noninteractive -qq install --yes --no-install-recommends docker-registry skopeo",
        "policy: 101",
        "update-rc.d docker-registry disable",
        "noninteractive -qq install --yes --no-install-recommends podman uidmap",
        "policy: 101",
    ]
    assert not (machine.folder / "policy").exists()


def test_does_nothing_when_all_is_there(machine):
    for name in ("docker-registry", "skopeo", "podman"):
        machine.command(name)
    result = machine.install()
    assert (result.returncode, result.stderr, machine.calls()) == (0, "", [])


@pytest.mark.parametrize("there", [pytest.param((), id="all"), pytest.param(("skopeo",), id="one")])
def test_says_what_is_missing_where_it_may_not_install(machine, there):
    machine.command("id", "echo 1000")
    for name in there:
        machine.command(name)
    result = machine.install()
    missing = [name for name in ("docker-registry", "skopeo", "podman") if name not in there]
    assert result.returncode == 1
    assert f"apt-get install {' '.join(missing)}\n" in result.stderr
    assert machine.calls() == []


def test_uses_sudo_where_it_asks_for_no_password(machine):
    machine.command("id", "echo 1000")
    machine.command("sudo", f'shift; echo sudo >>"{machine.folder}/calls"; exec "$@"')
    assert machine.install().returncode == 0
    assert machine.calls().count("sudo") >= len(machine.calls()) // 2


@pytest.mark.parametrize(
    ("unavailable", "status"),
    [pytest.param("skopeo", 1, id="skopeo"), pytest.param("podman", 0, id="podman")],
)
def test_fails_only_for_what_the_tests_cannot_do_without(machine, unavailable, status):
    machine.apt_get(unavailable)
    result = machine.install()
    assert result.returncode == status
    assert "could not install" in result.stderr
    assert not (machine.folder / "policy").exists()


def test_installs_nothing_where_the_policy_would_start_the_registry(machine):
    policy = machine.folder / "policy"
    policy.write_text("#!/bin/sh\nexit 0\n")
    policy.chmod(0o755)
    result = machine.install()
    assert result.returncode == 1
    assert "would let the packaged registry start" in result.stderr
    assert machine.calls() == ["noninteractive -qq update"]
    assert os.access(policy, os.X_OK)


def test_named_packages_are_installed_instead_and_can_be_done_without(machine):
    machine.apt_get(unavailable="haproxy")
    done = machine.install("wrk", "haproxy")
    assert done.returncode == 0
    assert "install --yes --no-install-recommends wrk haproxy" in "\n".join(machine.calls())
    assert "skopeo" not in "".join(machine.calls())
    assert "the tests that need it are skipped" in done.stderr
