"""`python -m issuances.verify`: check sealed rows with nothing but the public key.

    --proof FILE                     one row, by its proof
    --manifest FILE --file EXPORT    an export, NDJSON or CSV, by what was signed when it was made
    --seals FILE --file EXPORT       an export in NDJSON: rows that a filter left out are no finding
    --seals FILE --archive ARCHIVE   an archive: none may be missing between its first and last, or
                                     lack a seal
    --seals FILE                     the seals alone

Beside --seals, too, --manifest FILE compares the rows' file with what was signed when it was made.

Needs no configuration, no database and no Django: pyjwt and cryptography. Exit status: 0 when all
is well, 1 when something was found, 2 when something cannot be read.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Protocol

from issuances.sealing import findings
from issuances.sealing.chain import Chain, check_chain
from issuances.sealing.findings import Report, row_in_words
from issuances.sealing.manifests import check_manifest, ends_in, read_manifest
from issuances.sealing.proofs import ProofError, proven
from issuances.sealing.seal_files import FileError, SealFile, lines_in
from issuances.sealing.seals import Batch
from issuances.sealing.verification import check_rows
from issuances.statements import PublicKey, StatementError, read_keys

NotedHead = tuple[int, str]
"""A seal's number and hash."""


_NUMBER, _SHA256 = re.compile("[1-9][0-9]{0,17}"), re.compile("[0-9a-f]{64}")


def head_in(text: str) -> NotedHead:
    """NUMBER:HASH, as seal_issuances prints it. Raises argparse.ArgumentTypeError."""
    number, _, digest = text.partition(":")
    if not _NUMBER.fullmatch(number) or not _SHA256.fullmatch(digest):
        raise argparse.ArgumentTypeError(
            f"{text!r} is no head; write NUMBER:HASH as manage.py seal_issuances prints it"
        )
    return int(number), digest


@dataclass(frozen=True, slots=True)
class Rows:
    """A file of rows, perhaps with its manifest; `is_archive`: it is no selection."""

    path: Path
    manifest: Path | None
    is_archive: bool


class Seals(Protocol):
    """Where the batches come from: a file, or the database."""

    def __iter__(self) -> Iterator[Batch]: ...

    def load(self, number: int) -> Batch:
        """One that has been passed before."""


def check_files(
    seals: Seals | None, keys: list[PublicKey], rows: Rows | None, head: NotedHead | None = None
) -> Report:
    """Verify the seals, and a file of rows by them, by its manifest, or by both.

    Raises StatementError, FileError, OSError.
    """
    report = Report()
    if rows is not None and rows.manifest is not None:
        report.manifest = read_manifest(rows.manifest, keys)
        check_manifest(rows.path, report.manifest, report)
    if seals is None:
        return report
    now = datetime.now(UTC)
    chain = check_chain(seals, keys, report, head=head)
    if rows is None:
        return report
    within = None
    if rows.is_archive:
        within = _ends(rows.path) if report.manifest is None else ends_in(report.manifest)
        chain.excuse_only_until((report.manifest or {}).get("created_at", ""))
        _check_that_none_is_left_out(rows, chain, within, report)
    check_rows(lines_in(rows.path, report), chain, seals.load, report, within=within, now=now)
    _check_that_all_were(rows, report)
    return report


def _check_that_none_is_left_out(
    rows: Rows, chain: Chain, within: tuple[bytes, bytes] | None, report: Report
) -> None:
    """Of a batch without its hashes nobody sees which rows are missing."""
    if within is None:
        return
    for first, last in chain.left_out:
        if first <= within[1] and last >= within[0]:
            text = f"{rows.path.name}: rows may be missing between {row_in_words(first)} and"
            hint = "the hashes of that batch are left out of the seals; export seals of their time"
            report.say(findings.FILE, f"{text} {row_in_words(last)}: {hint}")


