"""What the activity log knows of the exports of the issuance log."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from people.models import Action, Activity
from registry_token.errors import NotFound
from registry_token.export_runs import OBJECT


@dataclass(slots=True)
class Made:
    """An export: when it began, who asked for what, and how it ended ("" if it has not)."""

    id: UUID
    begun: datetime | None
    actor: str
    wanted: str
    ended: str = ""
    how_far: str = ""
    has_manifest: bool = False


def manifest_of(export_id: UUID) -> dict[str, Any]:
    """The manifest of an export that has ended. Raises NotFound, django.db.Error."""
    newest = _rows().filter(object=f"{OBJECT} {export_id}").first()
    if newest is None:
        raise NotFound(f"there is no export {export_id}", reason="no_such_export")
    if not newest.document:
        raise NotFound(
            f"the export {export_id} is not complete: it runs still, or was broken off;"
            " export again, after its last whole row",
            reason="export_incomplete",
        )
    found: dict[str, Any] = json.loads(newest.document)
    return found


def newest_exports(number: int) -> list[Made]:
    """The newest ones, as far as the last `number` rows about exports tell.

    Raises django.db.Error.
    """
    made: dict[str, Made] = {}
    for row in _rows().filter(object__startswith=f"{OBJECT} ")[:number]:
        name, _, rest = row.detail.partition(": ")
        one = made.get(row.object)
        if one is None:
            export_id = UUID(row.object.removeprefix(f"{OBJECT} "))
            one = made[row.object] = Made(export_id, None, row.actor, rest.partition("; ")[2])
        if name == "begun":
            one.begun, one.wanted = row.at, rest
        else:
            one.ended, one.has_manifest = name, bool(row.document)
            one.how_far = rest.partition("; ")[0]
    return list(made.values())


def _rows() -> Any:
    return Activity.objects.filter(action=Action.EXPORTED)
