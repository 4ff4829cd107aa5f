"""Revoking and reinstating many licences at once: reading the list, comparing it, applying it."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime

from django.core.exceptions import ValidationError
from django.utils.dateparse import parse_date, parse_datetime
from django.utils.translation import gettext as _

from licences.events import What, event_of
from licences.models import LicenceEvent, RevokedLicence, normalised
from plans.revisions import author_of_change, catalogue_change, note_bulk

MAX_BYTES = 2 * 1024 * 1024
MAX_LINES = 100_000
BATCH = 500
COLUMNS = ("licence", "reason", "until")
_MAX_SHOWN = 80


@dataclass(frozen=True, slots=True)
class Malformed:
    """A line that says nothing usable, and why."""

    line: int
    text: str
    why: str


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
    result = BulkList()
    wanted = list(_wanted(text, reason, now, result.malformed))
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


def revoke_all(licences: list[RevokedLicence], *, actor: str, reason: str) -> list[RevokedLicence]:
    """Those that nobody has revoked meanwhile, in one transaction and one revision.

    Raises django.db.DatabaseError.
    """
    with catalogue_change(actor=actor, source="admin", reason=reason):
        existing = _existing(licences)
        new = [licence for licence in licences if licence.key not in existing]
        for licence in new:
            licence.revoked_by = actor
            licence.prepare()
        RevokedLicence.objects.bulk_create(new, batch_size=BATCH)
        _note(new, What.REVOKED)
    return new


def reinstate_all(licences: list[RevokedLicence], *, actor: str, reason: str) -> int:
    """Those that nobody has reinstated meanwhile, in one transaction and one revision; how many.

    Raises django.db.DatabaseError.
    """
    with catalogue_change(actor=actor, source="admin", reason=reason):
        existing = list(_existing(licences).values())
        for batch in _batches(existing):
            # Past the signals, which would write an event and a line of the revision for each.
            chosen = RevokedLicence.objects.filter(pk__in=[licence.pk for licence in batch])
            chosen._raw_delete(chosen.db)
        _note(existing, What.REINSTATED)
    return len(existing)


def _note(licences: list[RevokedLicence], what: LicenceEvent.What) -> None:
    if not licences:
        return
    author = author_of_change()
    events = [event_of(licence, what, author) for licence in licences]
    LicenceEvent.objects.bulk_create(events, batch_size=BATCH)
    named = ", ".join(licence.licence for licence in licences[:3])
    more = f" and {len(licences) - 3} more" if len(licences) > 3 else ""
    note_bulk(f"{what} {len(licences)} licences: {named}{more}")


def _existing(wanted: list[RevokedLicence]) -> dict[str, RevokedLicence]:
    found: dict[str, RevokedLicence] = {}
    for batch in _batches(wanted):
        keys = [licence.key for licence in batch]
        found |= {one.key: one for one in RevokedLicence.objects.filter(key__in=keys)}
    return found


def _batches(licences: list[RevokedLicence]) -> Iterator[list[RevokedLicence]]:
    for start in range(0, len(licences), BATCH):
        yield licences[start : start + BATCH]


def _wanted(
    text: str, reason: str, now: datetime, malformed: list[Malformed]
) -> Iterator[RevokedLicence]:
    """The well-formed lines as unsaved rows, each licence once."""
    lines_of: dict[str, int] = {}
    columns: tuple[str, ...] = COLUMNS
    for number, line, cells in _rows(text, malformed):
        if not lines_of and (header := _header(cells)):
            columns = header
            continue
        try:
            one = _row(
                dict(zip(columns, cells, strict=False)), len(cells) - len(columns), reason, now
            )
            if (first := lines_of.setdefault(one.key, number)) != number:
                raise ValidationError(_("the same licence as in line %(line)s") % {"line": first})
        except ValidationError as error:
            malformed.append(Malformed(number, line[:_MAX_SHOWN], _why(error)))
        else:
            yield one


def _why(error: ValidationError) -> str:
    if not hasattr(error, "error_dict"):
        return "; ".join(error.messages)
    return "; ".join(
        f"{name}: {message}"
        for name, messages in error.message_dict.items()
        for message in messages
    )


def _rows(text: str, malformed: list[Malformed]) -> Iterator[tuple[int, str, list[str]]]:
    lines = text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n").split("\n")
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            (cells,) = csv.reader([line], strict=True)
        except (csv.Error, ValueError):
            why = _("cannot be read; check its quotes")
            malformed.append(Malformed(number, line[:_MAX_SHOWN], why))
        else:
            yield number, line, [cell.strip() for cell in cells]


def _header(cells: Iterable[str]) -> tuple[str, ...]:
    """The columns that a heading names, in their order; empty when it is no heading."""
    names = tuple(cell.casefold().replace("license", "licence") for cell in cells)
    return names if "licence" in names and {*names} <= {*COLUMNS} else ()


def _row(cells: dict[str, str], surplus: int, reason: str, now: datetime) -> RevokedLicence:
    """The unsaved row; ValidationError says all that is wrong with it."""
    if surplus > 0:
        raise ValidationError(_("has too many columns; put a reason that has a comma in quotes"))
    one = RevokedLicence(
        licence=cells.get("licence", ""),
        reason=cells.get("reason") or reason,
        until=_until(cells.get("until", ""), now),
    )
    one.key = normalised(one.licence)
    one.clean_fields(exclude=["id", "key", "revoked_by", "until"])
    one.clean()
    return one


def _until(text: str, now: datetime) -> datetime | None:
    if not text:
        return None
    try:
        if (day := parse_date(text)) is not None:
            until: datetime | None = datetime(day.year, day.month, day.day, tzinfo=UTC)
        else:
            until = parse_datetime(text)
    except ValueError:
        until = None
    if until is None:
        raise ValidationError(_("its end must be a date such as 2030-12-31"))
    until = until if until.tzinfo else until.replace(tzinfo=UTC)
    if until <= now:
        raise ValidationError(_("its end is in the past"))
    return until
