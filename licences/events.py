"""Writing the history of licences: an event for each change of the deny list, whoever makes it."""

from __future__ import annotations

from typing import Any

from licences.models import LicenceEvent, RevokedLicence
from plans.revisions import Author, author_of_change

What = LicenceEvent.What


def event_of(revoked: RevokedLicence, what: LicenceEvent.What, author: Author) -> LicenceEvent:
    """The unsaved event. A reinstatement's reason is its change's; else it is the row's."""
    reason = author.reason if what == What.REINSTATED else revoked.reason or author.reason
    return LicenceEvent(
        licence=revoked.licence,
        key=revoked.key,
        what=what,
        actor=author.actor,
        source=author.source,
        reason=reason,
        until=None if what == What.REINSTATED else revoked.until,
        revision=author.revision,
    )


def note_saved(instance: RevokedLicence, created: bool, raw: bool = False, **_: Any) -> None:
    """Signal receiver: revoked or changed. `raw` data, of a fixture, brings its own events."""
    if not raw:
        what = What.REVOKED if created else What.CHANGED
        event_of(instance, what, author_of_change()).save()


def note_deleted(instance: RevokedLicence, **_: Any) -> None:
    """Signal receiver: reinstated."""
    event_of(instance, What.REINSTATED, author_of_change()).save()
