"""show_config: each value, where it came from, and never a secret."""

from __future__ import annotations

from io import StringIO

import pytest
from django.core.management import call_command

from registry_token.config import SETTINGS
from tests.configuration import read


@pytest.fixture
def shown(settings, tmp_path):
    """The lines and the errors that are printed of a configuration."""

    def show(text="", /, **variables):
        settings.CONFIGURATION = read(tmp_path, text, **variables)
        out, err = StringIO(), StringIO()
        try:
            call_command("show_config", stdout=out, stderr=err)
        except SystemExit as exit:
            assert exit.code == 1
            assert err.getvalue()
        else:
            assert not err.getvalue()
        return out.getvalue().splitlines(), err.getvalue()

    return show


def test_shows_each_value_with_its_source(shown, tmp_path):
    text = "debug: true\nauthority: {audiences: [a, b]}"
    lines, _ = shown(text, AUTHORITY_AUDIENCES=None, PLANS_DEFAULT="community")
    file = tmp_path / "registry-token.yaml"
    assert lines[0] == f"file: {file}"
    assert f"debug = true  (file: {file})" in lines
    assert f"authority.audiences = a, b  (file: {file})" in lines
    assert "plans.default = community  (environment: REGISTRY_TOKEN_PLANS_DEFAULT)" in lines
    assert "signing.lifetime = 300  (default of REGISTRY_TOKEN_SIGNING_LIFETIME)" in lines
    assert "registry.realm = (not set)  (default of REGISTRY_TOKEN_REGISTRY_REALM)" in lines
    assert "trusted_proxies = (none)  (default of REGISTRY_TOKEN_TRUSTED_PROXIES)" in lines


def test_shows_every_setting_once(shown):
    lines, _ = shown()
    assert [line.partition(" = ")[0] for line in lines[1:]] == [s.key for s in SETTINGS]


@pytest.mark.parametrize("name", ["SECRET_KEY", "SECRET_KEY_FILE"])
def test_masks_the_secret_key(shown, tmp_path, name):
    (tmp_path / "secret").write_text("hunter2")
    value = "hunter2" if name == "SECRET_KEY" else str(tmp_path / "secret")
    lines, _ = shown(**{"SECRET_KEY": None, name: value})
    assert f"secret_key = ********  (environment: REGISTRY_TOKEN_{name})" in lines
    assert "hunter2" not in "\n".join(lines)


@pytest.mark.parametrize(
    ("url", "line"),
    [
        ("postgres://user:hunter2@db:6543/name", "postgres://user:********@db:6543/name"),
        ("postgres://user:a%40hunter2@db/name", "postgres://user:********@db/name"),
        ("postgres://user@db/name?password=hunter2", "postgres://user:********@db/name"),
        ("postgres://db/name", "postgres://db/name"),
        ("sqlite:////srv/a.sqlite3", "sqlite:////srv/a.sqlite3"),
    ],
)
def test_masks_the_password_of_the_database(shown, url, line):
    lines, _ = shown(DATABASE_URL=url)
    assert f"database.url = {line}  (environment: REGISTRY_TOKEN_DATABASE_URL)" in lines
    assert "hunter2" not in "\n".join(lines)


def test_says_what_is_wrong_and_fails(shown):
    lines, errors = shown("secret_key: [hunter2]\nnonsense: 1", SECRET_KEY=None, DEBUG="maybe")
    assert "error: nonsense in " in errors
    assert "error: REGISTRY_TOKEN_DEBUG (debug): 'maybe' must be true or false" in errors
    assert "secret_key = (invalid, see the errors)" in "\n".join(lines)
    assert "hunter2" not in errors + "\n".join(lines)
