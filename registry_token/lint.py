"""Lint of the catalogue with the facts of this service: what the configuration and the log say."""

from __future__ import annotations

from datetime import datetime

from django.conf import settings
from django.db.models import OuterRef, Subquery
from django.utils import timezone

from issuances.models import Issuance
from plans.catalogue import newest_revision
from plans.models import CatalogueRevision, Plan
from plans.snapshots import take_snapshot
from registry_token.lately import PERIOD
from registry_token.lint_rules import MAX_SECONDS, Finding, Known, lint

CACHED_FOR = 600  # seconds, for what the log says; a new revision is linted at once

_cached: tuple[tuple[object, ...], list[Finding]] | None = None


def findings() -> list[Finding]:
    """All findings about the current catalogue: one query, when they are in memory.

    Raises django.db.DatabaseError.
    """
    global _cached
    now = timezone.now()
    key = (newest_revision(), settings.REGISTRY_SERVICES, now.timestamp() // CACHED_FOR)
    cached = _cached
    if cached is None or cached[0] != key:
        cached = _cached = key, lint(take_snapshot(), known_facts(now), max_seconds=MAX_SECONDS)
    return cached[1]


def known_facts(now: datetime | None = None) -> Known:
    """What lint must know. Raises django.db.DatabaseError."""
    return Known(settings.REGISTRY_SERVICES, _unused_plans(now or timezone.now()))


def _unused_plans(now: datetime) -> frozenset[str]:
    """Plans that existed 30 days ago and that nobody has carried since; none if the log does not
    reach back so far. Two look-ups in indexes, one more a plan.
    """
    begin = now - PERIOD
    oldest = Issuance.objects.order_by("id").values_list("created_at", flat=True).first()
    if oldest is None or oldest > begin:
        return frozenset()
    newest_row = Issuance.objects.filter(plan=OuterRef("name")).order_by("-id")
    plans = Plan.objects.filter(enabled=True).annotate(
        carried_at=Subquery(newest_row.values("created_at")[:1])
    )
    unused = {plan.name for plan in plans if plan.carried_at is None or plan.carried_at < begin}
    return frozenset(unused & _names_at(begin)) if unused else frozenset()


def _names_at(time: datetime) -> set[str]:
    """The plans that were enabled then."""
    kept = CatalogueRevision.objects.filter(created_at__lte=time, snapshot__isnull=False)
    snapshot = kept.values_list("snapshot", flat=True).first() or []
    return {entry["name"] for entry in snapshot if entry.get("enabled", True)}
