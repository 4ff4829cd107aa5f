"""Applying what a person has seen: only while the catalogue is still the one they saw it of."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from django.contrib import messages
from django.http import HttpRequest
from django.utils.translation import gettext as _

from plans.catalogue import Revision, newest_revision
from plans.revisions import catalogue_change
from plans.snapshots import Snapshot, take_snapshot
from registry_token.catalogue_load import Difference
from registry_token.pages.changes import ApplyForm, PlansChange

PLAN_CHANGES = ("plans.add_plan", "plans.change_plan", "plans.delete_plan")
LICENCE_CHANGES = (
    "licences.add_revokedlicence",
    "licences.change_revokedlicence",
    "licences.delete_revokedlicence",
)


def token_of(revision: Revision) -> str:
    """What a form carries to name the revision that was seen."""
    return f"{revision.number}-{revision.fingerprint}"


def form_of(request: HttpRequest, after: Callable[[], Snapshot], *, is_sent: bool) -> ApplyForm:
    """The form below the differences between the plans and what they would be `after`.

    As it was sent; a new one, and a warning, when it was sent from older differences.
    """
    seen = token_of(newest_revision())  # first, so that what is shown is never older
    change = PlansChange(take_snapshot(), after())
    if is_sent and request.POST.get("seen") == seen:
        return ApplyForm(change, request.POST)
    if is_sent:
        warn_of_change(request)
    return ApplyForm(change, initial={"seen": seen, "reason": request.POST.get("reason", "")})


def warn_of_change(request: HttpRequest) -> None:
    """Say why nothing was done."""
    messages.warning(request, _("Somebody changed the catalogue meanwhile. Look again."))


def apply_if_seen(
    request: HttpRequest, apply: Callable[[], object], *, seen: str, reason: str
) -> bool:
    """Call `apply` as one revision; False, and a warning, when the catalogue is not as `seen`.

    Raises django.db.DatabaseError; then nothing is applied.
    """
    actor = request.user.get_username()
    with catalogue_change(actor=actor, source="admin", reason=reason):
        # In here nobody else changes the catalogue.
        is_as_seen = token_of(newest_revision()) == seen
        if is_as_seen:
            apply()
    if not is_as_seen:
        warn_of_change(request)
    return is_as_seen


def apply_all(found: Iterable[Difference]) -> None:
    """All of them, looked for before the first is applied. Raises django.db.DatabaseError."""
    for difference in list(found):
        difference.apply()
