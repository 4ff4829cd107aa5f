"""The service does what its OpenAPI document says, whatever is sent: schemathesis on gunicorn."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from registry_token.config_values import BASE_DIR
from tests.service import Service

EXAMPLES = 30  # for each operation, beside those at the edges of each parameter
TIME_LIMIT = 120  # seconds
AUDITOR = "registry.token.issue registry.catalogue.read registry.audit.read"


@pytest.fixture(scope="module")
def described(tmp_path_factory):
    """A service for itself: thousands of failed log-ins would throttle those of other tests."""
    folder: Path = tmp_path_factory.mktemp("described")
    with Service(folder, {"REGISTRY_TOKEN_THROTTLE_FAILURES": "0"}) as service:
        yield service


def headers(service, credential):
    if credential is None:
        return []
    token = service.authority.token("enterprise", "LIC-1", scope=AUDITOR)
    return ["--header", f"Authorization: Bearer {token if credential == 'good' else credential}"]


@pytest.mark.parametrize("credential", ["good", None, "nonsense"])
def test_does_what_the_document_says(described, tmp_path, credential):
    command = [
        *(sys.executable, "-m", "schemathesis.cli"),
        *("--config-file", str(BASE_DIR / "tests" / "schemathesis.toml")),
        *("run", f"{described.url}/api/v1/schema", "--no-color", "--generation-deterministic"),
        *("--continue-on-failure", "--phases", "coverage,fuzzing"),
        *("--max-examples", str(EXAMPLES)),
        *headers(described, credential),
    ]
    done = subprocess.run(
        command, cwd=tmp_path, capture_output=True, text=True, timeout=TIME_LIMIT, check=False
    )
    assert done.returncode == 0, done.stdout[:6000] + done.stdout[-1500:] + done.stderr[-2000:]
    assert "No operations" not in done.stdout
