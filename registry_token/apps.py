"""Django's registration of the project's own app, and of the admin with our site."""

from __future__ import annotations

from django.apps import AppConfig
from django.contrib.admin import apps
from django.utils.translation import gettext_lazy as _


class RegistryTokenConfig(AppConfig):
    name = "registry_token"
    verbose_name = _("Registry token service")

    def ready(self) -> None:
        """Register the system checks, and the receiver of the catalogue's changes."""
        from registry_token import activity, checks, sso_checks  # noqa: F401


class AdminConfig(apps.AdminConfig):
    default = False  # of this module
    default_site = "registry_token.pages.site.Site"
