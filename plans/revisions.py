"""Numbering the changes of the catalogue.

Every worker compares the newest number with the one it compiled its rules from, at each request.
So a change must never be visible without its number, and numbers must become visible in order:
content and number are written in one transaction, and the writers stand in line for the number.
"""

from __future__ import annotations

import getpass
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from django.db import models, transaction

from plans.differences import differences, effect_of
from plans.models import CatalogueRevision, Plan, PlanRule
from plans.snapshots import Snapshot, snapshot_as_of, take_snapshot


class Author(NamedTuple):
    """Who makes a change, from where and why, and the number that it gets."""

    actor: str
    source: str
    reason: str
    revision: int


@dataclass
class _Change:
    """The change that is being made: its author, and what has been touched so far."""

    actor: str
    source: str
    reason: str = ""
    touched: dict[str, None] = field(default_factory=dict)
    touches_plans: bool = False

    def note(self, instance: models.Model, verb: str) -> None:
        self.touched[f"{verb} {instance._meta.verbose_name} {instance}"] = None
        self.touches_plans |= isinstance(instance, (Plan, PlanRule))


_current: ContextVar[_Change | None] = ContextVar("current catalogue change", default=None)


@contextmanager
def catalogue_change(*, actor: str, source: str, reason: str = "") -> Iterator[None]:
    """Make all that happens inside one transaction and, if it touches anything, one revision.

    `actor` and `source` say who and from where; without a `reason` the revision names what was
    touched. Rolled back as a whole on any exception.
    """
    change = _Change(actor, source, reason)
    with transaction.atomic():
        _wait_for_turn()
        token = _current.set(change)
        try:
            yield
        finally:
            _current.reset(token)
        if change.touched:
            _append(change)


def author_of_change() -> Author:
    """Of the change that is being made; outside of one, of the newest revision by this process."""
    newest = _newest_number()
    if (change := _current.get()) is not None:
        return Author(change.actor, change.source, change.reason, _after(newest))
    return Author(process_user(), "code", "", newest or 0)


def note_bulk(text: str) -> None:
    """Name in the running change what was done past the signals, as by `bulk_create`."""
    change = _current.get()
    if change is None:
        raise RuntimeError("changes in bulk are made inside of catalogue_change")
    change.touched[text] = None


def note_change(instance: models.Model, created: bool | None = None, **_: Any) -> None:
    """Signal receiver: `instance`, a part of the catalogue, was saved, or deleted (`created` None).

    Outside of `catalogue_change` (in a shell, say) the change becomes a revision by itself, so
    that no worker goes on with outdated rules.
    """
    verb = {True: "added", False: "changed", None: "removed"}[created]
    if (change := _current.get()) is not None:
        change.note(instance, verb)
        return
    change = _Change(process_user(), "code")
    change.note(instance, verb)
    with transaction.atomic():
        _wait_for_turn()
        _append(change)


def process_user() -> str:
    """The name of the operating system's user, for changes made by a command."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return "unknown"


def _wait_for_turn() -> None:
    """All writers lock the same first row, so that each sees what the one before has committed.

    A database sequence would let a lower number appear after a higher one.
    """
    CatalogueRevision.objects.select_for_update().order_by("number").first()


def _newest_number() -> int | None:
    number: int | None = CatalogueRevision.objects.aggregate(n=models.Max("number"))["n"]
    return number


def _after(newest: int | None) -> int:
    return 0 if newest is None else newest + 1


def _append(change: _Change) -> None:
    last = _newest_number()
    snapshot = take_snapshot() if change.touches_plans else None
    CatalogueRevision.objects.create(
        number=_after(last),
        actor=change.actor,
        source=change.source,
        reason=change.reason or "; ".join(change.touched),
        changes=list(change.touched),
        snapshot=snapshot,
        effect=_effect(last, snapshot),
    )


def _effect(last: int | None, snapshot: Snapshot | None) -> str | None:
    """Whether access is wider or narrower than as of the revision before."""
    if last is None or snapshot is None:
        return None
    before = snapshot_as_of(last)
    return None if before is None else effect_of(differences(before, snapshot))
