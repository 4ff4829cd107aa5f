"""Liveness and readiness. Liveness touches nothing: a process is not healed by killing it while
its database is away. Readiness names what is missing."""

from __future__ import annotations

import functools
import logging
from collections.abc import Callable
from typing import Any

from django.db import Error as DatabaseError
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpRequest, HttpResponse, JsonResponse

from registry_token import database, log_size
from registry_token.authority_keys import key_source
from registry_token.errors import Unavailable, error_body, method_not_allowed
from registry_token.signing import SigningKeyError, signing_key

logger = logging.getLogger(__name__)


class NotReady(Exception):
    """One part is not ready; the message says why, without internals: anybody may ask."""


def healthz(request: HttpRequest) -> HttpResponse:
    """GET /healthz: 200 as long as the process answers."""
    if request.method not in ("GET", "HEAD"):
        return method_not_allowed(("GET", "HEAD"))
    return JsonResponse({"status": "ok"})


def readyz(request: HttpRequest) -> HttpResponse:
    """GET /readyz: 200 when tokens can be issued, else 503 with the failing parts."""
    if request.method not in ("GET", "HEAD"):
        return method_not_allowed(("GET", "HEAD"))
    parts = {name: _outcome(name, check) for name, check in _CHECKS}
    failing = [name for name, part in parts.items() if not part["ready"]]
    if "database" not in failing:
        parts["issuance_log"] = {"ready": True, **log_size.state()}  # no reason not to issue tokens
    if not failing:
        return JsonResponse({"status": "ready", "checks": parts})
    reasons = "; ".join(f"{name}: {parts[name]['error']}" for name in failing)
    body = error_body("UNAVAILABLE", f"not ready: {reasons}", {"failing": failing})
    return JsonResponse(
        {"status": "not ready", "checks": parts, **body}, status=503, headers={"Retry-After": "5"}
    )


def _outcome(name: str, check: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    try:
        return {"ready": True, **check()}
    except NotReady as error:
        return {"ready": False, "error": str(error)}
    except DatabaseError as error:
        logger.error("readiness of the %s: %s", name, error)
        return {"ready": False, "error": "the database does not answer"}


def _database() -> dict[str, Any]:
    try:
        database.fetch_one("SELECT 1", (), database.deadline())
    except Unavailable:
        raise NotReady("the database does not answer") from None
    return {}


@functools.cache
def _migrations() -> dict[str, Any]:
    """Remembered once all are applied (what is raised is not): reading their files is slow."""
    _database()
    with database.limited(database.deadline()):
        executor = MigrationExecutor(connection)
        missing = executor.migration_plan(executor.loader.graph.leaf_nodes())
    if missing:
        raise NotReady(f"{len(missing)} migrations are not applied; run manage.py migrate")
    return {}


def _signing_key() -> dict[str, Any]:
    try:
        key = signing_key()
    except SigningKeyError:
        raise NotReady("the signing key cannot be used; manage.py check says why") from None
    return {"kid": key.kid}


def _authority_keys() -> dict[str, Any]:
    status = key_source().status()
    if status.age is None:
        raise NotReady("the Authority's keys are out of reach")
    return {
        "key_ids": status.key_ids,
        "age_seconds": round(status.age),
        "kept_for_seconds": round(status.seconds_left or 0),
        "refreshed": not status.error,
    }


_CHECKS = (
    ("database", _database),
    ("migrations", _migrations),
    ("signing_key", _signing_key),
    ("authority_keys", _authority_keys),
)
