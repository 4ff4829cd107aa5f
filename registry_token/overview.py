"""What the first page of the admin shows: the catalogue, what it does, and what needs attention.

Every query looks at a bounded part of its table, so that the page does not slow down with the log.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.core.checks import CheckMessage
from django.db.models import Count, QuerySet

from issuances.identifiers import first_uuid7
from issuances.models import Issuance
from licences.models import RevokedLicence
from plans.models import CatalogueRevision, Plan
from registry_token import checks

DAY = timedelta(days=1)
SHOWN = 8  # of each kind
NEWEST_ROWS = 20_000  # of the issuance log, among which refusals are looked for


@dataclass(frozen=True, slots=True)
class PlanUse:
    """A plan, how many rules it has, and how many tokens its callers got in the last 24 hours."""

    plan: Plan
    rules: int
    tokens: int


def newest_revision() -> CatalogueRevision | None:
    """The catalogue's newest change. Raises django.db.Error, as all here do."""
    return CatalogueRevision.objects.defer("snapshot").first()


def plans_in_use(now: datetime) -> list[PlanUse]:
    """All plans by name."""
    recent = Issuance.objects.filter(id__gte=first_uuid7(now - DAY), refusal="")
    tokens = dict(recent.order_by().values_list("plan").annotate(Count("id")))
    plans = Plan.objects.annotate(number=Count("rules"))
    return [PlanUse(plan, plan.number, tokens.get(plan.name, 0)) for plan in plans]


def latest_refusals() -> QuerySet[Issuance]:
    """The newest refusals, newest first."""
    newest = Issuance.objects.order_by("-id")
    oldest = newest.values_list("id", flat=True)[NEWEST_ROWS : NEWEST_ROWS + 1].first()
    looked_at = newest if oldest is None else newest.filter(id__gt=oldest)
    return looked_at.exclude(refusal="")[:SHOWN]


def latest_revocations() -> QuerySet[RevokedLicence]:
    """The licences that were revoked last, newest first."""
    return RevokedLicence.objects.order_by("-pk")[:SHOWN]


def warnings() -> list[CheckMessage]:
    """What an operator has to see to before it hurts."""
    found: Iterable[list[CheckMessage]] = (
        checks.check_certificate_expiry(),
        checks.check_authority_key_file(),
    )
    return [message for messages in found for message in messages]
