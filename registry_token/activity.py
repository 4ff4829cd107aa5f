"""The catalogue's changes in the activity log: one row for each revision made in the browser.

Whichever page makes it, and together with it or not at all.
"""

from __future__ import annotations

from typing import Any

from django.db.models.signals import post_save
from django.dispatch import receiver

from people.activity import record_activity
from people.current import current_request
from people.models import Action
from plans.models import CatalogueRevision


@receiver(post_save, sender=CatalogueRevision)
def catalogue_changed(instance: CatalogueRevision, created: bool, **_: Any) -> None:
    """Commands and files have no request; the history of the catalogue has them."""
    request = current_request.get()
    if created and request is not None:
        name = f"revision {instance.number}"
        record_activity(request, Action.CATALOGUE_CHANGED, name, instance.reason)
