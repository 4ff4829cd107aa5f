"""Django's registration of the app."""

from __future__ import annotations

from django.apps import AppConfig


class LicencesConfig(AppConfig):
    name = "licences"

    def ready(self) -> None:
        """Write an event for every change. `plans`, ready first, has numbered it by then."""
        from django.db.models.signals import post_delete, post_save

        from licences.events import note_deleted, note_saved
        from licences.models import RevokedLicence

        post_save.connect(note_saved, sender=RevokedLicence)
        post_delete.connect(note_deleted, sender=RevokedLicence)
