"""The development set-up: made once, kept as it is, and private. On a copy of the project."""

from __future__ import annotations

import os
import re
import shutil
import stat
import subprocess
import sys

import pytest

from registry_token import config
from registry_token.config_values import BASE_DIR

COPIED = ("registry_token", "plans", "licences", "issuances", "people", "etc", "manage.py")


def copy(folder):
    for name in COPIED:
        source = BASE_DIR / name
        if source.is_dir():
            shutil.copytree(source, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(source, folder / name)
    return folder


def run(folder, *arguments):
    """Run Python in a copy, without any configuration but the copy's own."""
    names = ("REGISTRY_TOKEN_", "DJANGO_SETTINGS_MODULE")
    environment = {k: v for k, v in os.environ.items() if not k.startswith(names)}
    done = subprocess.run(
        [sys.executable, "-B", *arguments],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


# What `make setup` and `make run` start one after the other, in one process to save time.
MAKE = """
import runpy, sys
sys.path.insert(0, ".")
runpy.run_module("registry_token.development", run_name="__main__")
print("---")
import manage
for arguments in (["migrate", "--verbosity", "0"], ["dev_setup", "--url", "http://127.0.0.1:1"]):
    sys.argv[1:] = arguments
    manage.main()
"""


FILES = (
    "authority.jwks.json",
    "authority.key",
    "registry-token.yaml",
    "signing.crt",
    "signing.key",
)


def state(folder):
    """Name to bytes and time of change."""
    return {path.name: (path.read_bytes(), path.stat().st_mtime_ns) for path in folder.iterdir()}


@pytest.fixture(scope="module")
def set_up(tmp_path_factory):
    """A set-up made twice: what was printed and what was there after each time."""
    project = copy(tmp_path_factory.mktemp("development"))
    folder = project / "var" / "development"
    files, states, printed = [], [], []
    for _ in range(2):
        made, _, output = run(project, "-c", MAKE).partition("---\n")
        files.append(made)
        states.append({name: state(folder)[name] for name in FILES})
        printed.append(output)
    return project, files, states, printed


def test_makes_the_files_once_and_keeps_them(set_up):
    _, files, states, _ = set_up
    assert sorted(re.findall(r"made .*/(.*)", files[0])) == list(FILES)
    assert files[1] == ""
    assert states[0] == states[1]


def test_only_the_owner_can_read_the_files(set_up):
    folder = set_up[0] / "var" / "development"
    modes = {name: stat.S_IMODE((folder / name).stat().st_mode) for name in FILES}
    assert set(modes.values()) == {0o600}


def test_the_configuration_is_valid(set_up):
    folder = set_up[0] / "var" / "development"
    configuration = config.load({}, folder / "registry-token.yaml")
    assert configuration.errors == ()
    assert configuration.values["debug"] is False
    run(set_up[0], "manage.py", "check", "--fail-level", "WARNING")


def test_the_password_is_printed_once(set_up):
    first, second = set_up[3]
    assert re.search(r"user admin, password [\w-]{20}\n", first)
    assert "password" not in second
    assert "added plan community" in first
    assert "added plan" not in second


def test_what_was_edited_is_kept(set_up):
    project = set_up[0]
    edit = (
        "from plans.models import *; from django.contrib.auth.models import User;"
        "Plan.objects.all().delete(); User.objects.update(username='alice')"
    )
    run(project, "manage.py", "shell", "--no-imports", "-c", edit)
    assert "added" not in (again := run(project, "manage.py", "dev_setup"))
    assert "password" not in again


def test_two_set_ups_share_no_secret(set_up, tmp_path):
    other = copy(tmp_path)
    run(other, "-m", "registry_token.development")
    folders = [project / "var" / "development" for project in (set_up[0], other)]
    for name in FILES:
        contents = [(folder / name).read_bytes() for folder in folders]
        assert contents[0] != contents[1], name


def test_prints_commands_that_can_be_pasted(set_up):
    printed = set_up[3]
    for output in printed:
        commands = [line for line in output.splitlines() if line.startswith("curl ")]
        scopes = [re.search(r"scope=(\S+)\"", command)[1] for command in commands]  # type: ignore[index]
        assert scopes == [
            "repository:stella-ops/public/app:pull",
            "repository:stella-ops/private/app:push",
        ]
        assert all("http://127.0.0.1:1/token?service=registry.example.com&" in c for c in commands)
        assert mint(commands[0]).count(".") == 2


def test_works_in_a_folder_of_any_name(tmp_path):
    folder = tmp_path / "it's a #1: check-out"
    folder.mkdir()
    project = copy(folder)
    output = run(project, "-c", MAKE)
    path = project / "var" / "development" / "registry-token.yaml"
    configuration = config.load({}, path)
    assert configuration.errors == ()
    assert configuration.values["signing.key"] == str(path.with_name("signing.key"))
    command = next(line for line in output.splitlines() if line.startswith("curl "))
    assert mint(command).count(".") == 2


def mint(curl):
    """What the shell puts in place of a command's $(…): the caller token."""
    command = re.search(r"\$\((.*)\)", curl)[1]  # type: ignore[index]
    environment = {k: v for k, v in os.environ.items() if not k.startswith("REGISTRY_TOKEN_")}
    environment.pop("DJANGO_SETTINGS_MODULE", None)
    done = subprocess.run(
        ["/bin/sh", "-c", f'printf %s "$({command})"'],
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout
