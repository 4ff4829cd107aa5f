"""`manage.py export_issuances`: the issuance log, or what a filter leaves of it, as a file."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any
from uuid import UUID

from django.core.management.base import BaseCommand, CommandError, CommandParser

from issuances.exports import FORMATS
from issuances.filters import FilterErrors, IssuanceFilter
from registry_token.errors import TokenError
from registry_token.exports import Export, Wanted
from registry_token.signing import SigningKeyError

ACTOR = "command export_issuances"


class Command(BaseCommand):
    """The file has the name FILE.part until it is complete; then FILE, and a manifest beside it."""

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
        part = Path(f"{out}.part")
        try:
            _write(part, export)
        except OSError as error:
            raise CommandError(f"{part}: {error.strerror}") from None
        finally:
            export.close()
        _write(manifest_path, [json.dumps(export.manifest, indent=2).encode(), b"\n"])
        part.replace(out)
        self.stdout.write(f"wrote {export.rows} rows to {out}, the manifest to {manifest_path}")


def _parameters(pairs: Iterable[str]) -> dict[str, str]:
    parameters: dict[str, str] = {}
    for pair in pairs:
        name, sign, value = pair.partition("=")
        if not sign or name in parameters:
            raise CommandError(f"--filter {pair}: write NAME=VALUE, each name once")
        parameters[name] = value
    return parameters


def _write(path: Path, parts: Iterable[bytes]) -> None:
    """A new file on the disk, for its owner alone: the log tells about people. Raises OSError."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with open(descriptor, "wb", buffering=1024 * 1024) as file:
        for part in parts:
            file.write(part)
        file.flush()
        os.fsync(file.fileno())
