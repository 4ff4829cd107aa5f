"""The production set-up of docs/operations.md, as it stands there, passes `check --deploy`."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys

import pytest

from registry_token.config_values import BASE_DIR

DOCUMENT = BASE_DIR / "docs" / "operations.md"
ETC = "/etc/registry-token"


def block(language, beginning):
    """The one fenced block of the document's set-up that begins so, without its indentation."""
    setting_up = DOCUMENT.read_text().partition("## Setting it up")[2].partition("\n## ")[0]
    blocks = re.findall(rf"^   ```{language}\n(.*?)^   ```$", setting_up, re.S | re.M)
    texts = ["\n".join(line[3:] for line in text.splitlines()) + "\n" for text in blocks]
    [found] = [text for text in texts if text.startswith(beginning)]
    return found


def run(folder, commands, environment=None):
    """Run commands as the document gives them, with `folder` for /etc/registry-token."""
    lines = [line for line in commands.splitlines() if not line.startswith("chown ")]
    script = "\n".join(lines).replace(ETC, str(folder))
    script = script.replace(".venv/bin/python", shlex.quote(sys.executable))
    return subprocess.run(
        ["bash", "-euc", script],
        cwd=BASE_DIR,
        env={"PATH": os.environ["PATH"]} | (environment or {}),
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """What stands for /etc/registry-token, filled by the document's own steps."""
    folder = tmp_path_factory.mktemp("etc")
    for beginning in (".venv/bin/python manage.py generate_signing_key", "umask 077"):
        done = run(folder, block("console", beginning))
        assert done.returncode == 0, done.stderr
    return folder


def check(folder, configuration):
    """`check --deploy`, where a warning is a failure."""
    (folder / "registry-token.yaml").write_text(configuration.replace(ETC, str(folder)))
    lines = block("sh", "REGISTRY_TOKEN_CONFIG=").replace(ETC, str(folder)).splitlines()
    environment = dict(line.split("=", 1) for line in lines)
    command = ".venv/bin/python manage.py check --deploy"
    assert command in block("console", "mkdir -p var")
    return run(folder, f"{command} --fail-level WARNING", environment)


def test_has_no_warning(folder):
    done = check(folder, block("yaml", "allowed_hosts"))
    assert done.returncode == 0, done.stderr
    assert "no issues" in done.stdout


# Without its line, each of these is missed. (Django's checks of headers do not know the middleware
# of this project; tests/test_behind_a_proxy.py looks at the headers themselves.)
NEEDED = {
    "trusted_proxies": {"security.W010"},
    "  realm": {"registry_token.W008"},
}


@pytest.mark.parametrize(("key", "warnings"), NEEDED.items(), ids=NEEDED)
def test_the_check_misses_what_is_left_out(folder, key, warnings):
    lines = block("yaml", "allowed_hosts").splitlines(keepends=True)
    shorter = [line for line in lines if not line.startswith(f"{key}:")]
    assert len(shorter) == len(lines) - 1
    done = check(folder, "".join(shorter))
    assert done.returncode == 1
    assert set(re.findall(r"\((\w+\.W\d+)\)", done.stderr)) == warnings


def test_secrets_are_for_their_owner_alone(folder):
    for name in ("signing.key", "secret_key", "database_url"):
        assert (folder / name).stat().st_mode & 0o777 == 0o600
