"""`manage.py verify_issuances`: has anybody altered, removed or inserted rows of the log?"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError, CommandParser

from issuances.sealing.findings import Report
from issuances.sealing.proofs import ProofError
from issuances.sealing.sealed import StoredSeals, verify_log
from issuances.statements import PublicKey, read_keys
from issuances.verify import (
    NotedHead,
    Rows,
    add_file_options,
    check_files,
    check_proof,
    head_in,
    rows_in,
)
from registry_token.management.log_command import LogCommand
from registry_token.service_seals import own_keys
from registry_token.signing import SigningKeyError


class Command(LogCommand):
    """Exit status: 0, or 1 when something was found, or 2 when something cannot be read."""

    help = (
        "Compare all rows of the issuance log, or those of a file, with their seals. With nothing"
        " but the public key python -m issuances.verify does the same for files."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """--file, --archive, --proof, --manifest, --key, --expect-head, --json."""
        add_file_options(parser)
        parser.add_argument(
            "--key",
            type=Path,
            action="append",
            metavar="FILE",
            help="public keys, as PEM or JWK set, instead of the configured key; repeat it for"
            " former keys",
        )
        parser.add_argument(
            "--expect-head", type=head_in, metavar="NUMBER:HASH", help="a head noted down earlier"
        )
        parser.add_argument("--json", action="store_true", help="print what was found as JSON")

    def handle(self, *args: Any, **options: Any) -> None:
        """Compare, and say what was found."""
        try:
            keys = read_keys(options["key"]) if options["key"] else own_keys()
            rows = rows_in(options)
            if options["proof"] is not None:
                if options["expect_head"]:
                    raise ValueError("--expect-head belongs to the log or a file of rows")
                lines = check_proof(options["proof"], keys, as_json=options["json"])
                return self.stdout.write("\n".join(lines))
            report = _report(keys, rows, options["expect_head"])
        except ProofError as error:
            raise CommandError(str(error)) from None
        except (ValueError, SigningKeyError, OSError) as error:
            raise CommandError(str(error), returncode=2) from None
        said = json.dumps(report.as_json(), indent=2) if options["json"] else None
        self.stdout.write(said or "\n".join(report.lines()))
        if report.findings:
            raise SystemExit(1)
        return None


def _report(keys: list[PublicKey], rows: Rows | None, head: NotedHead | None) -> Report:
    if rows is None:
        return verify_log(keys, head=head)
    return check_files(StoredSeals(), keys, rows, head)
