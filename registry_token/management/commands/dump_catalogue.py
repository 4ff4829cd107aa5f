"""`manage.py dump_catalogue`: the catalogue in the form that `load_catalogue` reads."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand

from licences.models import RevokedLicence
from plans.models import Plan
from registry_token.catalogue_file import dump_catalogue


class Command(BaseCommand):
    """Deterministic: equal catalogues give equal text."""

    help = "Print the plan catalogue and the revoked licences as a catalogue file."

    def handle(self, *args: Any, **options: Any) -> None:
        """Write the file's text to standard output."""
        plans = Plan.objects.prefetch_related("rules")
        self.stdout.write(dump_catalogue(plans, RevokedLicence.objects.all()), ending="")
