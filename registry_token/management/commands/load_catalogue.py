"""`manage.py load_catalogue FILE`: bring plans and revoked licences to what a file says."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from plans.revisions import catalogue_change, process_user
from registry_token.catalogue_file import CatalogueFile, read_catalogue, snapshot_of_file
from registry_token.catalogue_load import Difference, differences
from registry_token.lint import known_facts
from registry_token.lint_rules import in_words, lint


class Command(BaseCommand):
    """Exit status: 0, or 1 when --check finds changes to make, or 2 when the file has errors."""

    help = "Load the plan catalogue from a YAML file, all of it or nothing."

    def add_arguments(self, parser: CommandParser) -> None:
        """FILE, --check, --prune, --reason."""
        parser.add_argument("file", type=Path, help="the catalogue file")
        parser.add_argument(
            "--check", action="store_true", help="change nothing; exit 1 if there would be changes"
        )
        parser.add_argument(
            "--prune", action="store_true", help="remove what the file does not name"
        )
        parser.add_argument(
            "--reason", default="", metavar="TEXT", help="why, for the catalogue's history"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Validate, compare, apply in one transaction, report."""
        file, errors = read_catalogue(options["file"])
        if errors:
            listed = "\n".join(f"- {error}" for error in errors)
            raise CommandError(f"{options['file']} is not loaded:\n{listed}", returncode=2)
        if options["prune"] and file.is_empty:
            raise CommandError(
                f"{options['file']} is empty, and --prune would remove everything; if that is"
                " wanted, write plans: []",
                returncode=2,
            )
        if options["check"]:
            found = differences(file, prune=options["prune"])
            self._report(found)
            self._warn(file)
            if found:
                raise SystemExit(1)
            return
        self._report(self._apply(file, options))

    def _apply(self, file: CatalogueFile, options: dict[str, Any]) -> list[Difference]:
        command = f"load_catalogue {options['file']}{' --prune' if options['prune'] else ''}"
        reason = options["reason"].strip() or command
        with catalogue_change(actor=process_user(), source="file", reason=reason):
            found = differences(file, prune=options["prune"])
            for difference in found:
                difference.apply()
        return found

    def _warn(self, file: CatalogueFile) -> None:
        """Show what lint finds in the file; it does not count for the exit status."""
        for finding in lint(snapshot_of_file(file), known_facts()):
            self.stderr.write(f"warning: {in_words(finding)}")

    def _report(self, found: list[Difference]) -> None:
        for difference in found:
            self.stdout.write(difference.text)
        if not found:
            self.stdout.write("nothing to change")
