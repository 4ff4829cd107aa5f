"""`manage.py dev_setup`: the development set-up's database content, made once."""

from __future__ import annotations

import secrets
import shlex
import sys
from typing import Any

from django.conf import settings
from django.contrib.auth import get_user_model
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError, CommandParser

from plans.models import CatalogueRevision
from registry_token.config_values import BASE_DIR


class Command(BaseCommand):
    """Changes nothing that is there: neither an account nor a catalogue that was ever edited."""

    help = "Load the example catalogue and make an admin account, each only if there is none."

    def add_arguments(self, parser: CommandParser) -> None:
        """--url."""
        parser.add_argument(
            "--url", default="http://127.0.0.1:8000", help="where the service will answer"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Refuse outside a development set-up, then fill what is empty."""
        if settings.AUTHORITY_DEVELOPMENT_KEY is None:
            raise CommandError("this is no development set-up; make one with `make run`")
        if not CatalogueRevision.objects.filter(number__gt=0).exists():
            example = BASE_DIR / "etc" / "catalogue.example.yaml"
            call_command("load_catalogue", example, stdout=self.stdout)
        users = get_user_model().objects
        if not users.exists():
            password = secrets.token_urlsafe(15)
            users.create_superuser("admin", password=password)
            self.stdout.write(
                f"\nAdmin account: user admin, password {password}\n"
                "The password is shown this once; `manage.py changepassword admin` sets another."
            )
        self.stdout.write(_first_steps(options["url"]))


def _first_steps(url: str) -> str:
    """Two commands to paste: one that gets a token, one that is refused."""
    manage = shlex.join([sys.executable, str(BASE_DIR / "manage.py")])
    mint = f"{manage} authority_token --plan community"
    token = f"$({mint})"
    asked = f"{url}/token?service={settings.REGISTRY_SERVICES[0]}&scope=repository:"
    return f"""
Admin: {url}/admin/

This gets a registry token:
curl -s -u "me:{token}" "{asked}stella-ops/public/app:pull"

This is refused, with the reason:
curl -s -u "me:{token}" "{asked}stella-ops/private/app:push"
"""
