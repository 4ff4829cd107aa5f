"""Subjects that were granted push for the first time, as far as a bounded look at the log tells.

The log keeps no list of subjects. So the newest granted pushes of a period are read, and for each
of their subjects the log is searched for an earlier one, along the index by subject.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from issuances.finding.filters import Filtered, IssuanceFilter
from issuances.finding.paging import Page, page_of
from issuances.models import Issuance

MAX_ROWS, MAX_SUBJECTS = 500, 50
_SECONDS = 0.1  # for all subjects
_SECONDS_EACH = 0.02
_PUSHES = {"action": "push", "compare": "granted"}


@dataclass(frozen=True, slots=True)
class FirstPush:
    """`none_back_to`: the search for an earlier one came that far; None: there is none."""

    row: Issuance
    none_back_to: datetime | None


@dataclass(frozen=True, slots=True)
class FirstPushes:
    """`looked_back_to`: pushes before it were not looked at, None when all of the period were.
    `older` is `before` for going on there.
    """

    found: list[FirstPush]
    looked_back_to: datetime | None
    older: UUID | None


def first_pushes(period: str, now: datetime, *, before: UUID | None = None) -> FirstPushes:
    """Of the last "24h", "7d" or "30d", newest first. Raises django.db.Error."""
    pushes = IssuanceFilter(_PUSHES | {"since": period}, now=now).filtered
    page = page_of(pushes, before=before, size=MAX_ROWS)
    found: list[FirstPush] = []
    until = time.monotonic() + _SECONDS
    earliest = _earliest(page)
    for looked_at, row in enumerate(earliest):
        if looked_at == MAX_SUBJECTS or (looked_at and time.monotonic() > until):
            last = earliest[looked_at - 1]
            return FirstPushes(found, last.created_at, last.id)
        earlier = page_of(_of(row.subject), before=row.id, size=1, seconds=_SECONDS_EACH)
        if not earlier.rows:
            found.append(FirstPush(row, earlier.searched_back_to))
    looked_back_to = page.searched_back_to
    if page.older is not None and looked_back_to is None:
        looked_back_to = page.rows[-1].created_at
    return FirstPushes(found, looked_back_to, page.older)


def _earliest(page: Page) -> list[Issuance]:
    """Of each subject the earliest push on the page, newest first."""
    of_subject = {row.subject: row for row in page.rows}  # the last of a subject stays
    return sorted(of_subject.values(), key=lambda row: row.id, reverse=True)


def _of(subject: str) -> Filtered:
    return IssuanceFilter(_PUSHES | {"subject": subject}).filtered
