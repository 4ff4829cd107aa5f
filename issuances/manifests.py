"""The manifest of an export: what the file has to be, signed by the service.

`python -m issuances.manifests --key KEY MANIFEST FILE` verifies a file. It needs the public key and
nothing else of the service.
"""

from __future__ import annotations

import argparse
import hashlib
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from issuances.row_manifests import read_manifest
from issuances.statements import StatementError, read_keys

_BLOCK = 1024 * 1024  # bytes


def document_of(said: dict[str, Any], statement: str) -> dict[str, Any]:
    """The manifest as a file has it: what it says, to be read, and the same as signed."""
    return said | {"statement": statement}


def difference(said: dict[str, Any], path: Path) -> str:
    """What separates a file from what its manifest says of it; "" when nothing does.

    Raises OSError.
    """
    size, digest = path.stat().st_size, hashlib.sha256()
    if size < said["bytes"]:
        return f"the file has {size} bytes of {said['bytes']}: it was cut off"
    if size > said["bytes"]:
        return f"the file has {size} bytes, {size - said['bytes']} more than were exported"
    with path.open("rb") as file:
        while block := file.read(_BLOCK):
            digest.update(block)
    return "" if digest.hexdigest() == said["sha256"] else "the file has been changed"


def main(arguments: Sequence[str] | None = None) -> int:
    """Exit status: 0 when all is well, 1 when not."""
    parser = argparse.ArgumentParser(prog="issuances.manifests", description=__doc__)
    parser.add_argument("--key", type=Path, action="append", required=True, metavar="PEM|JWKS")
    parser.add_argument("manifest", type=Path)
    parser.add_argument("file", type=Path)
    given = parser.parse_args(arguments)
    try:
        said = read_manifest(given.manifest, read_keys(given.key))
        problem = difference(said, given.file)
    except (StatementError, OSError) as error:
        problem = str(error)
    if problem:
        sys.stderr.write(f"{problem}\n")
        return 1
    sys.stdout.write(f"{said['rows']} rows, as exported at {said['created_at']}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
