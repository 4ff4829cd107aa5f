"""New files are complete or not there, on file systems with and without links."""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path

import pytest

from issuances.new_files import new_file


@pytest.fixture(params=["links", "no links"])
def folder(request, tmp_path, monkeypatch):
    """A folder whose file system has links, or refuses them as that of a USB stick does."""

    def refuse(*_: object) -> None:
        raise OSError(errno.EPERM, os.strerror(errno.EPERM))

    if request.param == "no links":
        monkeypatch.setattr(Path, "hardlink_to", refuse)
    return tmp_path


def names(folder):
    return [one.name for one in folder.iterdir()]


def test_a_file_has_its_name_only_once_it_is_complete(folder):
    with new_file(folder / "log") as file:
        file.write(b"row\n")
        assert not (folder / "log").exists()
    assert (folder / "log").read_bytes() == b"row\n"
    assert stat.S_IMODE((folder / "log").stat().st_mode) == 0o600
    assert names(folder) == ["log"]


def test_of_a_file_that_failed_nothing_is_left(folder):
    with pytest.raises(ZeroDivisionError), new_file(folder / "log") as file:
        file.write(b"row\n")
        raise ZeroDivisionError
    assert names(folder) == []


def test_a_file_that_came_meanwhile_stays_as_it_is(folder):
    with pytest.raises(FileExistsError), new_file(folder / "log"):
        (folder / "log").write_bytes(b"mine")
    assert (folder / "log").read_bytes() == b"mine"
    assert names(folder) == ["log"]
