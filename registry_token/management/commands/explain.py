"""`manage.py explain`: what /token would decide, and why, by the same code."""

from __future__ import annotations

import json
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from registry_token.errors import MalformedRequest
from registry_token.replay import Asked
from registry_token.simulation import Resource, Simulation, simulate
from registry_token.simulation_checks import NOT_REACHED
from registry_token.simulation_sources import CURRENT, Unanswerable, as_of, asked_before, asked_by


class Command(BaseCommand):
    """The last line begins with `granted:` or `refused (CODE):`; explaining either is a success."""

    help = "Explain what a caller with a plan and a licence would be granted, and by which rules."

    def add_arguments(self, parser: CommandParser) -> None:
        """--plan, --licence, --service, --revision, --request, --json, SCOPE…"""
        parser.add_argument("--plan", help="the plan claim; without it, plans.default applies")
        parser.add_argument("--licence", help="the licence claim")
        parser.add_argument("--service", help="the registry; default: the first configured one")
        parser.add_argument(
            "--revision", type=int, help="by the plans of this catalogue revision; default: current"
        )
        parser.add_argument(
            "--request", metavar="REQUEST_ID", help="ask again what this row of the log asked"
        )
        parser.add_argument("--json", action="store_true", help="print the result as JSON")
        parser.add_argument(
            "scope", nargs="*", help="repository:NAME:ACTIONS or registry:catalog:*"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Decide and print the checks, the resources with their rules, and the outcome."""
        try:
            asked = _asked(options)
            source = CURRENT if options["revision"] is None else as_of(options["revision"])
        except (Unanswerable, MalformedRequest) as error:
            raise CommandError(str(error)) from None
        simulation = simulate(asked, source)
        if options["json"]:
            self.stdout.write(json.dumps(simulation.as_dict(), indent=2, ensure_ascii=False))
        else:
            self._write(simulation)

    def _write(self, simulation: Simulation) -> None:
        self.stdout.write(f"catalogue revision {simulation.revision}, service {simulation.service}")
        for check in simulation.checks:
            if check.outcome != NOT_REACHED:
                self.stdout.write(f"check {check.code}: {check.outcome}")
        for resource in simulation.resources:
            self._write_resource(resource, simulation.plan)
        if simulation.refusal is not None:
            self.stdout.write("refused ({code}): {message}".format(**simulation.refusal))
            return
        self.stdout.write(f"granted: {' '.join(simulation.granted) or 'an empty token'}")

    def _write_resource(self, resource: Resource, plan: str) -> None:
        self.stdout.write(f"{resource.asked}: {', '.join(resource.granted) or 'nothing'}")
        for rule in resource.rules:
            self.stdout.write(f"  rule of plan {plan}: {rule.text}")
        if not resource.rules:
            self.stdout.write(f"  no rule of plan {plan} speaks of it")
        if (nearest := resource.nearest) is not None:
            rule_text = f"nearest rule: {nearest.rule}; " if nearest.rule else ""
            self.stdout.write(f"  {rule_text}{'; '.join(nearest.lacks)}")


def _asked(options: dict[str, Any]) -> Asked:
    given = {name: options[name] for name in ("plan", "licence", "service")}
    if options["request"] is None:
        return asked_by(**given, scopes=options["scope"])
    if options["scope"] or any(value is not None for value in given.values()):
        raise CommandError("--request says it all: leave plan, licence, service and scopes out")
    return asked_before(options["request"])
