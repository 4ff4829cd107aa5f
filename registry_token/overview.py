"""What the first page of the admin shows: the catalogue, what it does, and what needs attention.

Every query looks at a bounded part of its table, so that the page does not slow down with the log.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from django.core.checks import CheckMessage
from django.db.models import Count, F, QuerySet

from issuances.counting.rollup_counts import Counts
from issuances.counting.rollup_reading import counts_of, range_of
from issuances.counting.rollups import KEPT
from issuances.finding.access_paths import Branch
from issuances.identifiers import LAST_ID, first_uuid7
from issuances.models import Issuance
from licences.models import RevokedLicence
from plans.models import CatalogueRevision, Plan
from registry_token import checks
from registry_token.dashboard import PERIODS

SHOWN = 8  # of each kind
NEWEST_ROWS = 20_000  # of the issuance log, among which refusals are looked for
RARE = 1_000  # tokens: as many are counted of a plan that is not among the busiest


@dataclass(frozen=True, slots=True)
class PlanUse:
    """A plan, how many rules it has, and how many tokens its callers got in the last 24 hours; of a
    plan that is not among the busiest no more than `RARE` are counted.
    """

    plan: Plan
    rules: int
    tokens: int
    at_least: bool = False


def newest_revision() -> CatalogueRevision | None:
    """The catalogue's newest change. Raises django.db.Error, as all here do."""
    return CatalogueRevision.objects.defer("snapshot").first()


def plans_in_use(now: datetime) -> list[PlanUse]:
    """All plans by name."""
    begin = PERIODS["24h"].begin(now)
    counts = counts_of("plan", range_of(begin, now, by_day=False))

    uses: list[PlanUse] = []
    for plan in Plan.objects.annotate(number=Count("rules")):
        found = counts.get(plan.name)
        if found is not None or len(counts) < KEPT:
            found = found or Counts()
            uses.append(PlanUse(plan, plan.number, found.granted + found.part))
            continue
        rows = Branch(F("plan"), plan.name).rows(first_uuid7(begin), LAST_ID, descending=True)
        tokens = rows.filter(refusal="")[:RARE].count()
        uses.append(PlanUse(plan, plan.number, tokens, at_least=tokens == RARE))
    return uses


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
