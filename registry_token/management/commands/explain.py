"""`manage.py explain`: what /token would decide, and why, by the same code."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandParser

from registry_token.access import parse_scopes
from registry_token.authority import LICENCE_CLAIM, PLAN_CLAIM, Caller, licence_of, plan_of
from registry_token.entitlement import CHECKS, Decision, Verdict, decide
from registry_token.exchange import policy
from registry_token.record import read_facts
from registry_token.token_request import TokenRequest


class Command(BaseCommand):
    """The last line begins with `granted:` or `refused (CODE):`; explaining either is a success."""

    help = "Explain what a caller with a plan and a licence would be granted, and by which rules."

    def add_arguments(self, parser: CommandParser) -> None:
        """--plan, --licence, --service, SCOPE…"""
        parser.add_argument("--plan", help="the plan claim; without it, plans.default applies")
        parser.add_argument("--licence", help="the licence claim")
        parser.add_argument("--service", help="the registry; default: the first configured one")
        parser.add_argument(
            "scope", nargs="*", help="repository:NAME:ACTIONS or registry:catalog:*"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Decide and print the checks, the resources with their rules, and the outcome."""
        service = options["service"] or settings.REGISTRY_SERVICES[0]
        scopes = [word for scope in options["scope"] for word in scope.split(" ") if word]
        request = TokenRequest(service, parse_scopes(scopes), subject_token=None)
        given = {PLAN_CLAIM: options["plan"], LICENCE_CLAIM: options["licence"]}
        claims = {claim: value for claim, value in given.items() if value is not None}
        caller = Caller(
            subject="explain",
            scopes=frozenset(settings.AUTHORITY_REQUIRED_SCOPES),
            plan=plan_of(claims),
            licence=licence_of(claims),
        )
        facts = read_facts(caller.licence)
        decision = decide(request, caller, facts, policy())
        self.stdout.write(
            f"catalogue revision {facts.catalogue.revision.number}, service {service}"
        )
        self._write_checks(decision)
        for verdict in decision.verdicts:
            self._write_verdict(verdict, decision.plan)
        if decision.refusal is not None:
            self.stdout.write(f"refused ({decision.refusal.code}): {decision.refusal.message}")
            return
        granted = " ".join(map(str, decision.granted)) or "an empty token"
        self.stdout.write(f"granted: {granted}")

    def _write_checks(self, decision: Decision) -> None:
        """The checks of the caller as such, up to the one that refuses."""
        for code, _ in CHECKS:
            if decision.refusal is not None and decision.refusal.code == code:
                self.stdout.write(f"check {code}: refused")
                return
            self.stdout.write(f"check {code}: passed")

    def _write_verdict(self, verdict: Verdict, plan: str) -> None:
        actions = ", ".join(sorted(verdict.granted.actions)) or "nothing"
        self.stdout.write(f"{verdict.asked}: {actions}")
        for rule in verdict.rules:
            self.stdout.write(f"  rule of plan {plan}: {rule.text}")
        if not verdict.rules:
            self.stdout.write(f"  no rule of plan {plan} speaks of it")
