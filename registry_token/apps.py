"""Django's registration of the project's own app: checks and commands."""

from __future__ import annotations

from django.apps import AppConfig


class RegistryTokenConfig(AppConfig):
    name = "registry_token"
    verbose_name = "Registry token service"

    def ready(self) -> None:
        from django.contrib import admin

        from registry_token import checks  # noqa: F401  (registers them)

        admin.site.site_header = admin.site.site_title = "Registry Token Service"
        admin.site.index_title = "Plans, licences and the issuance log"
        admin.site.site_url = None  # there is no page beside the admin
        admin.site.enable_nav_sidebar = False  # the log's table needs the width
