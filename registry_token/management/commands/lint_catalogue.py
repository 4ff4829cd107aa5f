"""`manage.py lint_catalogue [FILE]`: what is valid in the catalogue and probably not meant."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from plans.snapshots import Snapshot, take_snapshot
from registry_token.catalogue_file import read_catalogue, snapshot_of_file
from registry_token.lint import known_facts
from registry_token.lint_rules import in_words, lint


class Command(BaseCommand):
    """Exit status: 0, or 1 when there are findings, or 2 when the file has errors."""

    help = "Look for rules that are valid and probably not meant."

    def add_arguments(self, parser: CommandParser) -> None:
        """FILE, --json."""
        parser.add_argument(
            "file", type=Path, nargs="?", help="a catalogue file; default: the database"
        )
        parser.add_argument("--json", action="store_true", help="print the findings as JSON")

    def handle(self, *args: Any, **options: Any) -> None:
        """Lint and print one finding a line."""
        snapshot = take_snapshot() if options["file"] is None else _snapshot_of(options["file"])
        found = lint(snapshot, known_facts())
        if options["json"]:
            listed = [asdict(finding) for finding in found]
            self.stdout.write(json.dumps(listed, indent=2, ensure_ascii=False))
        else:
            self.stdout.write("\n".join(map(in_words, found)) or "nothing found")
        if found:
            raise SystemExit(1)


def _snapshot_of(path: Path) -> Snapshot:
    file, errors = read_catalogue(path)
    if errors:
        listed = "\n".join(f"- {error}" for error in errors)
        raise CommandError(f"{path} is not valid:\n{listed}", returncode=2)
    return snapshot_of_file(file)
