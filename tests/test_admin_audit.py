"""The issuance log's page: filtering, turning pages, and what is said when nothing is there."""

from __future__ import annotations

from urllib.parse import urlencode

import pytest

from issuances.identifiers import first_uuid7
from tests.log_rows import BEGIN, resource, row, saved

pytestmark = pytest.mark.django_db

LIST = "/admin/issuances/issuance/"


def listed(client, query="", status=200):
    response = client.get(f"{LIST}?{query}" if query else LIST)
    assert response.status_code == status, response.content
    return response


def test_shows_time_outcome_and_request_of_each_row(admin_client):
    asked = [resource(f"acme/{n}", "pull", "push") for n in range(5)]
    saved(
        row(1, subject="alice", requested=asked, granted=asked[:1]),
        row(2, subject="bob", refusal="licence_revoked", licence="LIC-7"),
        row(3, subject="carol", requested=[]),
    )
    response = listed(admin_client)
    page = response.content.decode()
    assert [line.row.subject for line in response.context["lines"]] == ["carol", "bob", "alice"]
    assert [line.outcome["word"] for line in response.context["lines"]] == [
        "logged in",
        "refused",
        "granted in part",
    ]
    for text in ("2026-03-01 00:00:01", "The licence is revoked", "licence_revoked", "LIC-7"):
        assert text in page
    assert "repository:acme/2:pull,push" in page
    assert "repository:acme/3:pull,push" not in page
    assert "and 2 more" in page


def test_turns_pages_back_and_forth(admin_client):
    rows = saved(*(row(second) for second in range(120)))[::-1]
    first = listed(admin_client)
    assert first.context["rows"] == rows[:50]
    assert b"Newest" not in first.content
    second = admin_client.get(first.context["older_url"])
    assert second.context["rows"] == rows[50:100]
    last = admin_client.get(second.context["older_url"])
    assert last.context["rows"] == rows[100:]
    assert last.context["older_url"] is None
    back = admin_client.get(last.context["newer_url"])
    assert back.context["rows"] == rows[50:100]
    oldest = admin_client.get(first.context["oldest_url"])
    assert oldest.context["rows"] == rows[-50:]


def test_the_newest_page_is_full_also_when_reached_from_older_ones(admin_client):
    rows = saved(*(row(second) for second in range(60)))[::-1]
    response = admin_client.get(LIST, {"after": str(rows[10].id)})
    assert response.status_code == 302
    assert response["Location"] == LIST


def test_the_filter_goes_along_when_pages_are_turned(admin_client):
    saved(*(row(second, subject="bob", licence="a b&c") for second in range(60)))
    first = listed(admin_client, urlencode({"subject": "bob", "licence": "A B&C"}))
    older = admin_client.get(first.context["older_url"])
    assert len(older.context["rows"]) == 10
    assert older.context["form"].data["licence"] == "A B&C"


def test_fields_that_are_empty_are_no_part_of_the_address(admin_client):
    response = admin_client.get(LIST, {"subject": " bob ", "plan": "", "from": " "})
    assert response.status_code == 302
    assert response["Location"] == f"{LIST}?subject=bob"


JUMPS = {
    "2026-03-01": 86_400,
    "2026-03-01T00:00:30": 30,
    "2026-03-01T01:00:30+01:00": 30,
}


@pytest.mark.parametrize("at", JUMPS)
def test_jumps_to_a_time_or_the_end_of_a_day(admin_client, at):
    rows = saved(*(row(second) for second in (10, 29, 31, 86_401)))
    response = admin_client.get(LIST, {"at": at, "subject": "alice"}, follow=True)
    seen = [one for one in rows if (one.created_at - BEGIN).total_seconds() < JUMPS[at]]
    assert response.context["rows"] == seen[::-1]
    assert response.request["QUERY_STRING"].startswith("subject=alice&before=")


WRONG = {
    "unknown parameter": ("subjekt=x", "unknown parameter subjekt"),
    "wrong time": ("from=x", "from: write a date or a time"),
    "wrong jump": ("at=x", "at: write a date or a time"),
    "jump beyond time": ("at=9999-12-31", "at: there is no such day"),
    "wrong cursor": ("before=x", "before: must be the id of a row"),
    "both cursors": (f"before={first_uuid7(BEGIN)}&after={first_uuid7(BEGIN)}", "give either"),
}


@pytest.mark.parametrize(("query", "said"), WRONG.values(), ids=WRONG)
def test_says_what_is_wrong_and_shows_no_rows(admin_client, query, said):
    saved(row())
    response = listed(admin_client, query, status=400)
    assert said in response.content.decode()
    assert "rows" not in response.context
    assert "/api/v1/issuances/export" not in response.content.decode()


def test_a_place_before_all_rows_says_to_turn_the_page(admin_client):
    saved(row())
    page = admin_client.get(listed(admin_client, "at=2020-01-01", status=302)["Location"])
    assert "turn the page" in page.content.decode()
    newest = admin_client.get(page.context["newer_url"], follow=True)
    assert newest.context["rows"]


def test_says_what_to_do_when_nothing_matches(admin_client):
    assert "Each decision about an authenticated caller" in listed(admin_client).content.decode()
    saved(row())
    assert "No row matches" in listed(admin_client, "subject=nobody").content.decode()


def test_says_how_far_it_searched_and_goes_on_from_there(admin_client, monkeypatch):
    monkeypatch.setattr("issuances.finding.searching._FIRST_WINDOW", 10)
    monkeypatch.setattr("issuances.finding.searching._LAST_WINDOW", 10)
    for name in ("FIRST_SECONDS", "FURTHER_SECONDS"):
        monkeypatch.setattr(f"issuances.finding.paging.{name}", 0)
    saved(*(row(second, requested=[resource("x", "push")][second:]) for second in range(40)))
    response = listed(admin_client, "action=push")
    pages = 1
    while not response.context["rows"]:
        page = response.content.decode()
        assert "Searched back to 2026-03-01 00:00:" in page
        assert "No row matches" not in page
        response = admin_client.get(response.context["older_url"])
        pages += 1
    assert pages == 4


def test_what_came_by_the_address_stays_chosen(admin_client):
    page = listed(admin_client, "reason=of_another_version&outcome=refused").content.decode()
    assert '<option value="of_another_version" selected>' in page
    assert '<option value="refused" selected>' in page


def test_leads_to_the_same_rows_for_programs_and_to_take_away(client_with):
    saved(row(licence="a&b"), row(licence="c"))
    client = client_with("view_issuance", "export_issuance")
    links = listed(client, urlencode({"licence": "a&b"})).context["links"]
    assert links["api"] == "http://testserver/api/v1/issuances?licence=a%26b"
    (only,) = client.get(links["api"]).json()["results"]
    assert only["licence"] == "a&b"
    kinds = dict(links["exports"])
    assert sorted(kinds) == ["csv", "ndjson"]
    assert kinds["csv"] == "/api/v1/issuances/export?format=csv&licence=a%26b"


def test_only_who_may_export_sees_how(client_with):
    page = listed(client_with("view_issuance")).content.decode()
    assert "/api/v1/issuances/export" not in page
    assert "http://testserver/api/v1/issuances" in page
