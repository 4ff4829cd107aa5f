"""The parts of the audit benchmark: what it fills in, asks and judges. Asserts no times."""

from __future__ import annotations

from urllib.parse import parse_qsl, urlsplit

import pytest
from django.db import connection

from benchmarks import audit_questions
from benchmarks.audit_fill import RARE, TABLE, fill
from benchmarks.audit_load import Work
from benchmarks.audit_options import parse
from benchmarks.audit_pages import Timed
from benchmarks.audit_tables import Findings, problems, tables
from benchmarks.databases import Database, new_database
from benchmarks.server import Server
from issuances.finding.filters import IssuanceFilter

GOOD = Timed(0.02, 0.03, 200, 1000)
INDEXES = (
    "SELECT string_agg(indexdef, ' ' ORDER BY indexdef) FROM pg_indexes"
    f" WHERE tablename = '{TABLE}'"
)


def findings(small=GOOD, large=GOOD, *, work=(), inserts=(100.0, 95.0)) -> Findings:
    found = Findings(10, 1000)
    found.pages = {10: {"a page": small}, 1000: {"a page": large}}
    found.work = {10: [], 1000: list(work)}
    found.inserts = {"by themselves": list(inserts)}
    return found


@pytest.mark.parametrize(
    ("found", "said"),
    [
        (findings(), []),
        (findings(large=Timed(0.061, 0.1, 200, 1)), ["a page: 3.0 times as long"]),
        (findings(Timed(0.29, 1, 200, 1), Timed(0.31, 1, 200, 1)), ["a page: 310 ms"]),
        (findings(large=Timed(0.01, 1, 400, 1)), ["a page: answered 400"]),
        (findings(inserts=(100.0, 89.0)), ["inserting by themselves: 0.89 of the rate at 10 rows"]),
        (findings(work=[Work("export csv", 50_000, 1, 99)]), []),
        (findings(work=[Work("export csv", 49_000, 1, 99)]), ["export csv: 49,000 rows/s"]),
        (findings(work=[Work("export csv", 50_000, 1, 100)]), ["export csv: 100 MB"]),
        (findings(work=[Work("verify", 0, 1, 1, "no seals")]), ["verify: no seals"]),
    ],
    ids=["good", "factor", "slow", "error", "inserts", "export", "rate", "memory", "failed"],
)
def test_names_what_misses_its_target(found, said):
    assert problems(found) == said
    assert all(table.markdown() for table in tables(found))


def test_asks_only_what_the_filter_takes():
    asked = [
        *(audit_questions._FREQUENT, audit_questions._SCARCE, audit_questions._ABSENT),
        *audit_questions._in_a_month(),
    ]
    for values in asked:
        for name, value in values.items():
            assert IssuanceFilter({name: value}).is_valid(), (name, value)
    for together in audit_questions._TOGETHER:
        for question in audit_questions._both("", together):
            own = dict(parse_qsl(urlsplit(question.path).query))
            assert IssuanceFilter(own, others=("size",)).is_valid(), own


def test_reads_the_command_line():
    options = parse(["--rows", "200000", "--keep"])
    assert (options.rows, options.small, options.keep) == (200_000, 100_000, True)
    with pytest.raises(SystemExit):
        parse(["--rows", "100000"])


@pytest.mark.skipif(connection.vendor != "postgresql", reason="fills PostgreSQL")
def test_fills_a_year_with_what_is_rare_and_the_same_indexes(tmp_path):
    server = connection.settings_dict
    url = f"postgres://{server['USER']}@{server['HOST']}:{server['PORT'] or 5432}/postgres"
    with new_database("postgres", tmp_path, url) as database:
        Server(tmp_path / "x", Database("postgres", database.url)).manage("migrate", "-v", "0")
        before = database.value(INDEXES)
        fill(database.url, 2000)
        assert database.value(INDEXES) == before
        assert database.value(f"SELECT count(*) FROM {TABLE}") == 2000
        assert database.value(f"SELECT count(*) FROM {TABLE}_default") == 0
        rare = f"SELECT count(*) FROM {TABLE} WHERE subject = %s AND licence = %s"
        assert database.value(rare, RARE["subject"], RARE["licence"]) == 3
        months = f"SELECT count(DISTINCT date_trunc('month', created_at)) FROM {TABLE}"
        assert database.value(months) in (12, 13)
