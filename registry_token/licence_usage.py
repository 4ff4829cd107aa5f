"""Who has been using licences lately, by the issuance log, and how long their tokens live on.

The log holds a licence as the caller's token spelt it, and finds it by that. So the spellings are
looked up first: the index by licence is read from each one to the next, past all rows between.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import NamedTuple
from uuid import UUID

from django.db import connection
from django.db.models import Max, QuerySet
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from issuances.identifiers import FIRST_ID, first_uuid7
from issuances.models import Issuance
from licences.models import normalised
from registry_token.lately import PERIOD

# For which Distribution goes on accepting a token that has expired.
GRACE = timedelta(seconds=60)
# Longer than a token can live.
_ALIVE = timedelta(minutes=10)
# A spelling and a row take some microseconds each.
MAX_SPELLINGS = 200_000
MAX_REQUESTS = 200_000
_BATCH = 1000

_SPELLINGS = """
WITH RECURSIVE spelt(licence) AS (
    SELECT min(licence) FROM issuances_issuance WHERE licence > '' AND id >= %s
    UNION ALL
    SELECT (
        SELECT min(licence) FROM issuances_issuance WHERE licence > spelt.licence AND id >= %s
    ) FROM spelt WHERE spelt.licence IS NOT NULL
)
SELECT licence FROM spelt WHERE licence IS NOT NULL LIMIT %s
"""


class Usage(NamedTuple):
    """Of the last 30 days; the numbers are at least these unless `is_complete`. `alive_until` is
    None when no token is alive.
    """

    callers: int
    requests: int
    alive_until: datetime | None
    is_complete: bool


def usage_of(
    licences: Iterable[str],
    now: datetime,
    *,
    max_spellings: int = MAX_SPELLINGS,
    max_requests: int = MAX_REQUESTS,
) -> Usage:
    """Of all of these licences together. Raises django.db.DatabaseError."""
    names, is_complete = _names(list(licences), now - PERIOD, max_spellings)
    callers: set[str] = set()
    requests, latest = 0, now - GRACE
    for start in range(0, len(names), _BATCH):
        batch = names[start : start + _BATCH]
        found = _rows(batch, now - PERIOD).values_list("subject", flat=True)
        subjects = list(found[: max_requests + 1 - requests])
        callers.update(subjects)
        requests += len(subjects)
        newest = _rows(batch, now - _ALIVE).aggregate(latest=Max("expires_at"))["latest"]
        latest = max(latest, newest or latest)
    alive_until = latest + GRACE if latest + GRACE > now else None
    is_complete = is_complete and requests <= max_requests
    return Usage(len(callers), min(requests, max_requests), alive_until, is_complete)


def in_words(usage: Usage) -> str:
    """For the person who revokes."""
    requests = ngettext("%(n)s request", "%(n)s requests", usage.requests) % {"n": usage.requests}
    callers = ngettext("%(n)s caller", "%(n)s callers", usage.callers) % {"n": usage.callers}
    used = (
        _("In the last 30 days: %(requests)s by %(callers)s.")
        if usage.is_complete
        else _("In the last 30 days: at least %(requests)s by %(callers)s, too many to count all.")
    ) % {"requests": requests, "callers": callers}
    if usage.alive_until is None:
        return f"{used} {_('No token issued before is alive.')}"
    return f"{used} " + _("Tokens issued before are accepted until %(time)s UTC at the latest.") % {
        "time": f"{usage.alive_until:%Y-%m-%d %H:%M:%S}"
    }


def _names(licences: list[str], since: datetime, most: int) -> tuple[list[str], bool]:
    """The licences as the log spells them, and whether that is certain: beyond `most` spellings
    they are guessed.
    """
    keys = {normalised(licence) for licence in licences}
    first = Issuance._meta.pk.get_db_prep_value(_first_id(since), connection)
    with connection.cursor() as cursor:
        cursor.execute(_SPELLINGS, [first, first, most + 1])
        spelt = [name for (name,) in cursor.fetchall()]
    names = {name for name in spelt if normalised(name) in keys}
    if len(spelt) <= most:
        return sorted(names), True
    usual = {name for one in (*licences, *keys) for name in (one, one.lower(), one.upper())}
    return sorted(names | usual), False


def _first_id(since: datetime) -> UUID:
    """Where the search for spellings begins: with nothing left out, as the rows before it would be
    passed by one by one; but on PostgreSQL whole months, partitions, are spared.
    """
    if connection.vendor != "postgresql":
        return FIRST_ID
    return first_uuid7(datetime(since.year, since.month, 1, tzinfo=UTC))


def _rows(names: list[str], since: datetime) -> QuerySet[Issuance]:
    """An id begins with the time, so the period is a range of the index by licence."""
    return Issuance.objects.filter(licence__in=names, id__gte=first_uuid7(since)).order_by()
