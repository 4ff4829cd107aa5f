"""Each question of the log is answered from its own index, in the order of the rows."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from issuances.finding.access_paths import WAYS
from issuances.finding.filtered import Filtered
from issuances.finding.paging import page_of, rows_of
from issuances.finding.planning import uncompiled
from issuances.identifiers import FIRST_ID, LAST_ID
from tests.log_rows import resource, row, saved

pytestmark = pytest.mark.django_db

QUESTIONS = {
    "subject": ("alice", ["issuance_subject"]),
    "licence": ({"LIC-1", "lic-1"}, ["issuance_licence"] * 2),
    "plan": ("enterprise", ["issuance_plan"]),
    "service": ("registry.example.com", ["issuance_service"]),
    "request_id": ("same", ["issuance_request"]),
    "address": ("192.0.2.7", ["issuance_address"]),
    "revision": (1, ["issuance_revision"]),
    "client": ("ci", ["issuance_client"]),
    "tenant": ("acme", ["issuance_tenant"]),
    "reason": ("plan_unknown", ["issuance_outcome"]),
    "outcome": ("part", ["issuance_outcome"]),
    "action": ("delete", ["issuance_rare"]),
    "repository": (
        "acme/app",
        ["issuance_first_name", "issuance_second_name", "issuance_third_name", "issuance_more"],
    ),
}


def plan_of(rows: Any) -> str:
    """How the database reads these rows, as text."""
    if connection.vendor == "postgresql":
        return str(rows.explain(format="json"))
    return str(rows.explain())


@pytest.fixture
def log():
    """Rows of which most have what is asked for: where a planner is tempted to read them all."""
    requests = [[resource("acme/app", "pull", "delete")], [resource("x"), resource("acme/app")]]
    often = {"tenant": "acme", "request_id": "same"}
    outcomes: list[dict[str, Any]] = [{"refusal": "plan_unknown"}, {"granted": []}]
    licences = "LIC-1", "lic-1"
    saved(
        *(
            row(n, requested=requests[n % 2], licence=licences[n // 2 % 2], **outcome, **often)
            for n, outcome in enumerate(outcomes * 700)
        )
    )
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE issuances_issuance")


@pytest.mark.parametrize("descending", [True, False], ids=["newest first", "oldest first"])
@pytest.mark.parametrize("name", QUESTIONS)
def test_is_answered_from_its_index(log, name, descending):
    value, indexes = QUESTIONS[name]
    branches = WAYS[name].branches(value)
    assert branches is not None
    for branch, index in zip(branches, indexes, strict=True):
        rows = branch.rows(FIRST_ID, LAST_ID, descending=descending)[:50]
        plan = plan_of(rows)
        assert index in plan, plan
        assert "sort" not in plan.lower().replace("sort key", ""), plan
        assert "temp b-tree" not in plan.lower(), plan


def test_every_way_is_asked_here():
    assert set(QUESTIONS) == set(WAYS) - {"repository_prefix"}


@pytest.mark.skipif(connection.vendor != "postgresql", reason="nothing is compiled elsewhere")
@pytest.mark.django_db(transaction=True)
def test_no_time_is_lost_by_compiling_what_ends_soon():
    def jit():
        with connection.cursor() as cursor:
            cursor.execute("SHOW jit")
            return cursor.fetchone()[0]

    before = jit()
    with CaptureQueriesContext(connection) as queries:
        page_of(Filtered())
        list(rows_of(Filtered()))
    said = [query["sql"] for query in queries if "issuances_issuance" in query["sql"]]
    turned_off = [query for query in queries if query["sql"] == "SET LOCAL jit = off"]
    assert (len(said), len(turned_off)) == (3, 3)
    with uncompiled():
        assert jit() == "off"
    assert jit() == before
