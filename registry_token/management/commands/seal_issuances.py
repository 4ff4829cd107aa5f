"""`manage.py seal_issuances`: seal the rows of the log that are not sealed yet."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError, CommandParser

from issuances.encoding import time_text
from issuances.sealing.making import Head, SealedMeanwhile, newest_head
from issuances.sealing.seals import Seal
from registry_token.head_files import HeadLost, note_head, require_head
from registry_token.management.log_command import LogCommand
from registry_token.service_seals import seal_rows
from registry_token.signing import SigningKeyError


class Command(LogCommand):
    """Exit status: 0, also when somebody else is sealing; 1 when rows cannot be sealed, or seals
    were cut off.
    """

    help = (
        "Seal rows of the issuance log, so that nobody can alter or remove them without being"
        " found out. Run it by a timer."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """--all, --head-file, --json."""
        parser.add_argument(
            "--all",
            action="store_true",
            help="look for rows that came late in the whole log, not only in the last 24 hours",
        )
        parser.add_argument(
            "--head-file",
            type=Path,
            metavar="FILE",
            help="where the newest seal is noted down after each run; when the seals do not have it"
            " any more, nothing is sealed. Keep it where the database's administrator cannot write",
        )
        parser.add_argument("--json", action="store_true", help="print what was done as JSON")

    def handle(self, *args: Any, **options: Any) -> None:
        """Seal, and say what was sealed and what the newest seal is."""
        self._quiet = options["json"]
        done: list[Seal] = []
        file: Path | None = options["head_file"]
        try:
            if file is not None:
                require_head(file)
            for seal in seal_rows(everything=options["all"]):
                done.append(seal)
                late = ", which came late," if seal.late else ""
                self._say(
                    f"sealed {seal.rows:,} row{'s' * (seal.rows != 1)}{late} in batch {seal.number}"
                )
        except SealedMeanwhile as meanwhile:
            self._say(f"{meanwhile}; the rest is left to that run")
        except (SigningKeyError, HeadLost) as error:
            raise CommandError(str(error)) from None
        head = newest_head()
        if file is not None:
            _note(file, head)
        if self._quiet:
            said = {
                "batches": len(done),
                "rows": sum(seal.rows for seal in done),
                "late": sum(seal.rows for seal in done if seal.late),
                "head": asdict(head),
            }
            self.stdout.write(json.dumps(said, indent=2, default=time_text))
        else:
            self._say(f"head {head}" if head.number else "there is nothing to seal")

    def _say(self, line: str) -> None:
        if not self._quiet:
            self.stdout.write(line)


def _note(file: Path, head: Head) -> None:
    try:
        note_head(file, head)
    except HeadLost as error:
        raise CommandError(str(error)) from None
