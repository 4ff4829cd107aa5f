"""Recording a decision: one row of the issuance log, committed before anything is answered.

The insert also asks whether the facts still hold by which was decided. So a token costs one round
trip to the database, and a revocation or a changed rule counts from the next request on, whatever
a worker has in its memory.
"""

from __future__ import annotations

import functools
from contextlib import nullcontext
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from django.db import DataError, IntegrityError, connection, transaction

from issuances.models import Issuance
from licences.models import normalised
from plans.catalogue import Catalogue, Revision, catalogue_of, newest_known
from registry_token import database
from registry_token.access import AccessEntry
from registry_token.entitlement import Facts
from registry_token.errors import database_unavailable
from registry_token.group_commit import GroupCommit
from registry_token.logs import encoded

# The newest revision of the catalogue, and whether a licence is on the deny list. CURRENT_TIMESTAMP
# of SQLite is text in UTC to the second, a prefix of how Django stores a time.
_NEWEST = "(SELECT {} FROM plans_cataloguerevision ORDER BY number DESC LIMIT 1)"
_FINGERPRINT = f"COALESCE({_NEWEST.format('fingerprint')}, '')"
_REVOKED = (
    "EXISTS (SELECT 1 FROM licences_revokedlicence"
    " WHERE key = %s AND (until IS NULL OR until > CURRENT_TIMESTAMP))"
)
_FACTS = f"SELECT {_REVOKED}, {_FINGERPRINT}, COALESCE({_NEWEST.format('number')}, 0)"


class Row(NamedTuple):
    """A decision as the issuance log holds it; the fields of `Issuance` in their order."""

    id: UUID
    created_at: datetime
    request_id: str
    subject: str
    client_id: str
    tenant: str
    plan: str
    licence: str
    service: str
    requested: list[AccessEntry]
    granted: list[AccessEntry]
    jti: UUID | None
    expires_at: datetime | None
    refusal: str
    catalogue_revision: int
    caller_jti: str
    remote_address: str
    user_agent: str


class _Pending(NamedTuple):
    """A row that may be inserted if the facts still hold by which it was decided."""

    row: Row
    encoded_row: str
    fingerprint: str
    licence_key: str
    licence_revoked: bool
    until: float


_FIELDS = Issuance._meta.concrete_fields
_COLUMNS = ", ".join(str(field.column) for field in _FIELDS)
_INSERT = f"""
INSERT INTO issuances_issuance ({_COLUMNS}) SELECT {", ".join(["%s"] * len(_FIELDS))}
WHERE {_FINGERPRINT} = %s AND {_REVOKED} = %s
"""


def assumed_facts(until: float) -> Facts:
    """What was last known, for a caller whose licence is not revoked; `commit` finds out whether it
    still holds. Raises django.db.Error, Unavailable.
    """
    catalogue = newest_known()
    return read_facts(None, until) if catalogue is None else Facts(catalogue, licence_revoked=False)


def read_facts(licence: str | None, until: float | None = None) -> Facts:
    """The newest catalogue, and whether `licence` is revoked: one query, answered `until` then.

    Raises django.db.Error, Unavailable.
    """
    until = until or database.deadline()
    while True:
        row = database.fetch_one(_FACTS, [normalised(licence or "")], until)
        revision = Revision(row[2], row[1])
        catalogue = _catalogue_of(revision, until)
        if catalogue.revision == revision:  # else it has changed since; the deny list, too, perhaps
            return Facts(catalogue, bool(row[0]))


def _catalogue_of(revision: Revision, until: float) -> Catalogue:
    known = newest_known()
    if known is not None and known.revision == revision:
        return known
    return database.attempt(lambda _: _compiled(revision, until), until)


def _compiled(revision: Revision, until: float) -> Catalogue:
    try:
        with database.limited(until) as seconds:
            return catalogue_of(revision, seconds)
    except TimeoutError:
        raise database_unavailable() from None


def commit(row: Row, encoded_row: str, facts: Facts, until: float) -> bool:
    """Commit the row, also given as a JSON object, if `facts` still hold; whether they did. It may
    take `until` then.

    Raises django.db.Error, Unavailable.
    """
    fingerprint = facts.catalogue.revision.fingerprint
    licence_key = normalised(row.licence)
    return _commit_together(
        _Pending(row, encoded_row, fingerprint, licence_key, facts.licence_revoked, until)
    )


def _commit_all(pending: list[_Pending]) -> list[bool | Exception]:
    """For each row whether it was inserted, or why it could not be."""
    until = min(one.until for one in pending)
    return database.attempt(
        lambda again: _one_by_one(pending) if again else _at_once(pending), until
    )


_commit_together = GroupCommit(_commit_all)


def _at_once(pending: list[_Pending]) -> list[bool | Exception]:
    """In one transaction, if possible."""
    try:
        return list(_insert(pending))
    except (DataError, IntegrityError):
        if len(pending) == 1:
            raise
        return _one_by_one(pending)  # for one that cannot be stored the others must not suffer


def _one_by_one(pending: list[_Pending]) -> list[bool | Exception]:
    """Some of them may have been committed already, before a connection was lost."""
    results: list[bool | Exception] = []
    for one in pending:
        try:
            results += _insert([one])
        except IntegrityError as error:
            with database.limited(one.until):
                was_committed = Issuance.objects.filter(id=one.row.id).exists()
            results.append(was_committed or error)
        except DataError as error:
            results.append(error)
    return results


def _insert(pending: list[_Pending]) -> list[bool]:
    if connection.vendor == "postgresql":
        document = f"[{','.join(map(_json, pending))}]"
        until = min(one.until for one in pending)
        inserted = database.ask_postgres(_insert_of_json(), document, until)
        return [str(one.row.id) in inserted for one in pending]
    with transaction.atomic() if len(pending) > 1 else nullcontext():
        return [
            database.execute(_INSERT, _values(one), lambda cursor: bool(cursor.rowcount))
            for one in pending
        ]


def _values(one: _Pending) -> list[Any]:
    """The parameters of `_INSERT`."""
    prepared = [
        field.get_db_prep_save(value, connection)
        for field, value in zip(_FIELDS, one.row, strict=True)
    ]
    return [*prepared, one.fingerprint, one.licence_key, one.licence_revoked]


@functools.cache
def _insert_of_json() -> str:
    """The insert of any number of rows, all of them in one parameter: PostgreSQL reads it faster
    than the driver could quote each value.
    """
    columns = ", ".join(f"{field.column} {field.db_type(connection)}" for field in _FIELDS)
    facts = "_fingerprint text, _licence_key text, _licence_revoked boolean"
    revoked = _REVOKED.replace("%s", "_licence_key")
    return f"""
        INSERT INTO issuances_issuance ({_COLUMNS}) SELECT {_COLUMNS}
        FROM json_to_recordset(%s) AS decided({columns}, {facts})
        WHERE {_FINGERPRINT} = _fingerprint AND {revoked} = _licence_revoked
        RETURNING id
    """  # noqa: S608


def _json(one: _Pending) -> str:
    """A row as `_insert_of_json` reads it."""
    facts = {
        "_fingerprint": one.fingerprint,
        "_licence_key": one.licence_key,
        "_licence_revoked": one.licence_revoked,
    }
    return f"{one.encoded_row[:-1]}, {encoded(facts)[1:]}"
