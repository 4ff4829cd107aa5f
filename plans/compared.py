"""Two revisions side by side, ready for a page."""

from __future__ import annotations

from typing import Any

from django.utils.html import format_html

from plans.differences import PlanDifference, differences, effect_of
from plans.models import CatalogueRevision
from plans.snapshots import Snapshot, snapshot_as_of

Effect = CatalogueRevision.Effect

# How much care a change deserves, as a colour beside its words.
_CLASSES = {Effect.WIDENED: "bad", Effect.NARROWED: "partly", Effect.BOTH: "bad"}


def effect_badge(effect: str | None) -> str | None:
    """The effect in words, made visible; None when it is not known."""
    if effect is None:
        return None
    known = Effect(effect)
    return format_html('<span class="badge {}">{}</span>', _CLASSES.get(known, ""), known.label)


def compared(before: int, after: int) -> dict[str, Any]:
    """What a page needs to tell revision `after` from `before`. Raises DatabaseError.

    `is_kept` is False when one of the two was not kept, as older versions did not.
    """
    first, second = snapshot_as_of(before), snapshot_as_of(after)
    context = {"before": before, "after": after, "has_plans": second is not None}
    if first is None or second is None:
        return context | {"is_kept": False}
    return context | {"is_kept": True} | shown(first, second)


def shown(before: Snapshot, after: Snapshot) -> dict[str, Any]:
    """The differences of two snapshots, with a badge for each plan and for all together."""
    found = differences(before, after)
    return {
        "plan_differences": [_with_badge(difference) for difference in found],
        "effect": effect_badge(effect_of(found)) if found else None,
    }


def _with_badge(difference: PlanDifference) -> dict[str, Any]:
    return {"plan": difference, "badge": effect_badge(difference.effect)}
