"""Django's registration of the app."""

from __future__ import annotations

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class PlansConfig(AppConfig):
    name = "plans"
    verbose_name = _("Plan catalogue")

    def ready(self) -> None:
        """Number every change of every part of the catalogue, in whatever app it is."""
        from django.apps import apps
        from django.db.models.signals import post_delete, post_save

        from plans.models import CataloguePart
        from plans.revisions import note_change

        for model in apps.get_models():
            if issubclass(model, CataloguePart):
                for signal in (post_save, post_delete):
                    signal.connect(note_change, sender=model)
