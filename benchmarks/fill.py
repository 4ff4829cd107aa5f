"""A large database by SQL in the server: revoked licences, and a year of the issuance log."""

from __future__ import annotations

import shutil
import sys
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import LiteralString

import psycopg

from benchmarks.callers import LICENCES, SUBJECTS
from tests.service import SERVICE

_CHUNK = 250_000  # rows
_YEAR = timedelta(days=365)
_BYTES_PER_ROW = 900  # with indexes, and some room for the write-ahead log

_REVOKED: LiteralString = """
INSERT INTO licences_revokedlicence (licence, key, reason, revoked_at)
SELECT 'REV-' || n, 'rev-' || n, 'not renewed', now() - n * interval '1 minute'
FROM generate_series(%(first)s::bigint, %(last)s) AS n
"""

# A few subjects, with their licences and plans, ask for most. One in 32 gets a refusal.
_ISSUANCES: LiteralString = """
INSERT INTO issuances_issuance (
    id, created_at, request_id, subject, client_id, tenant, plan, licence, service, requested,
    granted, jti, expires_at, refusal, catalogue_revision, caller_jti, remote_address, user_agent)
SELECT id, at, md5('request' || n), 'user-' || subject, 'ci', 'tenant-' || licence,
    'plan-' || lpad(plan::text, 3, '0'), 'LIC-' || lpad(licence::text, 4, '0'), %(service)s,
    access, CASE WHEN refused THEN '[]' ELSE access END,
    CASE WHEN NOT refused THEN id END,
    CASE WHEN NOT refused THEN at + interval '5 minutes' END,
    CASE WHEN refused THEN 'nothing_granted' ELSE '' END,
    1 + n / 100000, substr(md5('caller' || n), 1, 16), '10.0.' || plan %% 256 || '.7',
    'docker/27.3.1 go/go1.22.7 kernel/6.1.0 os/linux arch/amd64'
FROM (
    SELECT n, subject, subject %% %(licences)s AS licence,
        subject %% %(licences)s %% %(plans)s AS plan, n %% 32 = 0 AS refused,
        to_timestamp(ms / 1000.0) AS at,
        (lpad(to_hex(ms), 12, '0') || '7' || substr(hash, 1, 3) || 'a' || substr(hash, 4, 15))::uuid
            AS id,
        jsonb_build_array(jsonb_build_object(
            'type', 'repository', 'name', 'acme/app-' || subject, 'actions', '["pull"]'::jsonb))
            AS access
    FROM (
        SELECT n, md5(n::text) AS hash,
            (%(begin)s + n * %(step)s)::bigint AS ms,
            floor(%(subjects)s * power((hashint8(n) & 2147483647) / 2147483648.0, 2))::int
                AS subject
        FROM generate_series(%(first)s::bigint, %(last)s) AS n
    ) AS numbered
) AS decided
"""


@dataclass(frozen=True, slots=True)
class Filled:
    """What a large database holds, and what it takes."""

    revoked: int
    rows: int
    seconds: float
    size: str


def fill(url: str, *, revoked: int, rows: int, plans: int) -> Filled:
    """Add so many revoked licences and log rows. Raises RuntimeError when the disk is too small."""
    started = time.monotonic()
    with psycopg.connect(url, autocommit=True) as connection:
        require_space(connection, rows)
        connection.execute("SET synchronous_commit = off")
        for first, last in _chunks(revoked):
            connection.execute(_REVOKED, {"first": first, "last": last})
            _say(f"{last:,} of {revoked:,} revoked licences")
        times = _times(rows)
        names = {"service": SERVICE, "subjects": SUBJECTS, "licences": LICENCES, "plans": plans}
        for first, last in _chunks(rows):
            connection.execute(_ISSUANCES, {"first": first, "last": last} | times | names)
            _say(f"{last:,} of {rows:,} rows, {last / (time.monotonic() - started):,.0f}/s")
        _say("VACUUM ANALYZE, CHECKPOINT")
        connection.execute("VACUUM ANALYZE")
        connection.execute("CHECKPOINT")
        size = connection.execute("SELECT pg_size_pretty(pg_database_size(current_database()))")
        (shown,) = size.fetchone() or ("unknown",)
    return Filled(revoked, rows, time.monotonic() - started, shown)


def _chunks(total: int) -> list[tuple[int, int]]:
    return [(first, min(first + _CHUNK - 1, total)) for first in range(1, total + 1, _CHUNK)]


def _times(rows: int) -> dict[str, float]:
    """Milliseconds since 1970 of the first row, and from each to the next: up to an hour ago."""
    end = datetime.now(UTC) - timedelta(hours=1)
    year = _YEAR / timedelta(milliseconds=1)
    return {"begin": (end - _YEAR).timestamp() * 1000, "step": year / max(rows, 1)}


def require_space(connection: psycopg.Connection, rows: int) -> None:
    """RuntimeError when the server's disk cannot take so many more rows of the log."""
    found = connection.execute("SHOW data_directory").fetchone()
    folder = Path(found[0] if found else "/")
    if not folder.is_dir():
        return  # on another machine, or not for us to see
    free, needed = shutil.disk_usage(folder).free, rows * _BYTES_PER_ROW + 2 * 2**30
    if free < needed:
        raise RuntimeError(
            f"{rows:,} rows need about {needed / 2**30:.0f} GiB and {folder} has"
            f" {free / 2**30:.0f}; ask for fewer by --rows"
        )


def _say(text: str) -> None:
    sys.stderr.write(f"filling: {text}\n")
