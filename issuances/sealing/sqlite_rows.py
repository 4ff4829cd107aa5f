"""Rows on SQLite, which keeps any text, number or bytes wherever somebody puts it: what the service
never writes must not pass for what it does.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from uuid import UUID

from django.db import OperationalError, connection
from django.db.models import TextField
from django.db.models.functions import Cast

from issuances.encoding import FIELDS, line_of_values
from issuances.finding.filtered import Filtered
from issuances.finding.paging import rows_of
from issuances.identifiers import FIRST_ID, LAST_ID
from issuances.sealing.seal_files import without_twins


class Unreadable(Exception):
    """A row that the service cannot have written; the message says where."""


def lines_if_usual() -> Iterator[tuple[bytes, bytes]]:
    """SQLite keeps any text as an id or as JSON. Several are the same value to Python, but another
    one, or none, to who looks for it: of what was not written by the service there is no line.
    """
    texts = [Cast(name, TextField()) for name in ("id", "requested", "granted")]
    last: UUID | None = None
    try:
        for values in rows_of(Filtered(), columns=(*FIELDS[1:], *texts)):
            row, (row_id, *documents) = values[: len(FIELDS)], values[len(FIELDS) :]
            last = row[0]
            is_usual = row_id == last.hex and all(map(_has_no_twins, documents))
            yield last.bytes, line_of_values(row) if is_usual else b""
    except (ValueError, TypeError, OperationalError) as error:
        if isinstance(error, OperationalError) and "decode" not in str(error):
            raise  # the database's own trouble
        where = f"one of those after {last}" if last else "one of the first"
        raise Unreadable(
            f"a row, {where}, holds what the service never writes, and was altered or inserted;"
            f" what follows was not compared: {error}"
        ) from None


def odd_ids() -> str:
    """Rows that no range of ids has; "" when there are none."""
    sql = "SELECT count(*), min(quote(id)) FROM issuances_issuance WHERE id < %s OR id > %s"
    with connection.cursor() as cursor:
        cursor.execute(sql, [FIRST_ID.hex, LAST_ID.hex])
        number, first = cursor.fetchone()
    if not number:
        return ""
    return f"rows with no id that the service makes were inserted: {number}, the first {first}"


def _has_no_twins(document: str) -> bool:
    """Whether no object in it has a name twice."""
    try:
        json.loads(document, object_pairs_hook=without_twins)
    except ValueError:
        return False
    return True
