"""Rows of the issuance log made at will: time, caller and access as a test needs them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from issuances.identifiers import uuid7
from issuances.models import Issuance

BEGIN = datetime(2026, 3, 1, tzinfo=UTC)


def resource(name: str, *actions: str, kind: str = "repository") -> dict[str, Any]:
    """As a row holds one."""
    return {"type": kind, "name": name, "actions": sorted(actions)}


def row(seconds: float = 0, *, granted: Any = None, refusal: str = "", **fields: Any) -> Issuance:
    """An unsaved row, so long after BEGIN. All that it asks for is granted, or nothing."""
    at = BEGIN + timedelta(seconds=seconds)
    requested = fields.pop("requested", [resource("acme/app", "pull")])
    if granted is None:
        granted = [] if refusal else requested
    row_id = uuid7(at)
    defaults = {
        "request_id": row_id.hex,
        "subject": "alice",
        "client_id": "ci",
        "plan": "enterprise",
        "licence": "LIC-1",
        "service": "registry.example.com",
        "catalogue_revision": 1,
        "remote_address": "192.0.2.7",
    }
    return Issuance(
        id=row_id,
        created_at=at,
        requested=requested,
        granted=granted,
        refusal=refusal,
        jti=None if refusal else row_id,
        expires_at=None if refusal else at + timedelta(minutes=5),
        **(defaults | fields),
    )


def saved(*rows: Issuance) -> list[Issuance]:
    """The rows in the log, in this order."""
    return Issuance.objects.bulk_create(rows)


def issuance(at: datetime, **fields: Any) -> Issuance:
    """A row of that time in the log."""
    (stored,) = saved(row((at - BEGIN).total_seconds(), **fields))
    return stored
