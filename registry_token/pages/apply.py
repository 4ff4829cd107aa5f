"""Applying what a person has seen: only while the catalogue is still the one they saw it of."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from django import forms
from django.contrib import admin
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from plans.catalogue import Revision, newest_revision
from plans.revisions import catalogue_change
from registry_token.catalogue_load import Difference

PLAN_CHANGES = ("plans.add_plan", "plans.change_plan", "plans.delete_plan")
LICENCE_CHANGES = (
    "licences.add_revokedlicence",
    "licences.change_revokedlicence",
    "licences.delete_revokedlicence",
)


class ReasonForm(forms.Form):
    """Why, and by which revision the differences were shown."""

    reason = forms.CharField(
        label=_("Reason"),
        max_length=500,
        help_text=_("Why this change is made, for the history: a ticket, a contract, a request."),
        error_messages={"required": _("Reason: write why this change is made.")},
    )
    seen = forms.CharField(widget=forms.HiddenInput)


def token_of(revision: Revision) -> str:
    """What a form carries to name the revision that was seen."""
    return f"{revision.number}-{revision.fingerprint}"


def apply_if_seen(
    request: HttpRequest, find: Callable[[], Iterable[Difference]], *, seen: str, reason: str
) -> bool:
    """Apply all differences as one revision; False when the catalogue is no longer as `seen`.

    Raises django.db.DatabaseError; then nothing is applied.
    """
    actor = request.user.get_username()
    with catalogue_change(actor=actor, source="admin", reason=reason):
        # In here nobody else changes the catalogue.
        if token_of(newest_revision()) != seen:
            return False
        for difference in list(find()):
            difference.apply()
    return True


def context_of(request: HttpRequest, title: object, **more: Any) -> dict[str, Any]:
    """What the template of a page of ours needs."""
    return admin.site.each_context(request) | {"title": title} | more
