"""Exports by curl from the service as shipped: whole, broken off, resumed, verified."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import time
from pathlib import Path

import psycopg
import pytest

from issuances.verify import main
from tests.exported_service import EXPORT, ROWS, ExportedService, last_id
from tests.service import SERVICE

CUT_OFF = 18  # curl: "transfer closed with outstanding read data remaining"

pytestmark = pytest.mark.skipif(shutil.which("curl") is None, reason="no curl")


@pytest.fixture(scope="module")
def filled(tmp_path_factory):
    folder: Path = tmp_path_factory.mktemp("exports")
    with ExportedService(folder) as service:
        yield service


def run(command):
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


def eventually(condition):
    until = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < until
        time.sleep(0.2)


@pytest.mark.parametrize("form", ["ndjson", "csv"])
def test_curl_gets_a_file_whose_manifest_verifies(filled, tmp_path, form):
    out, manifest, jwks = tmp_path / "log", tmp_path / "manifest.json", tmp_path / "jwks.json"
    head = tmp_path / "head"
    path = f"{EXPORT}?format={form}&subject=user-7"
    assert run(filled.curl(path, "-o", str(out), "-D", str(head))).returncode == 0
    assert "Transfer-Encoding: chunked" in head.read_text()
    (link,) = re.findall(r"Link: <(.*)>; rel", head.read_text())
    assert run(filled.curl(link, "--fail", "-o", str(manifest))).returncode == 0
    assert run(filled.curl("/jwks", "-o", str(jwks))).returncode == 0
    assert main(["--key", str(jwks), "--manifest", str(manifest), "--file", str(out)]) == 0
    assert out.read_bytes().count(b'"user-7"') == ROWS // 100


def test_what_is_broken_off_is_seen_as_such_and_resumed(filled, tmp_path):
    whole, part, rest = tmp_path / "whole", tmp_path / "part", tmp_path / "rest"
    assert run(filled.curl(EXPORT, "-o", str(whole))).returncode == 0
    broken = subprocess.Popen(filled.curl(EXPORT, "--limit-rate", "2M", "-o", str(part)))
    eventually(lambda: part.exists() and part.stat().st_size > 100_000)
    kill_workers(filled)
    assert broken.wait(timeout=30) == CUT_OFF
    assert part.stat().st_size < whole.stat().st_size
    after = last_id(part)
    eventually(lambda: run(filled.curl("/healthz")).returncode == 0)
    assert run(filled.curl(f"{EXPORT}?after={after}", "-o", str(rest))).returncode == 0
    assert part.read_bytes() + rest.read_bytes() == whole.read_bytes()


def kill_workers(service):
    assert service.process is not None
    children = Path(f"/proc/{service.process.pid}/task/{service.process.pid}/children")
    for child in children.read_text().split():
        os.kill(int(child), signal.SIGKILL)


def test_a_client_that_goes_away_is_recorded(filled):
    before = filled.ends().count("broken off")
    with filled.export(size=4096) as sock:
        sock.recv(1000)
    eventually(lambda: filled.ends().count("broken off") > before)


def test_exports_that_nobody_reads_leave_tokens_alone(filled):
    waiting = [filled.export(size=4096) for _ in range(12)]
    try:
        heads = [sock.recv(20) for sock in waiting]
        statuses = {head.split()[1] for head in heads}
        assert statuses == {b"200", b"503"}
        assert len([head for head in heads if b"200" in head]) <= 4  # two of each of two workers
        for _ in range(5):
            begun = time.monotonic()
            headers = {"Authorization": f"Bearer {filled.authority.token('community')}"}
            assert filled.request("GET", f"/token?service={SERVICE}", headers=headers)[0] == 200
            assert time.monotonic() - begun < 1
    finally:
        for sock in waiting:
            sock.close()


def test_an_export_that_waits_for_its_client_has_no_transaction_open(filled):
    """It would keep vacuum from what was deleted since, and on SQLite others from writing."""
    url = filled.environment["REGISTRY_TOKEN_DATABASE_URL"]
    if not url.startswith("postgres"):
        pytest.skip("shown on SQLite by the tokens of the test above")
    with filled.export(size=4096) as sock, psycopg.connect(url) as connection:
        assert b"200 OK" in sock.recv(1000)
        time.sleep(1)  # it goes on until the buffers are full
        waiting = connection.execute(
            "SELECT query FROM pg_stat_activity WHERE datname = current_database()"
            " AND state LIKE 'idle in transaction%'"
        )
        assert waiting.fetchall() == []


def test_the_command_gives_the_same_bytes(filled, tmp_path):
    by_http, by_command = tmp_path / "http", tmp_path / "command"
    path = f"{EXPORT}?format=csv&until=2026-04-01"
    # Two at once, and those that the tests before have left may not have ended yet: 503.
    eventually(lambda: run(filled.curl(path, "--fail", "-o", str(by_http))).returncode == 0)
    filled.manage(
        *("export_issuances", "--format", "csv", "--filter", "until=2026-04-01"),
        *("--out", str(by_command)),
    )
    assert by_http.read_bytes() == by_command.read_bytes()
    assert by_http.read_bytes().count(b"\r\n") == ROWS + 1
