"""`manage.py show_config`: each value of the configuration and where it came from."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand

from registry_token.config import PREFIX, SETTINGS, Configuration, Setting


class Command(BaseCommand):
    """Works with a wrong configuration too, and then says what is wrong (exit status 1)."""

    help = "Show the configuration: each value, where it came from; secrets masked."
    requires_system_checks = ()

    def handle(self, *args: Any, **options: Any) -> None:
        """One line a key, then the errors."""
        configuration = settings.CONFIGURATION
        self.stdout.write(f"file: {configuration.path}")
        for setting in SETTINGS:
            source = _source(setting, configuration)
            shown = self._shown(setting, configuration.values[setting.key])
            if setting.key in configuration.invalid and setting.key in configuration.sources:
                shown = "(invalid, see the errors)"
            self.stdout.write(f"{setting.key} = {shown}  ({source})")
        for error in configuration.errors:
            self.stderr.write(f"error: {error}")
        if configuration.errors:
            raise SystemExit(1)

    def _shown(self, setting: Setting, value: Any) -> str:
        if setting.key == "database.url":
            return _database(value)
        if setting.secret:
            return "********" if value else "(not set)"
        if isinstance(value, tuple):
            return ", ".join(map(str, value)) or "(none)"
        if value is None or value == "":
            return "(not set)"
        return str(value).lower() if isinstance(value, bool) else str(value)


def _source(setting: Setting, configuration: Configuration) -> str:
    source = configuration.sources.get(setting.key)
    if source is None:
        return f"default of {setting.variable}"
    return f"environment: {source}" if source.startswith(PREFIX) else f"file: {source}"


def _database(database: dict[str, Any]) -> str:
    """The database without its password."""
    if database["ENGINE"].endswith("sqlite3"):
        return f"sqlite:///{database['NAME']}"
    user = f"{database['USER']}:********@" if database["USER"] else ""
    port = f":{database['PORT']}" if database["PORT"] else ""
    return f"postgres://{user}{database['HOST']}{port}/{database['NAME']}"
