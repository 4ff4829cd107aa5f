"""`manage.py export_seals`: the seals in a file, with which exports and archives are verified."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError, CommandParser

from issuances.identifiers import first_uuid7
from registry_token.management.arguments import time_in
from registry_token.management.log_command import LogCommand
from registry_token.service_seals import write_seals


class Command(LogCommand):
    """The file holds no rows: hashes and random ids."""

    help = "Write the seals of the issuance log to a file, for python -m issuances.verify."

    def add_arguments(self, parser: CommandParser) -> None:
        """--out, --from, --until."""
        parser.add_argument("--out", type=Path, required=True, help="the new file")
        for name, ending in (("--from", "all from the beginning"), ("--until", "all to the end")):
            parser.add_argument(
                name,
                type=time_in,
                metavar="TIME",
                help=f"ISO 8601, UTC unless it says otherwise; default: {ending}. Seals of other"
                " times are in the file, too, but without the hashes of their rows",
            )

    def handle(self, *args: Any, **options: Any) -> None:
        """Write it; it gets its name when it is complete."""
        begin = first_uuid7(options["from"] or datetime(1970, 1, 1, tzinfo=UTC))
        end = first_uuid7(options["until"] or datetime.max.replace(tzinfo=UTC))
        if begin > end:
            raise CommandError("--until must be later than --from")
        out = options["out"]
        try:
            seals = write_seals(out, begin, end)
        except FileExistsError:
            raise CommandError(f"{out} exists; choose another path") from None
        except OSError as error:
            raise CommandError(f"{out} cannot be written: {error.strerror}") from None
        self.stdout.write(f"wrote {seals:,} seal{'s' * (seals != 1)} to {out}")
