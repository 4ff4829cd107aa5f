"""The manifest beside a file of rows, an export or an archive: what the file has to be, signed.

`python -m issuances.verify` compares both. No Django.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any
from uuid import UUID

from issuances.sealing import findings
from issuances.sealing.findings import Report
from issuances.sealing.seal_files import blocks_of, without_twins
from issuances.statements import MANIFEST, PublicKey, StatementError, opened


def document_of(said: dict[str, Any], statement: str) -> dict[str, Any]:
    """The manifest as a file has it: what it says, to be read, and the same as signed."""
    return said | {"statement": statement}


def read_manifest(path: Path, keys: Iterable[PublicKey]) -> dict[str, Any]:
    """What it says, verified; also that it shows nothing else. Raises StatementError, OSError."""
    try:
        content = json.loads(path.read_bytes(), object_pairs_hook=without_twins)
        statement = content.pop("statement")
    except (ValueError, KeyError, AttributeError, TypeError, RecursionError):
        raise StatementError(f"{path} is no manifest of an export or archive") from None
    said = opened(str(statement), keys, typ=MANIFEST)
    if said != content:
        raise StatementError(f"{path} shows something else than what was signed")
    return said


def check_manifest(rows: Path, said: dict[str, Any], report: Report) -> None:
    """Report what separates a file of rows, unpacked if need be, from its manifest.

    Raises FileError, OSError.
    """
    digest, size = hashlib.sha256(), 0
    for block in blocks_of(rows):
        digest.update(block)
        size += len(block)
    if digest.hexdigest() == said["sha256"]:
        return
    flaw = "it has been changed"
    if size != said["bytes"]:
        how = "it was cut off" if size < said["bytes"] else "something was added"
        flaw = f"it has {size:,} bytes of {said['bytes']:,}: {how}"
    report.say(findings.FILE, f"{rows.name} is not the file of the manifest: {flaw}")


def ends_in(said: dict[str, Any]) -> tuple[bytes, bytes] | None:
    """The first and the last id of the rows; None when there are no rows."""
    first, last = said.get("first_id"), said.get("last_id")
    return (UUID(first).bytes, UUID(last).bytes) if first and last else None
