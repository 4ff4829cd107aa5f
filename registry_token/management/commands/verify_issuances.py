"""`manage.py verify_issuances`: has anybody altered, removed or inserted rows of the log?"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from issuances.sealed import verify_log
from issuances.statements import StatementError, read_keys
from issuances.verify import head_in
from registry_token.sealing import own_keys
from registry_token.signing import SigningKeyError


class Command(BaseCommand):
    """Exit status: 0, or 1 when something was found."""

    help = (
        "Compare all rows of the issuance log with their seals. For files, and with nothing but"
        " the public key, there is python -m issuances.verify."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """--key, --expect-head, --json."""
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
        except (StatementError, SigningKeyError, OSError) as error:
            raise CommandError(str(error), returncode=2) from None
        report = verify_log(keys, head=options["expect_head"])
        said = json.dumps(report.as_json(), indent=2) if options["json"] else None
        self.stdout.write(said or "\n".join(report.lines()))
        if report.findings:
            raise SystemExit(1)
