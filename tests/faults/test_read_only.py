"""The code on a read-only file system, and no home to write to: the service starts and serves."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from registry_token.config_values import BASE_DIR
from tests.faults.load import Load, check_rows
from tests.faults.processes import workers
from tests.service import Service


@pytest.fixture
def code(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The checkout and its virtual environment, where nothing can be written."""
    code = tmp_path / "code"
    code.mkdir()
    mount = ["mount", "--bind", "-o", "ro", str(BASE_DIR), str(code)]
    try:
        subprocess.run(mount, check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError) as error:
        pytest.skip(f"no file system can be mounted here, that takes root: {error}")
    monkeypatch.setattr("tests.service.BASE_DIR", code)
    if Path(sys.executable).is_relative_to(BASE_DIR):
        python = code / Path(sys.executable).relative_to(BASE_DIR)
        monkeypatch.setattr("tests.service.sys.executable", str(python))
    try:
        yield code
    finally:
        subprocess.run(["umount", "--lazy", str(code)], check=True)


def test_starts_and_serves_where_nothing_can_be_written(code, tmp_path):
    with pytest.raises(OSError, match="Read-only"):
        (code / "manage.py").touch()
    service = Service(tmp_path, {"HOME": "/proc/nowhere", "PWD": str(code)})
    service.environment.pop("PYTHONDONTWRITEBYTECODE", None)
    with service:
        assert {Path(f"/proc/{pid}/cwd").readlink() for pid in workers(service)} == {code}
        with Load(service) as load:
            load.wait(50)
        assert load.failures() == []
        assert check_rows(load) == 0
        assert service.request("GET", "/readyz")[0] == 200
        assert service.request("GET", "/admin/login/")[0] == 200
        assert service.manage("check").returncode == 0
        assert service.stop() == 0
    assert "Traceback" not in service.output.read_text()
