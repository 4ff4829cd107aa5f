"""`manage.py export_issuances`: the issuance log, or what a filter leaves of it, as a file."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any
from uuid import UUID

from django.core.management.base import CommandError, CommandParser

from issuances.exporting.exports import FORMATS
from issuances.finding.filters import FilterErrors, IssuanceFilter
from issuances.new_files import new_file
from registry_token.errors import TokenError
from registry_token.export_runs import Export, Wanted
from registry_token.management.log_command import LogCommand
from registry_token.signing import SigningKeyError

ACTOR = "command export_issuances"


class Command(LogCommand):
    """Both files get their names when they are complete; of one that failed nothing is left."""

    help = "Write the issuance log to a file, with a signed manifest beside it."

    def add_arguments(self, parser: CommandParser) -> None:
        """--out, --format, --filter, --after."""
        parser.add_argument("--out", type=Path, required=True, metavar="FILE", help="a new file")
        parser.add_argument("--format", choices=list(FORMATS), default="ndjson")
        parser.add_argument(
            "--filter",
            action="append",
            default=[],
            metavar="NAME=VALUE",
            help="a parameter of the filter, such as outcome=refused; may be repeated",
        )
        parser.add_argument("--after", type=UUID, metavar="ID", help="only rows after this one")

    def handle(self, *args: Any, **options: Any) -> None:
        """Export, and say how much."""
        out: Path = options["out"]
        manifest_path = Path(f"{out}.manifest.json")
        for path in (out, manifest_path):
            if path.exists():
                raise CommandError(f"{path} exists; name a new file by --out")
        parameters = _parameters(options["filter"])
        try:
            filtered = IssuanceFilter(parameters).filtered
            wanted = Wanted(filtered, parameters, FORMATS[options["format"]], options["after"])
            export = Export(wanted, actor=ACTOR, is_limited=False)
        except (FilterErrors, SigningKeyError, TokenError) as error:
            raise CommandError(str(error)) from None
        try:
            _write(out, manifest_path, export)
        except SigningKeyError as error:
            raise CommandError(str(error)) from None
        except OSError as error:
            raise CommandError(f"{out}: {error.strerror or error}") from None
        finally:
            export.close()
        self.stdout.write(f"wrote {export.rows} rows to {out}, the manifest to {manifest_path}")


def _parameters(pairs: Iterable[str]) -> dict[str, str]:
    parameters: dict[str, str] = {}
    for pair in pairs:
        name, sign, value = pair.partition("=")
        if not sign or name in parameters:
            raise CommandError(f"--filter {pair}: write NAME=VALUE, each name once")
        parameters[name] = value
    return parameters


def _write(out: Path, manifest_path: Path, export: Export) -> None:
    """No file without its manifest, and no manifest without its file. Raises OSError."""
    with contextlib.ExitStack() as to_remove:
        with new_file(out) as file:
            file.writelines(export)
            with new_file(manifest_path) as manifest:
                manifest.write(json.dumps(export.manifest, indent=2).encode() + b"\n")
            to_remove.callback(manifest_path.unlink)
        to_remove.pop_all()
