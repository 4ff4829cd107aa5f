"""Django's registration of the app."""

from __future__ import annotations

import logging
from typing import Any

from django.apps import AppConfig
from django.db.models.signals import post_migrate
from django.utils.translation import gettext_lazy as _

logger = logging.getLogger(__name__)


class IssuancesConfig(AppConfig):
    name = "issuances"
    verbose_name = _("Issuance log")

    def ready(self) -> None:
        """Whoever migrates also gets the partitions of the months to come."""
        post_migrate.connect(_make_partitions, sender=self)


def _make_partitions(**_: Any) -> None:
    from django.utils import timezone

    from issuances.briefly import Busy
    from issuances.keeping.partitions_ahead import make_ahead

    try:
        make_ahead(timezone.now())
    except Busy as error:
        logger.warning("partitions were not made ahead: %s", error)
