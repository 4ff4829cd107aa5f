"""Django's registration of the app."""

from __future__ import annotations

from django.apps import AppConfig


class IssuancesConfig(AppConfig):
    name = "issuances"
    verbose_name = "Issuance log"
