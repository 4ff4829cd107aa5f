"""A list of licences as people paste it: one a line, or CSV with or without a heading."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

from django.core.exceptions import ValidationError
from django.utils.dateparse import parse_date, parse_datetime
from django.utils.translation import gettext as _

from licences.models import RevokedLicence, normalised

MAX_BYTES = 2 * 1024 * 1024
MAX_LINES = 100_000
COLUMNS = ("licence", "reason", "until")
_MAX_SHOWN = 80  # characters of a malformed line


@dataclass(frozen=True, slots=True)
class Malformed:
    """A line that says nothing usable, and why."""

    line: int
    text: str
    why: str


def read_lines(
    text: str, reason: str, now: datetime
) -> tuple[list[RevokedLicence], list[Malformed]]:
    """The well-formed lines as unsaved rows, each licence once; and the other lines.

    `reason` is for lines without one; an end has to be later than `now`.
    """
    wanted: list[RevokedLicence] = []
    malformed: list[Malformed] = []
    lines_of: dict[str, int] = {}
    columns: tuple[str, ...] = COLUMNS
    for number, line, cells in _rows(text, malformed):
        if not lines_of and (header := _header(cells)):
            columns = header
            continue
        try:
            one = _row(cells, columns, reason, now)
            if (first := lines_of.setdefault(one.key, number)) != number:
                raise ValidationError(_("the same licence as in line %(line)s") % {"line": first})
        except ValidationError as error:
            malformed.append(Malformed(number, line[:_MAX_SHOWN], _why(error)))
        else:
            wanted.append(one)
    return wanted, malformed


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


def _row(cells: list[str], columns: tuple[str, ...], reason: str, now: datetime) -> RevokedLicence:
    """The unsaved row; ValidationError says all that is wrong with it."""
    if len(cells) > len(columns):
        raise ValidationError(_("has too many columns; put a reason that has a comma in quotes"))
    given = dict(zip(columns, cells, strict=False))
    one = RevokedLicence(
        licence=given.get("licence", ""),
        reason=given.get("reason") or reason,
        until=_until(given.get("until", ""), now),
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
