"""Django's registration of the app."""

from __future__ import annotations

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class PeopleConfig(AppConfig):
    name = "people"
    verbose_name = _("Activity")

    def ready(self) -> None:
        """Connect the receivers of Django's signals."""
        from people import signals  # noqa: F401
