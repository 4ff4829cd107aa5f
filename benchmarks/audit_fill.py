"""A log to search in: a year of realistic rows by SQL in the server, the same for the same seed.

Few callers ask for most; days have their busy hours. Rare things are planted at known places, so
that there is something to look for that no short look meets.
"""

from __future__ import annotations

import sys
import time
from datetime import UTC, datetime, timedelta
from typing import LiteralString

import psycopg
from psycopg import sql

from benchmarks.fill import require_space
from issuances.identifiers import first_uuid7

_CHUNK = 500_000  # rows
_YEAR = timedelta(days=365)
TABLE = "issuances_issuance"

# Values that no other row has. Their rows are at a quarter, at half and at three quarters.
RARE = {
    "subject": "rare-subject",
    "client": "rare-client",
    "licence": "LIC-RARE",
    "tenant": "rare-tenant",
    "plan": "rare-plan",
    "repository": "rare/team/app",
    "address": "203.0.113.9",
    "request_id": "rare-request",
}

_ROWS: LiteralString = """
INSERT INTO issuances_issuance (
    id, created_at, request_id, subject, client_id, tenant, plan, licence, service, requested,
    granted, jti, expires_at, refusal, catalogue_revision, caller_jti, remote_address, user_agent)
SELECT id, at,
    CASE WHEN rare THEN 'rare-request' ELSE md5('request' || n) END,
    CASE WHEN rare THEN 'rare-subject' ELSE 'user-' || caller END,
    CASE WHEN rare THEN 'rare-client' WHEN caller %% 5 = 0 THEN '' ELSE 'ci-' || caller %% 30 END,
    CASE WHEN rare THEN 'rare-tenant' WHEN licence = 0 THEN ''
        ELSE 'tenant-' || licence %% 1500 END,
    CASE WHEN rare THEN 'rare-plan' ELSE 'plan-' || licence %% 40 END,
    CASE WHEN rare THEN 'LIC-RARE' WHEN licence = 0 THEN ''
        ELSE 'LIC-' || lpad(licence::text, 4, '0') END,
    CASE WHEN caller %% 20 = 7 THEN 'mirror.example.com' ELSE 'registry.example.com' END,
    requested,
    CASE WHEN refusal <> '' THEN '[]' WHEN part THEN jsonb_build_array(first) ELSE requested END,
    CASE WHEN refusal = '' THEN id END,
    CASE WHEN refusal = '' THEN at + interval '5 minutes' END,
    refusal, 1 + n * 300 / %(rows)s, substr(md5('caller' || n), 1, 16),
    CASE WHEN rare THEN '203.0.113.9'
        WHEN h1 %% 100000 = 1 THEN '198.51.' || h2 %% 251 || '.' || n %% 251
        ELSE '10.' || caller %% 8 || '.' || caller %% 250 || '.7' END,
    'docker/27.3.1 go/go1.22.7 kernel/6.1.0 os/linux arch/amd64'
FROM (
    SELECT *, CASE WHEN h1 %% 1000 < 20 THEN 'nothing_granted' WHEN h1 %% 1000 < 24
        THEN 'licence_revoked' WHEN h1 %% 10000 = 240 THEN 'plan_unknown'
        WHEN h1 %% 100000 = 2500 THEN 'insufficient_scope' ELSE '' END AS refusal,
        to_timestamp(ms / 1000.0) AS at,
        CASE WHEN rare THEN jsonb_build_array(jsonb_build_object(
            'type', 'repository', 'name', 'rare/team/app', 'actions', '["pull"]'::jsonb))
        WHEN h2 %% 100 < 95 AND NOT part THEN jsonb_build_array(first)
        WHEN h2 %% 1000 < 995 THEN jsonb_build_array(first, second)
        ELSE jsonb_build_array(first, second, third) END AS requested,
        (lpad(to_hex(ms), 12, '0') || '7' || substr(hash, 1, 3) || 'a' || substr(hash, 4, 15))::uuid
            AS id
    FROM (
        SELECT *, caller %% 3000 AS licence,
            h1 %% 1000 BETWEEN 100 AND 114 AND NOT rare AS part,
            jsonb_build_object('type', 'repository', 'name', 'team-' || caller %% 400 || '/project-'
                || h3 %% 12 || '/app-' || h2 %% 3, 'actions',
                CASE WHEN h3 %% 20000 = 3 THEN '["delete"]'::jsonb
                WHEN h3 %% 50000 = 4 THEN '["*"]'::jsonb
                WHEN h3 %% 10 < 2 THEN '["pull", "push"]'::jsonb
                ELSE '["pull"]'::jsonb END) AS first,
            jsonb_build_object('type', 'repository', 'name', 'library/base-' || h3 %% 40,
                'actions', '["pull"]'::jsonb) AS second,
            jsonb_build_object('type', 'repository', 'name', 'shared/tools-' || h2 %% 90,
                'actions', '["pull"]'::jsonb) AS third,
            -- An hour of the day is up to five times as busy as another one.
            (%(begin)s + n * %(step)s
                + 9e6 * sin(2 * pi() * n * %(step)s / 86400000))::bigint AS ms
        FROM (
            SELECT n, md5(n::text || %(seed)s) AS hash,
                n IN (%(rows)s / 4, %(rows)s / 2, %(rows)s * 3 / 4) AS rare,
                hashint8extended(n, 1 + %(seed)s) & 2147483647 AS h1,
                hashint8extended(n, 2 + %(seed)s) & 2147483647 AS h2,
                hashint8extended(n, 3 + %(seed)s) & 2147483647 AS h3,
                floor(20000 * power((hashint8extended(n, 4 + %(seed)s) & 2147483647)
                    / 2147483648.0, 3))::int AS caller
            FROM generate_series(%(first)s::bigint, %(last)s) AS n
        ) AS numbered
    ) AS called
) AS decided
"""


