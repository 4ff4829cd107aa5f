"""Whether the issuance log needs an operator: it nears the size that was stated, rows of a month
have no partition, or no seal for a day. For /readyz and the admin's first page; neither counts
rows.
"""

from __future__ import annotations

import logging
import threading
import time
from datetime import UTC, datetime
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Warning
from django.db import Error, InterfaceError, OperationalError, connection
from django.utils.functional import Promise
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy

from issuances.keeping import sizes
from issuances.keeping.partitions_ahead import lacks_partitions
from registry_token import database, service_seals

logger = logging.getLogger(__name__)

NEAR = 0.8  # of audit.warn_rows
KEPT = 60.0  # seconds for which a process remembers
LIMIT = 0.5  # seconds that the database has for it

_lock = threading.Lock()
_remembered: tuple[float, dict[str, Any]] | None = None


def state() -> dict[str, Any]:
    """`rows` (an estimate; None when the database has none in time) and `warnings`, lazy texts."""
    global _remembered
    with _lock:
        if _remembered is None or time.monotonic() - _remembered[0] > KEPT:
            _remembered = (time.monotonic(), _found())
        return _remembered[1]


def forget() -> None:
    """Look again at the next question."""
    global _remembered
    _remembered = None


def messages() -> list[CheckMessage]:
    """The warnings as the first page shows them."""
    return [
        Warning(text, hint=str(_HINT), id="registry_token.W011") for text in state()["warnings"]
    ]


_HINT = gettext_lazy("See docs/audit.md: manage.py prune_issuances makes partitions and room.")
_TOO_LARGE = gettext_lazy(
    "the issuance log has about {rows} rows; audit.warn_rows is {most}: prune it, or raise the"
    " number if the disk has room"
)
_WITHOUT_PARTITION = gettext_lazy(
    "rows of the issuance log have no partition of their month: run manage.py prune_issuances once"
    " a month or more often"
)
_UNSEALED = gettext_lazy(
    "rows of the issuance log have waited for their seal for more than a day: see to the timer of"
    " manage.py seal_issuances"
)


def _found() -> dict[str, Any]:
    now = datetime.now(UTC)
    try:
        # Not by `database.attempt`: nothing here may close the gate for those who want a token.
        with database.limited(time.monotonic() + LIMIT):
            rows = sizes.estimated_rows()
            without_partition = lacks_partitions(now)
            unsealed = service_seals.is_overdue(now)
    except Error as error:
        logger.warning("the size of the issuance log is not known: %s", error)
        if isinstance(error, (OperationalError, InterfaceError)):
            connection.close()
        return {"rows": None, "warnings": []}
    return {"rows": rows, "warnings": _warnings(rows, without_partition, unsealed=unsealed)}


def _warnings(rows: int, without_partition: bool, *, unsealed: bool = False) -> list[Promise]:
    """In the language of who reads them: they are remembered for all."""
    most = settings.AUDIT_WARN_ROWS
    found: list[Promise] = []
    if most and rows >= NEAR * most:
        found.append(format_lazy(_TOO_LARGE, rows=f"{rows:,}", most=f"{most:,}"))
    if without_partition:
        found.append(_WITHOUT_PARTITION)
    if unsealed:
        found.append(_UNSEALED)
    return found
