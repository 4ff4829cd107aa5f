"""What an auditor asks, as paths of pages and of the API: each field by a frequent, a rare and an
absent value, and several fields together.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from urllib.parse import urlencode

from benchmarks.audit_client import Auditor
from benchmarks.audit_fill import RARE, TABLE
from benchmarks.databases import Database

LIST, API = "/admin/issuances/issuance/", "/api/v1/issuances"
SIZE = 50  # rows of a page
DEEP = 1_000  # pages
_PERIODS = ("24h", "48h", "7d", "30d", "90d", "1y")
_FREQUENT = {
    "subject": "user-0",
    "client": "ci-1",
    "licence": "LIC-0001",
    "tenant": "tenant-1",
    "plan": "plan-1",
    "service": "registry.example.com",
    "repository": "team-0/project-11/app-0",
    "repository_prefix": "team-1/",
    "action": "pull",
    "address": "10.0.0.7",
    "reason": "nothing_granted",
    "outcome": "granted",
    "revision": "300",
    "since": "30d",
}
_SCARCE = RARE | {
    "repository_prefix": "rare/",
    "action": "*",
    "reason": "insufficient_scope",
    "outcome": "part",
    "service": "mirror.example.com",
    "revision": "1",
    "since": "1h",
}
_ABSENT = dict.fromkeys(
    ("subject", "client", "licence", "tenant", "plan", "service", "repository"), "absent"
) | {
    "repository_prefix": "absent/",
    "action": "absent",
    "address": "192.0.2.99",
    "request_id": "absent",
    "reason": "licence_required",
    "revision": "999999",
    "jti": "01932f5b-1c2d-7a3e-9f00-2b4c6d8e0f12",
}
_SCARCE_TOGETHER = {"service": "registry.example.com", "client": "ci-1", "tenant": "tenant-2"}
_TOGETHER: tuple[dict[str, str], ...] = (
    {"subject": "user-0", "outcome": "refused"},
    {"subject": "user-0", "action": "delete"},
    {"subject": "user-0", "licence": "LIC-RARE"},
    {"licence": "LIC-0001", "repository": "rare/team/app"},
    {"plan": "plan-1", "action": "delete"},
    {"plan": "plan-1", "address": "192.0.2.99"},
    {"service": "mirror.example.com", "reason": "insufficient_scope"},
    _SCARCE_TOGETHER,
    {"repository_prefix": "team-", "action": "push"},
    {"repository_prefix": "team-1/", "action": "*"},
    {"action": "push", "compare": "granted", "outcome": "part"},
    {"action": "delete", "compare": "granted"},
    {"outcome": "granted", "plan": "plan-1", "service": "mirror.example.com"},
    {"outcome": "part", "subject": "rare-subject"},
    {"reason": "nothing_granted", "plan": "plan-39", "client": "ci-29"},
    {"client": "ci-1", "action": "*", "service": "mirror.example.com"},
    {"tenant": "tenant-1", "repository": "library/base-1"},
)


@dataclass(frozen=True, slots=True)
class Question:
    """A name for the report, and the path; with `pasted` what is put into the search box."""

    name: str
    path: str
    pasted: str = ""
    goes_on: bool = False  # with a search that ran out of time, which then may take longer


def questions(auditor: Auditor, database: Database) -> Iterator[Question]:
    """All of them, for this database."""
    yield from _pages(auditor, database)
    yield Question("seals", "/admin/seals/")
    yield Question("exports", "/admin/issuances/issuance/exports/")
    yield Question("failed authentications", "/admin/failed-authentications/")
    yield Question("first pushes, 30d", "/admin/issuances/issuance/first-pushes/?since=30d")
    for period in _PERIODS:
        yield Question(f"dashboard {period}", f"/admin/dashboard/?period={period}")
    for how, values in (("frequent", _FREQUENT), ("rare", _SCARCE), ("absent", _ABSENT)):
        for name, value in values.items():
            yield from _both(f"{name}, {how}", {name: value})
    for given in (*_TOGETHER, *_in_a_month()):
        yield from _both(" & ".join(f"{name}={value}" for name, value in given.items()), given)
    yield from _going_on(_row(database))
    for name in ("request_id", "licence", "address", "subject"):
        yield Question(f"pasted {name}, rare", f"{LIST}find/", RARE[name])


def _pages(auditor: Auditor, database: Database) -> Iterator[Question]:
    yield Question("overview", "/admin/")
    yield Question("first page", LIST)
    yield Question("first page, API", f"{API}?size={SIZE}")
    deep = _before_page(auditor, DEEP)
    yield Question(f"page {DEEP}", f"{LIST}?before={deep}")
    yield Question(f"page {DEEP}, API", f"{API}?size={SIZE}&before={deep}")
    half_a_year_ago = datetime.now(UTC) - timedelta(days=183)
    yield Question("jump to half a year ago", f"{LIST}?{urlencode({'before': _row(database)})}")
    yield from _both("until half a year ago", {"until": f"{half_a_year_ago:%Y-%m-%dT%H:%M:%SZ}"})
    rows = {
        "row page, granted": _row(database, "refusal = ''"),
        "row page, refused": _row(database, "refusal <> ''"),
        "row page, rare": _row(database, "subject = 'rare-subject'"),
    }
    for name, row_id in rows.items():
        yield Question(name, f"{LIST}{row_id}/change/")
        yield Question(f"{name}, API", f"{API}/{row_id}")
    yield from _both("jti", {"jti": rows["row page, rare"]})
    yield Question("pasted jti", f"{LIST}find/", rows["row page, granted"])


def _going_on(row_id: str) -> Iterator[Question]:
    """*Search further*, from half a year ago."""
    for given in (_SCARCE_TOGETHER, {"action": "absent"}):
        query = urlencode(given | {"before": row_id})
        name = " & ".join(f"{name}={value}" for name, value in given.items())
        yield Question(f"search further, {name}", f"{LIST}?{query}", goes_on=True)


def _both(name: str, given: dict[str, str]) -> Iterator[Question]:
    """The page, and the same by the API."""
    query = urlencode(given)
    yield Question(name, f"{LIST}?{query}")
    yield Question(f"{name}, API", f"{API}?size={SIZE}&{query}")


def _in_a_month() -> Iterator[dict[str, str]]:
    begin = (datetime.now(UTC) - timedelta(days=200)).replace(day=1)
    month = {
        "from": f"{begin:%Y-%m-%d}",
        "until": f"{(begin + timedelta(days=32)).replace(day=1):%Y-%m-%d}",
    }
    yield month
    yield month | {"outcome": "refused"}
    yield month | {"subject": "user-0", "action": "push"}
    yield month | {"plan": "plan-1", "outcome": "part"}
    yield month | {"licence": "absent"}


def _before_page(auditor: Auditor, number: int) -> str:
    """By the cursor from page to page; so many rows have to be there."""
    path: str | None = f"{API}?size={SIZE}"
    for _ in range(number - 1):
        older = auditor.json(path)["older"] if path else None
        if older is None:
            raise RuntimeError(f"the log has fewer than {number * SIZE:,} rows")
        path = older[older.index("/api/") :]
    assert path is not None
    return path.rpartition("before=")[2].partition("&")[0]


def _row(database: Database, condition: str = "true") -> str:
    """The newest of the rows that are half a year old."""
    half_a_year_ago = datetime.now(UTC) - timedelta(days=170)
    found = database.value(
        f"SELECT id FROM {TABLE} WHERE {condition} AND created_at < %s ORDER BY id DESC LIMIT 1",
        half_a_year_ago,
    )
    return str(found)
