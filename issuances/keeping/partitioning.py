"""Making the issuance log a partitioned table while it is being written to, and the way back.

Used by migration 0005 only. The old table becomes the first partition; no row is copied.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import connection

from issuances.briefly import briefly
from issuances.identifiers import time_of
from issuances.keeping.partitions import DEFAULT, TABLE, Month, is_partitioned, partitions
from issuances.keeping.partitions_ahead import make_ahead

FIRST = f"{TABLE}_first"
BOUND = f"{TABLE}_before"  # the constraint that saves the scan of the old table
FURTHEST = 12  # months by which the newest row may be ahead of the clock

_INDEXES = """
    SELECT c.relname, pg_get_indexdef(i.indexrelid) FROM pg_index i
    JOIN pg_class c ON c.oid = i.indexrelid
    WHERE i.indrelid = %s::regclass AND i.indisvalid AND NOT i.indisprimary ORDER BY c.relname
"""
_CHECKS = """
    SELECT conname, pg_get_constraintdef(oid) FROM pg_constraint
    WHERE conrelid = %s::regclass AND contype = 'c' AND conname <> %s
"""
_GRANTS = """
    SELECT format('GRANT %%s ON %%s TO %%s%%s', acl.privilege_type, %s,
        CASE WHEN acl.grantee = 0 THEN 'PUBLIC' ELSE acl.grantee::regrole::text END,
        CASE WHEN acl.is_grantable THEN ' WITH GRANT OPTION' ELSE '' END)
    FROM pg_class c, aclexplode(c.relacl) acl
    WHERE c.oid = %s::regclass AND acl.grantee <> c.relowner
"""
_OWNER = """
    SELECT format('ALTER TABLE %%s OWNER TO %%s', %s, relowner::regrole) FROM pg_class
    WHERE oid = %s::regclass AND relowner <> current_user::regrole
"""


def convert(now: datetime) -> None:
    """Partition the log. Can be repeated where it was interrupted.

    New rows wait a fraction of a second, once. Raises Busy, ValueError, django.db.Error.
    """
    if connection.vendor != "postgresql":
        return
    if not is_partitioned():
        end = _end_of_first(now)
        # Seen by all new rows from here on, by the old ones without keeping any from being written.
        briefly(lambda cursor: _bound(cursor, end))
        with connection.cursor() as cursor:
            cursor.execute(f"ALTER TABLE {TABLE} VALIDATE CONSTRAINT {BOUND}")
        briefly(lambda cursor: _put_above(cursor, end))
    make_ahead(now)


def _end_of_first(now: datetime) -> UUID:
    """The first of the month after next, so that none is written beyond it meanwhile."""
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT id FROM {TABLE} ORDER BY id DESC LIMIT 1")  # noqa: S608
        newest = cursor.fetchone()
    end = Month.of(now).after(2)
    if newest is None or newest[0] < Month.of(now).after().first_id:
        return end.first_id
    if newest[0] >= end.after(FURTHEST).first_id:
        raise ValueError(
            f"the newest row of {TABLE}, {newest[0]}, was written by a clock that was more than a"
            " year ahead; move it elsewhere by SQL, then migrate again"
        )
    return Month.of(time_of(newest[0])).after(2).first_id


def _bound(cursor: Any, end: UUID) -> None:
    cursor.execute(f"ALTER TABLE {TABLE} DROP CONSTRAINT IF EXISTS {BOUND}")
    cursor.execute(
        f"ALTER TABLE {TABLE} ADD CONSTRAINT {BOUND} CHECK (id < %s::uuid) NOT VALID", [str(end)]
    )


def _put_above(cursor: Any, end: UUID) -> None:
    """A partitioned table in the place of the old one, whose names its indexes take over."""
    cursor.execute(f"LOCK TABLE {TABLE} IN ACCESS EXCLUSIVE MODE")
    indexes = _rows(cursor, _INDEXES, TABLE)
    checks = _rows(cursor, _CHECKS, TABLE, BOUND)
    grants = _rows(cursor, _OWNER, TABLE, TABLE) + _rows(cursor, _GRANTS, TABLE, TABLE)
    cursor.execute(f"ALTER TABLE {TABLE} RENAME TO {FIRST}")
    for name, _ in [*indexes, (f"{TABLE}_pkey", "")]:
        cursor.execute(f'ALTER INDEX "{name}" RENAME TO "{_renamed(name)}"')
    cursor.execute(
        f"CREATE TABLE {TABLE} (LIKE {FIRST} INCLUDING DEFAULTS INCLUDING STORAGE,"
        f" CONSTRAINT {TABLE}_pkey PRIMARY KEY (id)) PARTITION BY RANGE (id)"
    )
    for name, definition in checks:
        cursor.execute(f'ALTER TABLE {TABLE} ADD CONSTRAINT "{name}" {definition}')
    for statement in [*(definition for _, definition in indexes), *(one for (one,) in grants)]:
        cursor.execute(statement)
    # Finds the equivalent of each index, and by the constraint that it need not look at the rows.
    attach = f"ALTER TABLE {TABLE} ATTACH PARTITION {FIRST} FOR VALUES FROM (MINVALUE) TO (%s)"
    cursor.execute(attach, [str(end)])
    cursor.execute(f"ALTER TABLE {FIRST} DROP CONSTRAINT {BOUND}")


def _renamed(index: str) -> str:
    return f"{index[:57]}_first"


def _rows(cursor: Any, sql: str, *parameters: str) -> list[tuple[Any, ...]]:
    cursor.execute(sql, parameters)
    rows: list[tuple[Any, ...]] = cursor.fetchall()
    return rows


_CHILD_INDEXES = """
    SELECT parent.relname, child.relname FROM pg_index i
    JOIN pg_inherits h ON h.inhrelid = i.indexrelid
    JOIN pg_class parent ON parent.oid = h.inhparent
    JOIN pg_class child ON child.oid = h.inhrelid WHERE i.indrelid = %s::regclass
"""


def revert() -> None:
    """One table again. Rows are copied into the largest partition: stop the service before."""
    if is_partitioned():
        briefly(_take_out, patient=True)


def _take_out(cursor: Any) -> None:
    cursor.execute(f"LOCK TABLE {TABLE} IN ACCESS EXCLUSIVE MODE")
    names = [one.name for one in partitions()] or [_empty(cursor)]
    cursor.execute(
        "SELECT name FROM unnest(%s::text[]) name ORDER BY pg_relation_size(name::regclass) DESC",
        [names],
    )
    largest = cursor.fetchone()[0]
    indexes = _rows(cursor, _CHILD_INDEXES, largest)
    grants = _rows(cursor, _OWNER, TABLE, TABLE) + _rows(cursor, _GRANTS, TABLE, TABLE)
    cursor.execute(f"ALTER TABLE {TABLE} DETACH PARTITION {largest}")
    cursor.execute(f"INSERT INTO {largest} SELECT * FROM {TABLE}")  # noqa: S608
    cursor.execute(f"DROP TABLE {TABLE}")
    cursor.execute(f"ALTER TABLE {largest} RENAME TO {TABLE}")
    for name, of_partition in indexes:
        cursor.execute(f'ALTER INDEX "{of_partition}" RENAME TO "{name}"')
    for (statement,) in grants:
        cursor.execute(statement)


def _empty(cursor: Any) -> str:
    cursor.execute(f"CREATE TABLE {DEFAULT} PARTITION OF {TABLE} DEFAULT")
    return DEFAULT
