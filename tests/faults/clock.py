"""A service whose wall clock is wrong, and can be stepped while it runs."""

from __future__ import annotations

import mmap
import shutil
import struct
import subprocess
from pathlib import Path

import pytest

from tests.service import Service

SOURCE = Path(__file__).with_name("clock.c")


class Clock:
    """The wall clock of the processes that run in its `environment`."""

    def __init__(self, folder: Path) -> None:
        compiler = shutil.which("cc")
        if compiler is None:
            pytest.skip("there is no C compiler to make a clock that can be stepped; Debian: gcc")
        library, offset = folder / "clock.so", folder / "offset"
        subprocess.run(
            [compiler, "-shared", "-fPIC", "-Wall", "-Werror", "-o", library, SOURCE], check=True
        )
        offset.write_bytes(bytes(8))
        with offset.open("r+b") as file:
            self._offset = mmap.mmap(file.fileno(), 8)
        self.environment = {"LD_PRELOAD": str(library), "WRONG_CLOCK": str(offset)}

    def step(self, seconds: int) -> None:
        """So many seconds ahead of the true time, from now on."""
        self._offset[:] = struct.pack("q", seconds)


def replica(folder: Path, first: Service, environment: dict[str, str]) -> Service:
    """A second service with the first one's database, keys and Authority."""
    same = {
        name: value
        for name, value in first.environment.items()
        if name.endswith(("_DATABASE_URL", "_SIGNING_KEY", "_AUTHORITY_JWKS"))
    }
    service = Service(folder, same | environment)
    service.authority, service.signing_key = first.authority, first.signing_key
    return service
