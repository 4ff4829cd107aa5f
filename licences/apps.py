"""Django's registration of the app."""

from __future__ import annotations

from django.apps import AppConfig


class LicencesConfig(AppConfig):
    name = "licences"
