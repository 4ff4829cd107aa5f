"""What a filter of the issuance log means: conditions on rows, by the parameters they come from."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from django.db.models import Q, QuerySet

from issuances.expressions import NotAllGranted
from issuances.identifiers import FIRST_ID, LAST_ID
from issuances.models import Issuance
from issuances.resources import ASKED, COLUMNS, HasResource

# Compared with one and the same resource.
_OF_RESOURCE = {"repository": "name", "repository_prefix": "prefix", "action": "action"}
_EQUAL = {
    "reason": "refusal",
    "plan": "plan",
    "service": "service",
    "subject": "subject",
    "client": "client_id",
    "licence": "licence__in",
    "tenant": "tenant",
    "address": "remote_address",
    "request_id": "request_id",
    "revision": "catalogue_revision",
}


@dataclass(frozen=True, slots=True)
class Filtered:
    """The rows that match: by parameter its value and condition, and the range of their ids."""

    values: Mapping[str, Any] = field(default_factory=dict)
    conditions: Mapping[str, Q] = field(default_factory=dict)
    low: UUID = FIRST_ID
    high: UUID = LAST_ID

    @property
    def rows(self) -> QuerySet[Issuance]:
        """All of them, newest first; how long that takes is up to the database."""
        return Issuance.objects.filter(*self.conditions.values(), *self._range())

    def _range(self) -> Iterable[Q]:
        if self.low != FIRST_ID:
            yield Q(id__gte=self.low)
        if self.high != LAST_ID:
            yield Q(id__lt=self.high)


def conditions_of(values: Mapping[str, Any]) -> dict[str, Q]:
    """By parameter; those that speak of one resource have one together, `resource`."""
    conditions = {
        name: Q(**{lookup: values[name]}) for name, lookup in _EQUAL.items() if name in values
    }
    if "outcome" in values:
        conditions["outcome"] = _outcome(values["outcome"])
    wanted = {argument: values[name] for name, argument in _OF_RESOURCE.items() if name in values}
    if wanted:
        column = COLUMNS[values.get("compare", ASKED)]
        conditions["resource"] = Q(HasResource(column, **wanted))
    return conditions


def _outcome(outcome: str) -> Q:
    if outcome == "refused":
        return ~Q(refusal="")
    exceptional = Q(NotAllGranted())
    return exceptional & Q(refusal="") if outcome == "part" else ~exceptional
