"""Starting: a broken set-up refuses to, and says what to do. Real processes."""

from __future__ import annotations

import contextlib
import os
import sqlite3
import subprocess
import sys

import pytest

from registry_token import key_files
from registry_token.config_values import BASE_DIR
from tests.authority import new_rsa_key
from tests.configuration import REQUIRED
from tests.service import free_port

CHECK = ["manage.py", "check"]
WSGI = ["-c", "import registry_token.wsgi"]


def gunicorn():
    return ["-m", "gunicorn", "-c", "etc/gunicorn.conf.py", "--bind", f"127.0.0.1:{free_port()}"]


def run(folder, *arguments, **variables):
    """Run Python in the project's folder on a good configuration; None takes a variable away."""
    inherited = {k: v for k, v in os.environ.items() if not k.startswith("REGISTRY_TOKEN_")}
    (folder / "empty.yaml").touch()
    given = REQUIRED | {
        "REGISTRY_TOKEN_CONFIG": str(folder / "empty.yaml"),
        "REGISTRY_TOKEN_SIGNING_KEY": str(folder / "signing.key"),
        "REGISTRY_TOKEN_AUTHORITY_JWKS": str(folder / "authority.jwks.json"),
        "REGISTRY_TOKEN_DATABASE_URL": f"sqlite:///{folder}/a.sqlite3",
    }
    given |= {f"REGISTRY_TOKEN_{name}": value for name, value in variables.items()}
    given |= {"DJANGO_SETTINGS_MODULE": "registry_token.settings", "WEB_CONCURRENCY": "1"}
    environment = inherited | {k: v for k, v in given.items() if v is not None}
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=BASE_DIR,
        env=environment,
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("start")
    pem = key_files.private_key_pem(new_rsa_key())
    key_files.write_new_file(folder / "signing.key", pem)
    return folder


def test_a_good_set_up_passes_the_checks(folder):
    done = run(folder, *CHECK)
    assert done.returncode == 0, done.stderr


BROKEN = {
    "SECRET_KEY": None,
    "SIGNING_KEY": None,
    "SIGNING_ISSUER": None,
    "AUTHORITY_ISSUER": None,
    "AUTHORITY_AUDIENCES": None,
    "REGISTRY_SERVICES": None,
    "SIGNING_LIFETIME": "0",
}
SENTENCES = (
    "REGISTRY_TOKEN_SECRET_KEY (secret_key): is required; python3 -c",
    "`manage.py generate_signing_key --out PATH` makes a key",
    "set it to the iss of registry tokens",
    "set it to the iss of the Authority's tokens, e.g. https://authority.example.com",
    "set it to the aud that the Authority puts into tokens",
    "set it to the service names of the registries",
    "must be a whole number from 60 to 300",
)


@pytest.mark.parametrize("way", [CHECK, WSGI, gunicorn()], ids=["check", "wsgi", "gunicorn"])
def test_refuses_to_start_and_says_all_that_is_to_do(folder, way):
    done = run(folder, *way, **BROKEN)
    assert done.returncode not in (0, -15)
    assert [sentence for sentence in SENTENCES if sentence not in done.stderr] == []
    assert "Booting worker" not in done.stderr


def test_does_not_serve_with_a_key_that_cannot_be_used(folder):
    done = run(folder, *gunicorn(), SIGNING_KEY=str(folder / "missing.key"))
    assert done.returncode != 0
    assert "missing.key cannot be read: No such file or directory" in done.stderr
    assert "Listening at" not in done.stderr


def test_a_worker_does_not_start_with_a_broken_configuration(folder):
    """Without the check of etc/gunicorn.conf.py too."""
    address = f"127.0.0.1:{free_port()}"
    done = run(
        folder, "-m", "gunicorn", "--bind", address, "registry_token.wsgi", SIGNING_LIFETIME="0"
    )
    assert done.returncode != 0
    assert "must be a whole number from 60 to 300" in done.stderr


NOTHING = {name.removeprefix("REGISTRY_TOKEN_"): None for name in REQUIRED} | {
    "AUTHORITY_JWKS": None,
    "DATABASE_URL": None,
    "CONFIG": "",
}


def test_a_key_can_be_made_without_any_configuration(folder, tmp_path):
    done = run(
        folder, "manage.py", "generate_signing_key", "--out", str(tmp_path / "a.key"), **NOTHING
    )
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "a.key").read_bytes().startswith(b"-----BEGIN PRIVATE KEY-----")


def test_the_configuration_can_be_shown_without_any(folder):
    done = run(folder, "manage.py", "show_config", **NOTHING)
    assert "signing.lifetime = 300" in done.stdout
    assert "error: REGISTRY_TOKEN_SECRET_KEY (secret_key): is required" in done.stderr
    assert "Traceback" not in done.stderr
    assert done.returncode == 1


def test_commands_that_change_something_refuse_a_broken_configuration(folder, tmp_path):
    url = f"sqlite:///{tmp_path}/a.sqlite3"
    done = run(folder, "manage.py", "migrate", SIGNING_LIFETIME="0", DATABASE_URL=url)
    assert done.returncode != 0
    assert "must be a whole number from 60 to 300" in done.stderr
    with contextlib.closing(sqlite3.connect(tmp_path / "a.sqlite3")) as database:
        assert database.execute("SELECT count(*) FROM sqlite_master").fetchone() == (0,)


def test_a_broken_configuration_has_no_database(folder):
    script = "from django.conf import settings; print(settings.DATABASES)"
    done = run(folder, "-c", script, DATABASE_URL="postgre://x")
    assert done.stdout == "{}\n"
