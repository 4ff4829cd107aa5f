"""Revoking and reinstating many licences at once: comparing a list, and applying it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime

from licences.events import What, event_of
from licences.models import LicenceEvent, RevokedLicence
from licences.pasted import Malformed, read_lines
from plans.revisions import Author, author_of_change, catalogue_change, note_bulk

BATCH = 500


@dataclass(slots=True)
class BulkList:
    """What a list says, compared with the deny list. `changed` are on it with another reason or
    end, which stay as they are.
    """

    new: list[RevokedLicence] = field(default_factory=list)
    unchanged: list[RevokedLicence] = field(default_factory=list)
    changed: list[RevokedLicence] = field(default_factory=list)
    malformed: list[Malformed] = field(default_factory=list)

    @property
    def listed(self) -> list[RevokedLicence]:
        """Those that are on the deny list, as it has them."""
        return [*self.unchanged, *self.changed]


def read_list(text: str, reason: str, now: datetime) -> BulkList:
    """Read and compare. `reason` is for lines without one. Raises django.db.DatabaseError."""
    wanted, malformed = read_lines(text, reason, now)
    result = BulkList(malformed=malformed)
    existing = _existing(wanted)
    for one in wanted:
        revoked = existing.get(one.key)
        if revoked is None:
            result.new.append(one)
        elif (revoked.reason, revoked.until) == (one.reason, one.until):
            result.unchanged.append(revoked)
        else:
            result.changed.append(revoked)
    return result


def reinstate_all(licences: list[RevokedLicence], *, actor: str, reason: str) -> int:
    """Those that nobody has reinstated meanwhile, in one transaction and one revision; how many.

    Raises django.db.DatabaseError.
    """
    with catalogue_change(actor=actor, source="admin", reason=reason):
        existing = list(_existing(licences).values())
        remove(existing)
    return len(existing)


def add(licences: list[RevokedLicence]) -> None:
    """Revoke these, none of which is revoked, as a part of the running change.

    Raises RuntimeError outside of `catalogue_change`, django.db.DatabaseError.
    """
    author = author_of_change()
    for licence in licences:
        licence.revoked_by = author.actor
        licence.prepare()
    RevokedLicence.objects.bulk_create(licences, batch_size=BATCH)
    _note(licences, What.REVOKED, author)


def remove(licences: list[RevokedLicence]) -> None:
    """Reinstate these, all of which are revoked, likewise."""
    for batch in _batches(licences):
        # Past the signals, which would write an event and a line of the revision for each.
        chosen = RevokedLicence.objects.filter(pk__in=[licence.pk for licence in batch])
        chosen._raw_delete(chosen.db)
    _note(licences, What.REINSTATED, author_of_change())


def _note(licences: list[RevokedLicence], what: LicenceEvent.What, author: Author) -> None:
    if not licences:
        return
    events = [event_of(licence, what, author) for licence in licences]
    LicenceEvent.objects.bulk_create(events, batch_size=BATCH)
    named = ", ".join(licence.licence for licence in licences[:3])
    more = f" and {len(licences) - 3} more" if len(licences) > 3 else ""
    noun = "licence" if len(licences) == 1 else "licences"
    note_bulk(f"{what} {len(licences)} {noun}: {named}{more}")


def _existing(wanted: list[RevokedLicence]) -> dict[str, RevokedLicence]:
    found: dict[str, RevokedLicence] = {}
    for batch in _batches(wanted):
        keys = [licence.key for licence in batch]
        found |= {one.key: one for one in RevokedLicence.objects.filter(key__in=keys)}
    return found


def _batches(licences: list[RevokedLicence]) -> Iterator[list[RevokedLicence]]:
    for start in range(0, len(licences), BATCH):
        yield licences[start : start + BATCH]
