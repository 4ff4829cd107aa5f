"""`manage.py prune_issuances`: take out of the issuance log what need not be kept any longer."""

from __future__ import annotations

import getpass
import json
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError, CommandParser

from issuances.briefly import Busy
from issuances.identifiers import time_of
from issuances.keeping.archives import ArchiveError
from issuances.keeping.pruning import Part
from issuances.sealing.making import SealedMeanwhile
from registry_token import retention
from registry_token.management.arguments import day_in
from registry_token.management.log_command import LogCommand
from registry_token.service_seals import NotSealed, require_sealed, require_whole
from registry_token.signing import SigningKeyError

_KEEPS_ROWS = (retention.Kept, ArchiveError, SigningKeyError, Busy, NotSealed, SealedMeanwhile)


class Command(LogCommand):
    """Exit status: 0, or 1 when something kept it from finishing; the next run goes on."""

    help = (
        "Take rows out of the issuance log that are older than audit.retention_days, or than a"
        " date; on PostgreSQL make the partitions of the months to come."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """--dry-run, --before, --archive, --whole-months, --move-all, --despite-missing, --json."""
        parser.add_argument("--dry-run", action="store_true", help="say what would go")
        parser.add_argument(
            "--before", type=day_in, help="YYYY-MM-DD: rows of earlier days, in UTC, go"
        )
        parser.add_argument(
            "--archive", type=Path, metavar="FOLDER", help="first write what goes into files there"
        )
        parser.add_argument(
            "--whole-months", action="store_true", help="leave a month until all of it can go"
        )
        parser.add_argument(
            "--move-all",
            action="store_true",
            help="move any number of rows out of the default partition; new rows wait meanwhile",
        )
        parser.add_argument(
            "--despite-missing",
            action="store_true",
            help="prune although sealed rows are missing, which then count as pruned",
        )
        parser.add_argument("--json", action="store_true", help="print what is gone as JSON")

    def handle(self, *args: Any, **options: Any) -> None:
        """Prune, and say what is gone."""
        now = datetime.now(UTC)
        self._quiet = options["json"]
        try:
            before = _limit(now, options)
            left: list[str] = []
            if not options["dry_run"]:
                left = retention.make_partitions(
                    now, move_all=options["move_all"], report=self._say
                )
            found = [] if before is None else retention.parts(before)
            if options["dry_run"]:
                return self._show(before, found)
            done = retention.Pruned()
            if before is not None:
                done = retention.prune(
                    before,
                    found,
                    actor=_actor(),
                    report=self._say,
                    archive=options["archive"],
                    despite_missing=options["despite_missing"],
                )
        except _KEEPS_ROWS as error:
            raise CommandError(str(error)) from None
        if options["json"]:
            said = {"before": _iso(before), **asdict(done), "left_in_default_partition": left}
            return self._print(said)
        self._say(_result(before, done))
        return None

    def _show(self, before: datetime | None, found: list[Part]) -> None:
        """What would go. Raises NotSealed."""
        for part in found:
            self._say(f"would go: {retention.in_words(part)}")
        if before is not None and found:
            require_sealed(found[-1].end)
            require_whole(found[-1].end)
        if self._quiet:
            listed = [_as_dict(part) for part in found]
            rows = sum(part.rows for part in found)
            return self._print({"before": _iso(before), "rows": rows, "parts": listed})
        rows = sum(part.rows for part in found)
        self._say(_KEPT if before is None else f"{rows:,} rows before {before:%Y-%m-%d} would go")
        return None

    def _say(self, line: str) -> None:
        if not self._quiet:
            self.stdout.write(line)

    def _print(self, document: dict[str, Any]) -> None:
        self.stdout.write(json.dumps(document, indent=2))


_KEPT = "audit.retention_days is not set and no date is given: all rows are kept"


def _result(before: datetime | None, done: retention.Pruned) -> str:
    if before is None:
        return _KEPT
    partitions = f"{done.partitions} partition" + "s" * (done.partitions != 1)
    said = (
        f"{done.rows:,} rows before {before:%Y-%m-%d} are gone, {partitions} and"
        f" {done.bytes / 1e6:,.1f} MB with them"
    )
    if done.failures:
        said += f"; so are {done.failures:,} rows of failed authentications"
    return said


def _limit(now: datetime, options: dict[str, Any]) -> datetime | None:
    before = retention.limit(now, options["before"])
    if before is not None and options["whole_months"]:
        return before.replace(day=1)
    return before


def _iso(at: datetime | None) -> str | None:
    return None if at is None else f"{at:%Y-%m-%dT%H:%M:%SZ}"


def _as_dict(part: Part) -> dict[str, Any]:
    ends = {
        name: None if id is None else f"{time_of(id):%Y-%m-%dT%H:%M:%S.%fZ}"
        for name, id in (("oldest", part.oldest), ("newest", part.newest))
    }
    return {"partition": part.partition, "rows": part.rows, "bytes": part.bytes, **ends}


def _actor() -> str:
    """Who runs the command, for the activity log."""
    try:
        user = getpass.getuser()
    except (KeyError, OSError):  # a number without a name, as in many containers
        user = "unknown"
    return f"command prune_issuances ({user})"
