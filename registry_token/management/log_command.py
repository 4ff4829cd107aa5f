"""What the commands about the issuance log have in common."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import Error


class LogCommand(BaseCommand):
    """Exit status 2 when the database does not answer, which is said in a line."""

    def execute(self, *args: Any, **options: Any) -> str | None:
        """Raises CommandError."""
        try:
            return super().execute(*args, **options)
        except Error as error:
            said = str(error).strip() or type(error).__name__
            raise CommandError(f"the database: {said}", returncode=2) from None
