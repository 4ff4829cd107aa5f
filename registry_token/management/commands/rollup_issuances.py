"""`manage.py rollup_issuances`: count the issuance log by hours and days, for the dashboard."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from django.core.management.base import CommandError, CommandParser

from issuances.counting.rollups import Span, roll_up
from registry_token.management.arguments import time_in
from registry_token.management.log_command import LogCommand


class Command(LogCommand):
    """Exit status 0, also when there was nothing to do."""

    help = (
        "Count the issuance log by hours and days, for the dashboard. Run it every few minutes to"
        " every hour; a run that was interrupted, or that ran beside another one, does no harm."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """--all, or --from and --until."""
        parser.add_argument(
            "--all",
            action="store_true",
            help="look at all times for rows that came late, not at the last 48 hours alone",
        )
        parser.add_argument(
            "--from", dest="begin", type=time_in, help="count again from here, as 2026-11-01 (UTC)"
        )
        parser.add_argument("--until", type=time_in, help="count again what ended before")

    def handle(self, *args: Any, **options: Any) -> None:
        """Roll up and say what was done."""
        begin, until = options["begin"], options["until"]
        if begin is not None and until is not None and begin >= until:
            raise CommandError("--until must be later than --from")
        if options["all"] and (begin or until):
            raise CommandError("give either --all, or --from and --until")
        done = roll_up(datetime.now(UTC), begin=begin, until=until, everything=options["all"])
        hours, days = done.counted[Span.HOUR], done.counted[Span.DAY]
        said = f"counted {_number(hours, 'hour')} and {_number(days, 'day')}"
        if done.kept:
            said += f"; {done.kept} kept as they were counted before rows were pruned"
        if done.postponed:
            said += f"; {done.postponed} left for the next run: rows arrived meanwhile"
        self.stdout.write(said)


def _number(number: int, unit: str) -> str:
    return f"{number:,} {unit}{'s' * (number != 1)}"
