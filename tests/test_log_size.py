"""The log's size and its default partition: told to who operates the service, and at no cost."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from issuances.keeping import sizes
from issuances.keeping.partitions import Month
from issuances.keeping.partitions_ahead import make_ahead
from issuances.models import Issuance
from registry_token import log_size
from tests.log_rows import issuance

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _nothing_remembered():
    log_size.forget()
    yield
    log_size.forget()


@pytest.fixture
def rows():
    now = timezone.now()
    made = [issuance(now - timedelta(minutes=number)) for number in range(50)]
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("ANALYZE issuances_issuance")
    return made


def test_the_number_of_rows_is_about_right(rows):
    empty_partitions = 500 if connection.vendor == "postgresql" else 0
    assert 50 <= sizes.estimated_rows() <= 50 + empty_partitions


def test_an_empty_log_has_about_no_rows():
    assert sizes.estimated_rows() <= 1000


def test_sqlite_leaves_out_what_has_been_pruned(rows):
    if connection.vendor == "postgresql":
        pytest.skip("PostgreSQL's planner knows better")
    Issuance.objects.filter(pk__in=[row.pk for row in rows[:20]]).delete()
    assert sizes.estimated_rows() == 30


def test_nothing_is_counted(rows):
    with CaptureQueriesContext(connection) as queries:
        log_size.state()
    assert not any("count(" in query["sql"].lower() for query in queries)


def warned(client):
    log_size.forget()
    detail = client.get("/readyz").json()["checks"]["issuance_log"]
    assert detail["ready"] is True
    return detail["warnings"]


def test_readyz_warns_as_the_log_nears_its_size(client, authority, rows, settings):
    settings.AUDIT_WARN_ROWS = 50
    (warning,) = warned(client)
    assert "audit.warn_rows is 50" in warning
    assert client.get("/readyz").status_code == 200
    settings.AUDIT_WARN_ROWS = 100_000
    assert warned(client) == []
    settings.AUDIT_WARN_ROWS = 0
    assert warned(client) == []


def test_the_warning_begins_at_four_fifths(settings):
    settings.AUDIT_WARN_ROWS = 1_000_000
    assert list(log_size._warnings(799_999, without_partition=False)) == []
    (warning,) = log_size._warnings(800_000, without_partition=False)
    assert "about 800,000 rows" in str(warning)


def test_the_first_page_warns_too(client_with, rows, settings):
    settings.AUDIT_WARN_ROWS = 50
    page = client_with("view_issuance").get("/admin/").content.decode()
    assert "audit.warn_rows is 50" in page
    assert "prune_issuances" in page


def test_those_who_may_not_see_the_log_see_no_warning(client_with, rows, settings):
    settings.AUDIT_WARN_ROWS = 50
    assert "audit.warn_rows" not in client_with("view_plan").get("/admin/").content.decode()


def test_the_answer_is_remembered(client, authority):
    client.get("/readyz")
    with CaptureQueriesContext(connection) as queries:
        client.get("/readyz")
    assert len(queries) == 1


def test_a_database_that_does_not_know_makes_nothing_fail(client, authority):
    client.get("/readyz")
    log_size.forget()
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE issuances_issuance RENAME TO elsewhere")
    try:
        response = client.get("/readyz")
    finally:
        with connection.cursor() as cursor:
            cursor.execute("ALTER TABLE elsewhere RENAME TO issuances_issuance")
    assert response.status_code == 200
    assert response.json()["checks"]["issuance_log"] == {
        "ready": True,
        "rows": None,
        "warnings": [],
    }


@pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite has no partitions")
def test_rows_without_a_partition_are_told(client, authority):
    ahead = Month.of(timezone.now()).after(3)
    make_ahead(timezone.now())
    assert warned(client) == []
    issuance(Month.of(timezone.now()).after(7).begins)
    assert warned(client) == []  # a clock was wrong: prune_issuances makes none so far ahead
    with connection.cursor() as cursor:
        cursor.execute(f"DROP TABLE issuances_issuance_y{ahead.year}m{ahead.number:02}")
    issuance(ahead.begins)
    (warning,) = warned(client)
    assert "no partition of their month" in warning
    make_ahead(timezone.now())
    assert warned(client) == []
