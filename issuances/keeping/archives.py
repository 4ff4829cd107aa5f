"""Rows that are about to go, in a file: gzip of their canonical lines, and a manifest beside it.

A file gets its name once all of it is on the disk, its manifest before, and is never overwritten.
"""

from __future__ import annotations

import contextlib
import gzip
import hashlib
import json
import os
import zlib
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any

from issuances.encoding import time_text
from issuances.exporting.exports import NDJSON, Tally, pieces
from issuances.finding.filtered import Filtered
from issuances.identifiers import time_of
from issuances.keeping.pruning import Part
from issuances.new_files import new_file, replace_file

SUFFIX = ".ndjson.gz"
_CHUNK = 1 << 20  # bytes

Manifest = dict[str, Any]
Sign = Callable[[Manifest], Manifest]


class ArchiveError(Exception):
    """The rows could not be archived, so they stay; the message says why, and the fix."""


def write(folder: Path, part: Part, sign: Sign) -> Path:
    """Archive a part's rows; `sign` completes the manifest. The file's path.

    One that an earlier run has written, of the very same rows, is left as it is. Raises
    ArchiveError, django.db.Error.
    """
    path = folder / _name(part)
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        if path.exists():
            return _found_before(path, part)
        with new_file(path) as file:
            tally = _write_lines(file, part)
            _write_manifest(path, sign(_manifest(part, tally, path.name, _sha256(file))))
    except FileExistsError:
        raise ArchiveError(f"{path} is being written by another run; try again later") from None
    except OSError as error:
        raise ArchiveError(f"{error.filename or path}: {error.strerror or error}") from None
    return path


def manifest_of(path: Path) -> Path:
    """Where an archive's manifest is."""
    return path.with_name(f"{path.name}.manifest.json")


def _name(part: Part) -> str:
    """By the times of its oldest and newest row: an archive of other rows has another name."""
    ends = (part.oldest or part.first, part.newest or part.end)
    begin, end = (f"{time_of(id):%Y%m%dT%H%M%SZ}" for id in ends)
    return f"issuances-{begin}-{end}{SUFFIX}"


def _rows(part: Part) -> Filtered:
    return Filtered(low=part.first, high=part.end)


def _write_lines(file: IO[bytes], part: Part) -> Tally:
    tally = Tally()
    with gzip.GzipFile(filename="", fileobj=file, mode="wb", compresslevel=6, mtime=0) as packed:
        for piece in pieces(_rows(part), NDJSON, tally):
            packed.write(piece)
    if tally.rows != part.rows:
        raise ArchiveError(
            f"{tally.rows} rows were read where {part.rows} had been counted: somebody else prunes,"
            " or writes into the past; run it again"
        )
    return tally


def _sha256(file: IO[bytes]) -> str:
    file.seek(0)
    digest = _digest(file)
    file.seek(0, os.SEEK_END)
    return digest


def _digest(file: Any) -> str:
    digest = hashlib.sha256()
    while chunk := file.read(_CHUNK):
        digest.update(chunk)
    return digest.hexdigest()


def _manifest(part: Part, tally: Tally, name: str, sha256_of_file: str) -> Manifest:
    return {
        "file": name,
        "file_sha256": sha256_of_file,
        "format": NDJSON.name,
        "created_at": time_text(datetime.now(UTC)),
        "rows": tally.rows,
        "bytes": tally.size,
        "sha256": tally.sha256.hexdigest(),
        "first_id": str(tally.first_id),
        "last_id": str(tally.last_id),
        "before": str(part.end),
    }


def _write_manifest(path: Path, manifest: Manifest) -> None:
    """Without its archive it says nothing, so that one which was left behind is replaced."""
    document = json.dumps(manifest, indent=2, sort_keys=True)
    replace_file(manifest_of(path), f"{document}\n".encode())


def _found_before(path: Path, part: Part) -> Path:
    """It was written by a run that did not come to remove the rows, or it holds others."""
    tally = Tally()
    for _ in pieces(_rows(part), NDJSON, tally):
        pass
    found = ""
    with contextlib.suppress(EOFError, zlib.error, gzip.BadGzipFile), gzip.open(path) as packed:
        found = _digest(packed)
    if found != tally.sha256.hexdigest() or not manifest_of(path).exists():
        raise ArchiveError(f"{path} is there and holds other rows; move it elsewhere")
    return path
