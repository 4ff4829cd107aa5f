"""Who has been using licences lately, by the issuance log, and how long their tokens live on.

The log holds a licence as the caller's token spelt it, and finds it by that: what is asked for is
the spelling on the deny list, and its usual variants.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import NamedTuple

from django.db.models import Count, Max, QuerySet
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from issuances.models import Issuance
from licences.models import normalised
from registry_token.identifiers import first_uuid7

PERIOD = timedelta(days=30)
# For which Distribution goes on accepting a token that has expired.
GRACE = timedelta(seconds=60)
_BATCH = 1000


class Usage(NamedTuple):
    """Of the last 30 days; `alive_until` is None when no token is alive."""

    callers: int
    requests: int
    alive_until: datetime | None


def spellings(licence: str) -> set[str]:
    """As it stands, in lower and upper case, and as compared."""
    key = normalised(licence)
    return {licence, licence.lower(), licence.upper(), licence.casefold(), key, key.upper()}


def usage_of(licences: Iterable[str], now: datetime) -> Usage:
    """Of all of these licences together. Raises django.db.DatabaseError."""
    names = sorted({name for licence in licences for name in spellings(licence)})
    subjects: set[str] = set()
    requests, latest = 0, now - GRACE
    for start in range(0, len(names), _BATCH):
        rows = _rows(names[start : start + _BATCH], now)
        subjects.update(rows.values_list("subject", flat=True).order_by().distinct())
        found = rows.aggregate(requests=Count("pk"), latest=Max("expires_at"))
        requests += found["requests"]
        latest = max(latest, found["latest"] or latest)
    return Usage(len(subjects), requests, latest + GRACE if latest + GRACE > now else None)


def in_words(usage: Usage) -> str:
    """For the person who revokes."""
    requests = ngettext("%(n)s request", "%(n)s requests", usage.requests) % {"n": usage.requests}
    callers = ngettext("%(n)s caller", "%(n)s callers", usage.callers) % {"n": usage.callers}
    used = _("In the last 30 days: %(requests)s by %(callers)s.") % {
        "requests": requests,
        "callers": callers,
    }
    if usage.alive_until is None:
        return f"{used} {_('No token issued before is alive.')}"
    return f"{used} " + _("Tokens issued before are accepted until %(time)s UTC at the latest.") % {
        "time": f"{usage.alive_until:%Y-%m-%d %H:%M:%S}"
    }


def _rows(names: list[str], now: datetime) -> QuerySet[Issuance]:
    """An id begins with the time, so the period is a range of the index by licence."""
    return Issuance.objects.filter(licence__in=names, id__gte=first_uuid7(now - PERIOD))