def fill(url: str, rows: int, *, seed: int = 1) -> float:
    """So many rows into a log that is empty, in partitions by month; the seconds that it took.

    RuntimeError when the disk is too small.
    """
    started = time.monotonic()
    end = datetime.now(UTC) - timedelta(minutes=5)
    given = {
        "rows": rows,
        "seed": seed,
        "begin": (end - _YEAR).timestamp() * 1000,
        "step": _YEAR / timedelta(milliseconds=1) / rows,
    }
    with psycopg.connect(url, autocommit=True) as connection:
        require_space(connection, rows)
        connection.execute("SET synchronous_commit = off")
        connection.execute("SET maintenance_work_mem = '512MB'")
        _make_partitions(connection, end)
        indexes = _drop_indexes(connection)
        for first in range(1, rows + 1, _CHUNK):
            last = min(first + _CHUNK - 1, rows)
            connection.execute(_ROWS, given | {"first": first, "last": last})
            _say(f"{last:,} of {rows:,} rows, {last / (time.monotonic() - started):,.0f}/s")
        for name, definition in indexes:
            connection.execute(definition.encode())
            _say(f"{name}, {time.monotonic() - started:,.0f} s")
        connection.execute("VACUUM ANALYZE")
        connection.execute("CHECKPOINT")
    return time.monotonic() - started


def _make_partitions(connection: psycopg.Connection, end: datetime) -> None:
    """The months of the past, as they are after a year; the migration makes those to come."""
    connection.execute("DROP TABLE IF EXISTS issuances_issuance_first")
    month = (end - _YEAR - timedelta(days=1)).replace(day=1, hour=0, minute=0, second=0)
    month = month.replace(microsecond=0)
    while month <= end + timedelta(days=62):
        following = (month + timedelta(days=32)).replace(day=1)
        connection.execute(
            sql.SQL(
                "CREATE TABLE IF NOT EXISTS {} PARTITION OF {} FOR VALUES FROM ({}) TO ({})"
            ).format(
                sql.Identifier(f"{TABLE}_y{month:%Y}m{month:%m}"),
                sql.Identifier(TABLE),
                *(sql.Literal(str(first_uuid7(edge))) for edge in (month, following)),
            )
        )
        month = following


def _drop_indexes(connection: psycopg.Connection) -> list[tuple[str, str]]:
    """All but the primary key; they are made again when the rows are there."""
    found = connection.execute(
        "SELECT relname, pg_get_indexdef(indexrelid) FROM pg_index"
        " JOIN pg_class ON oid = indexrelid WHERE indrelid = %s::regclass AND NOT indisprimary",
        [TABLE],
    ).fetchall()
    for name, _definition in found:
        connection.execute(sql.SQL("DROP INDEX {}").format(sql.Identifier(name)))
    return [(name, definition.replace(" ON ONLY ", " ON ")) for name, definition in found]


def _say(text: str) -> None:
    sys.stderr.write(f"filling: {text}\n")