def _check_that_all_were(rows: Rows, report: Report) -> None:
    """Report rows of which the seals say nothing: who gives the rows may have given these, too."""
    if report.uncovered:
        text = f"{rows.path.name}: {report.uncovered:,} of its rows cannot be checked, as the"
        hint = "hashes are left out of the seals; export seals of their time"
        report.say(findings.FILE, f"{text} {hint}")
    if rows.is_archive and report.unsealed:
        text = f"{rows.path.name}: {report.unsealed:,} of its rows are not sealed; rows are sealed"
        hint = "before they are archived: they were added, or seals were cut off"
        report.say(findings.FILE, f"{text} {hint}")


def _ends(rows: Path) -> tuple[bytes, bytes] | None:
    first = last = None
    for row_id, _line in lines_in(rows, Report()):
        first, last = first or row_id, row_id
    return None if first is None or last is None else (first, last)


def check_proof(path: Path, keys: list[PublicKey], *, as_json: bool = False) -> Iterator[str]:
    """What a proof proves, in lines. Raises ProofError, OSError."""
    row, seal = proven(path.read_bytes(), keys)
    if as_json:
        said = {"ok": True, "batch": seal.number, "sealed_at": seal.sealed_at, "row": row}
        yield json.dumps(said, indent=2)
        return
    yield f"row {row['id']} was sealed in batch {seal.number} at {seal.sealed_at}, as this:"
    yield json.dumps(row, indent=2)


def add_file_options(parser: argparse.ArgumentParser) -> None:
    """--file, --archive, --proof, --manifest."""
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--file", type=Path, metavar="FILE", help="an export in NDJSON")
    what.add_argument("--archive", type=Path, metavar="FILE", help="of prune_issuances --archive")
    what.add_argument("--proof", type=Path, metavar="FILE", help="the proof of one row")
    parser.add_argument(
        "--manifest", type=Path, metavar="FILE", help="of the export or the archive, to check both"
    )


def rows_in(given: Mapping[str, Any]) -> Rows | None:
    """The file of rows that the options name. Raises ValueError for a manifest of nothing."""
    path = given["archive"] or given["file"]
    if path is None and given["manifest"] is not None:
        raise ValueError("--manifest belongs to --file or --archive")
    return path and Rows(path, given["manifest"], is_archive=given["archive"] is not None)


def parser() -> argparse.ArgumentParser:
    """The options."""
    made = argparse.ArgumentParser(
        prog="python -m issuances.verify",
        description="Check sealed rows of the issuance log with nothing but the public key.",
    )
    made.add_argument(
        "--key",
        type=Path,
        action="append",
        required=True,
        metavar="FILE",
        help="the public key: PEM, certificate, JWK or the answer of /jwks; repeat it for former"
        " keys",
    )
    made.add_argument("--seals", type=Path, metavar="FILE", help="of manage.py export_seals")
    add_file_options(made)
    made.add_argument(
        "--expect-head", type=head_in, metavar="NUMBER:HASH", help="noted down earlier"
    )
    made.add_argument("--json", action="store_true", help="print what was found as JSON")
    return made


def main(arguments: Sequence[str] | None = None) -> int:
    """The exit status."""
    options = parser()
    given = options.parse_args(arguments)
    if (given.proof is None) == (given.seals is None and given.manifest is None):
        options.error("give --seals, --manifest or both with the rows' file, or give --proof")
    if given.expect_head and given.seals is None:
        options.error("--expect-head belongs to --seals")
    try:
        rows = rows_in(vars(given))
    except ValueError as error:
        options.error(str(error))
    try:
        keys = read_keys(given.key)
        if given.proof is not None:
            lines = check_proof(given.proof, keys, as_json=given.json)
            sys.stdout.writelines(f"{line}\n" for line in lines)
            return 0
        seals = given.seals and SealFile(given.seals)
        report = check_files(seals, keys, rows, given.expect_head)
    except ProofError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    except (StatementError, FileError, OSError) as error:
        sys.stderr.write(f"{error}\n")
        return 2
    said = json.dumps(report.as_json(), indent=2) if given.json else "\n".join(report.lines())
    sys.stdout.write(f"{said}\n")
    return 1 if report.findings else 0


if __name__ == "__main__":
    sys.exit(main())
