"""The questions that can be simulated, and the catalogues to decide them by.

What people may get wrong ends in `Unanswerable`, with a sentence that says what to do.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.utils.translation import gettext as _

from issuances.models import Issuance
from plans.catalogue import newest_revision
from plans.models import CatalogueRevision
from plans.snapshots import Snapshot, snapshot_as_of, take_snapshot
from registry_token.authority import LICENCE_CLAIM, PLAN_CLAIM, Caller, licence_of, plan_of
from registry_token.logs import printable
from registry_token.replay import Asked, asked_in
from registry_token.token_request import from_query

MAX_SHOWN = 64  # characters of a request id that is none
# Revision numbers are 64 bits wide in the database.
MAX_REVISION = 2**63 - 1


class Unanswerable(ValueError):
    """The question names something that does not exist."""


@dataclass(frozen=True, slots=True)
class Source:
    """A catalogue to decide by. `kind`: current, revision or unsaved; `number` is the revision that
    it is or stems from. Without a `snapshot` it is the current one.
    """

    kind: str
    number: int = 0
    snapshot: Snapshot | None = None


CURRENT = Source("current")


def as_of(number: int) -> Source:
    """The catalogue of revision `number`. Raises Unanswerable."""
    exists = 0 <= number <= MAX_REVISION and CatalogueRevision.objects.filter(pk=number).exists()
    if not exists:
        message = _("there is no catalogue revision %(number)d; the newest is %(newest)d")
        newest = newest_revision().number
        raise Unanswerable(message % {"number": number, "newest": newest})
    snapshot = snapshot_as_of(number)
    if snapshot is None:
        message = _(
            "revision %(number)d was made by a version of the service that did not keep the plans;"
            " choose a later one"
        )
        raise Unanswerable(message % {"number": number})
    return Source("revision", number, snapshot)


def with_plan(entry: dict[str, Any], *, instead_of: str = "") -> Source:
    """The current catalogue with this plan, not saved yet, in the place of the one of that name."""
    gone = {entry["name"], instead_of}
    others = [other for other in take_snapshot() if other["name"] not in gone]
    return Source("unsaved", newest_revision().number, [*others, entry])


def asked_by(
    *,
    plan: str | None = None,
    licence: str | None = None,
    service: str | None = None,
    scopes: Iterable[str] = (),
    held: Iterable[str] | None = None,
) -> Asked:
    """The question of a caller with these claims; None is a claim that the token does not have.

    Without a `service` it is the first configured one, without `held` the caller's token has the
    OAuth scopes that are required. Raises MalformedRequest by the limits of /token.
    """
    query = {"service": [service or settings.REGISTRY_SERVICES[0]], "scope": list(scopes)}
    given = {PLAN_CLAIM: plan, LICENCE_CLAIM: licence}
    claims = {claim: value for claim, value in given.items() if value is not None}
    caller = Caller(
        subject="simulation",
        scopes=frozenset(settings.AUTHORITY_REQUIRED_SCOPES if held is None else held),
        plan=plan_of(claims),
        licence=licence_of(claims),
    )
    return Asked(from_query(query, authorization=""), caller)


def asked_before(request_id: str) -> Asked:
    """The question of a row of the issuance log. Raises Unanswerable."""
    wanted = request_id.strip()
    # PostgreSQL takes no NUL.
    row = Issuance.objects.filter(request_id=wanted).first() if wanted.isprintable() else None
    if row is None:
        message = _(
            "the issuance log has no request %(request_id)s; the id stands in the answer's header"
            " X-Request-ID and in an error's detail"
        )
        raise Unanswerable(message % {"request_id": printable(wanted, MAX_SHOWN)})
    return asked_in(row)
