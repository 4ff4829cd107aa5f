"""A change of the plans as a person confirms it: what it takes away, and what has to be typed."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

from django import forms
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

import plans.forms
from plans.catalogue import catalogue_of_snapshot, newest_revision
from plans.compared import shown
from plans.conflicts import digest
from plans.snapshots import Snapshot
from registry_token.consequences import Consequences, consequences_of, rows_of
from registry_token.exchange import policy

_NAMED = 3


@dataclass(frozen=True)
class PlansChange:
    """What the plans were and what they would be. `may_rename`: a name that goes can be one that
    is spelled otherwise now, as on a plan's own page, and need not be typed.
    """

    before: Snapshot
    after: Snapshot
    may_rename: bool = False

    @property
    def key(self) -> str:
        """Of this very change; another one if the catalogue has changed in between."""
        return digest([self.before, self.after])

    @property
    def touched(self) -> list[str]:
        """Names of the plans that would decide otherwise, or go."""
        after = [_deciding(entry) for entry in self.after]
        return [entry["name"] for entry in self.before if _deciding(entry) not in after]

    @property
    def ended(self) -> list[str]:
        """Names of the enabled plans that would be disabled or go."""
        now = _enabled(self.after)
        return [name for name in _enabled(self.before) if name not in now]

    @property
    def removed(self) -> list[str]:
        """Names of the plans that would go."""
        if self.may_rename and len(self.after) >= len(self.before):
            return []
        names = {entry["name"] for entry in self.after}
        return [entry["name"] for entry in self.before if entry["name"] not in names]

    @property
    def to_type(self) -> str:
        """What has to be typed: the name of the deleted plan, or the number of several."""
        gone = self.removed
        return "" if not gone else gone[0] if len(gone) == 1 else str(len(gone))

    @property
    def question(self) -> str:
        """The change in few words, as the title of its page."""
        if self.removed:
            return _question(_("Delete plan %s?"), _("Delete plans %s?"), self.removed)
        names = self.ended or self.touched
        if self.ended and len(self.after) == len(self.before) and not self._is_renamed:
            return _question(_("Disable plan %s?"), _("Disable plans %s?"), names)
        return _question(_("Change plan %s?"), _("Change plans %s?"), names)

    @property
    def _is_renamed(self) -> bool:
        return {entry["name"] for entry in self.before} != {entry["name"] for entry in self.after}

    @cached_property
    def found(self) -> Consequences:
        """What it means for the callers of the last 30 days. Raises django.db.DatabaseError."""
        revision = newest_revision()
        old, new = (catalogue_of_snapshot(plans, revision) for plans in (self.before, self.after))
        return consequences_of(rows_of(self.touched, timezone.now()), old, new, policy())

    @property
    def is_dangerous(self) -> bool:
        """Whether it ends a plan, or takes away what callers of the last 30 days got."""
        return bool(self.ended or self.removed or self.found.requests)

    def context(self) -> dict[str, Any]:
        """What a page shows of it."""
        return shown(self.before, self.after) | {"change": self, "found": self.found}


def _question(one: str, several: str, names: list[str]) -> str:
    named = ", ".join(names[:_NAMED])
    if more := len(names) - _NAMED if len(names) > _NAMED else 0:
        named += ngettext(" and %(n)s more", " and %(n)s more", more) % {"n": more}
    return (one if len(names) == 1 else several) % named


def _deciding(entry: dict[str, Any]) -> dict[str, Any]:
    return entry | {"description": ""}


def _enabled(snapshot: Snapshot) -> list[str]:
    return [entry["name"] for entry in snapshot if entry.get("enabled", True)]


class ConfirmationForm(plans.forms.ReasonForm):
    """Why, and for a deletion what is to be deleted."""

    typed = forms.CharField(required=False, strip=True)

    def __init__(self, change: PlansChange, data: Any = None, **options: Any) -> None:
        super().__init__(data, **options)
        self.change = change
        label = ngettext(
            "Type %(what)s to delete",
            "Type %(what)s, the number of plans, to delete them",
            len(change.removed),
        )
        self.fields["typed"].label = label % {"what": change.to_type}
        if not change.to_type:
            del self.fields["typed"]

    def clean_typed(self) -> str:
        """Exactly that."""
        typed: str = self.cleaned_data["typed"]
        if typed != self.change.to_type:
            raise forms.ValidationError(
                _("Type exactly %s, or go back to delete nothing") % self.change.to_type
            )
        return typed


class ApplyForm(ConfirmationForm):
    """The same below the differences, which a box says to have been read if something is lost.

    `seen` names the revision that they were shown of.
    """

    seen = forms.CharField(widget=forms.HiddenInput)
    agreed = forms.BooleanField(
        label=gettext_lazy("Yes, take this away from the callers named above"),
        error_messages={
            "required": gettext_lazy("Tick the box if this is wanted, or go back to change nothing")
        },
    )

    def __init__(self, change: PlansChange, data: Any = None, **options: Any) -> None:
        super().__init__(change, data, **options)
        if not change.is_dangerous:
            del self.fields["agreed"]
