"""Who would lose what by a change of the catalogue: the issuance log, decided by both."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple

from issuances.identifiers import first_uuid7
from issuances.models import Issuance
from issuances.refusals import refusal_in_words
from plans.catalogue import Catalogue
from registry_token.access import Access
from registry_token.entitlement import Decision, Facts, Policy
from registry_token.lately import PERIOD
from registry_token.replay import decide_again

MAX_ROWS = 20_000
MAX_SECONDS = 2.0
MAX_EXAMPLES = 5
_PAGE = 500


class Example(NamedTuple):
    """One request that would get less. `lost` is empty for a mere login."""

    subject: str
    lost: str
    refusal: str

    @property
    def why(self) -> str:
        """The refusal in words."""
        return refusal_in_words(self.refusal)


@dataclass
class Consequences:
    """`complete` unless there are more rows than were looked at: then all numbers are at least."""

    requests: int = 0
    subjects: set[str] = field(default_factory=set)
    examples: list[Example] = field(default_factory=list)
    complete: bool = True

    @property
    def callers(self) -> int:
        """How many different subjects would get less."""
        return len(self.subjects)


def consequences_of(
    rows: Iterable[Issuance],
    old: Catalogue,
    new: Catalogue,
    policy: Policy,
    *,
    max_rows: int = MAX_ROWS,
    max_seconds: float = MAX_SECONDS,
) -> Consequences:
    """What the requests in `rows` got by `old` and would not get by `new`."""
    found = Consequences()
    deadline = time.monotonic() + max_seconds
    for count, row in enumerate(rows):
        if count >= max_rows or time.monotonic() > deadline:
            found.complete = False
            break
        if example := _loss(row, old, new, policy):
            found.requests += 1
            if row.subject not in found.subjects and len(found.examples) < MAX_EXAMPLES:
                found.examples.append(example)
            found.subjects.add(row.subject)
    return found


def _loss(row: Issuance, old: Catalogue, new: Catalogue, policy: Policy) -> Example | None:
    is_revoked = row.refusal == "licence_revoked"
    before, after = (
        decide_again(row, Facts(catalogue, is_revoked), policy) for catalogue in (old, new)
    )
    lost = _lost(before.granted, after.granted)
    if not lost and not _is_newly_refused(before, after):
        return None
    return Example(row.subject, lost, after.refusal.code if after.refusal else "")


def _is_newly_refused(before: Decision, after: Decision) -> bool:
    return before.refusal is None and after.refusal is not None


def _lost(before: Access, after: Access) -> str:
    """The access of `before` that is not in `after`, in words."""
    kept = {(part.type, part.name): part.actions for part in after}
    lost = ((part, part.actions - kept.get((part.type, part.name), frozenset())) for part in before)
    return "; ".join(
        f"{part.type}:{part.name}:{','.join(sorted(actions))}" for part, actions in lost if actions
    )


def rows_of(plans: Iterable[str], now: datetime) -> Iterator[Issuance]:
    """The rows of these plans' callers in the last 30 days; of each plan the newest first."""
    first = first_uuid7(now - PERIOD)
    for plan in plans:
        rows = Issuance.objects.filter(plan=plan, id__gte=first).order_by("-id")
        page = list(rows[:_PAGE])
        while page:
            yield from page
            page = list(rows.filter(id__lt=page[-1].id)[:_PAGE]) if len(page) == _PAGE else []
