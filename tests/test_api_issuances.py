"""GET /api/v1/issuances and below, in process: who may ask, pages, rows, errors."""

from __future__ import annotations

from uuid import UUID, uuid4

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from issuances.encoding import fields_of
from issuances.models import Issuance
from people.models import Activity
from tests.log_rows import row, saved

pytestmark = pytest.mark.django_db

LOG = "/api/v1/issuances"
EXPORT = f"{LOG}/export"
AUDIT = "registry.audit.read"


@pytest.fixture
def ask(client, authority):
    """Ask with an access token of these OAuth scopes."""

    def ask(path=LOG, query=None, scope=AUDIT, method="get"):
        headers = {"Authorization": f"Bearer {authority.token(scope=scope)}"}
        return getattr(client, method)(path, query, headers=headers)

    return ask


def error(response, status, code):
    assert response.status_code == status, response.content
    assert response["Content-Type"] == "application/json"
    assert response["Cache-Control"] == "no-store"
    (found,) = response.json()["errors"]
    assert found["code"] == code
    return found


def ids(response):
    return [UUID(found["id"]) for found in response.json()["results"]]


def paths(one):
    return (LOG, f"{LOG}/{one.id}", f"{LOG}/{one.id}/proof", EXPORT, f"{LOG}/exports/{uuid4()}")


def test_rows_are_the_newest_first_with_all_fields(ask):
    rows = saved(row(0), row(1, refusal="plan_unknown"))
    response = ask()
    assert response.status_code == 200
    assert response["Cache-Control"] == "no-store"
    page = response.json()
    assert page["results"] == [fields_of(one) for one in rows[::-1]]
    assert {page[name] for name in page if name != "results"} == {None}


def test_pages_follow_each_other_both_ways(ask, client, authority):
    rows = saved(*(row(second) for second in range(7)))
    headers = {"Authorization": f"Bearer {authority.token(scope=AUDIT)}"}
    response, seen = ask(query={"size": "3"}), []
    while True:
        seen += ids(response)
        if (older := response.json()["older"]) is None:
            break
        response = client.get(older, headers=headers)
    assert seen == [one.id for one in rows[::-1]]
    newer = client.get(response.json()["newer"], headers=headers)
    assert ids(newer) == [one.id for one in rows[3:0:-1]]
    assert "size=3" in newer.json()["older"]


@pytest.mark.parametrize(
    ("query", "seconds"),
    [
        ({"outcome": "refused"}, [1]),
        ({"reason": "plan_unknown"}, [1]),
        ({"subject": "bob"}, [2]),
        ({"from": "2026-03-01T00:00:01Z", "until": "2026-03-01T00:00:02Z"}, [1]),
        ({"plan": "enterprise", "subject": "alice"}, [1, 0]),
        ({"plan": ""}, [2, 1, 0]),
    ],
    ids=str,
)
def test_the_filter_is_the_one_of_the_page(ask, query, seconds):
    rows = saved(row(0), row(1, refusal="plan_unknown"), row(2, subject="bob"))
    assert ids(ask(query=query)) == [rows[second].id for second in seconds]


MALFORMED = {
    "unknown parameter": ("plam=a", "unknown parameter plam; the parameters are outcome"),
    "a filter": ("address=x", "address: write an IP address such as 192.0.2.7"),
    "twice": ("plan=a&plan=b", "plan: give it once"),
    "nul": ("plan=a%00", "plan: "),
    "before": ("before=x", "before must be one such as 0193"),
    "both sides": (f"before={uuid4()}&after={uuid4()}", "give either before or after"),
    "a cursor twice": ("after=a&after=b", "after is given 2 times; give it once"),
    "size": ("size=1001", "size must be a number of rows from 1 to 1000"),
    "no size": ("size=0", "size must be a number of rows from 1 to 1000"),
    "size in other digits": ("size=%D9%A3", "size must be"),
}
MALFORMED_EXPORT = {
    "unknown parameter": ("size=5", "unknown parameter size"),
    "a filter": ("since=1y", "since: write one of 1h, 24h, 7d, 30d"),
    "a format": ("format=xls", "format must be one of ndjson, csv"),
    "after": ("after=1", "after must be one such as 0193"),
}


@pytest.mark.parametrize(("query", "message"), MALFORMED.values(), ids=MALFORMED)
def test_says_what_is_wrong_with_the_question(ask, query, message):
    assert message in error(ask(f"{LOG}?{query}"), 400, "UNSUPPORTED")["message"]


@pytest.mark.parametrize(("query", "message"), MALFORMED_EXPORT.values(), ids=MALFORMED_EXPORT)
def test_says_what_is_wrong_with_an_export_before_it_begins(ask, query, message):
    assert message in error(ask(f"{EXPORT}?{query}"), 400, "UNSUPPORTED")["message"]
    assert not Activity.objects.exists()


def test_a_row_by_its_id(ask):
    (one, _) = saved(row(0), row(1))
    assert ask(f"{LOG}/{one.id}").json() == fields_of(one)
    assert ask(f"{LOG}/{str(one.id).upper()}").status_code == 200


def test_a_row_that_is_not_there(ask):
    missing = uuid4()
    found = error(ask(f"{LOG}/{missing}"), 404, "UNSUPPORTED")
    assert found["detail"] == {"reason": "no_such_row"}
    assert str(missing) in found["message"]
    assert "id must be one such as" in error(ask(f"{LOG}/x"), 400, "UNSUPPORTED")["message"]


def test_strangers_are_told_how_to_authenticate(client):
    for path in paths(row()):
        response = client.get(path)
        error(response, 401, "UNAUTHORIZED")
        assert response["WWW-Authenticate"].startswith("Bearer ")


def test_a_token_needs_the_scope(ask):
    for path in paths(row()):
        found = error(ask(path, scope="registry.catalogue.read"), 403, "DENIED")
        assert AUDIT in found["message"]


@pytest.mark.parametrize(
    ("permissions", "statuses"),
    [
        ((), (403, 403, 403, 403, 403)),
        (("view_issuance",), (200, 200, 404, 403, 403)),
        (("export_issuance",), (403, 403, 403, 200, 404)),
    ],
    ids=str,
)
def test_people_need_the_permission(client_with, permissions, statuses):
    (one,) = saved(row())
    client = client_with(*permissions)
    assert tuple(client.get(path).status_code for path in paths(one)) == statuses


@pytest.mark.parametrize("path", [LOG, EXPORT])
def test_head_tells_what_get_would_and_begins_nothing(ask, path):
    saved(row())
    response = ask(path, method="head")
    assert (response.status_code, response.content) == (200, b"")
    assert response["Cache-Control"] == "no-store"
    assert not Activity.objects.exists()


@pytest.mark.parametrize("method", ["post", "put", "patch", "delete", "options"])
def test_only_reads(ask, method):
    for path in paths(row()):
        response = ask(path, method=method)
        error(response, 405, "UNSUPPORTED")
        assert response["Allow"] == "GET, HEAD"


def test_a_page_counts_nothing_and_skips_nothing(ask):
    saved(*(row(second) for second in range(5)))
    with CaptureQueriesContext(
        connection,
    ) as queries:
        ask(query={"size": "2"})
    asked = " ".join(query["sql"] for query in queries if "issuances_issuance" in query["sql"])
    assert "COUNT(" not in asked
    assert Issuance.objects.count() == 5
