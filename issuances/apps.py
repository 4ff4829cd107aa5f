"""Django's registration of the app."""

from __future__ import annotations

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class IssuancesConfig(AppConfig):
    name = "issuances"
    verbose_name = _("Issuance log")
