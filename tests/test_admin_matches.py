"""What a pattern matches among the repositories of the issuance log."""

from __future__ import annotations

import time

import pytest

from plans.models import Plan, PlanRule
from registry_token.pages import matches

JSON, PAGE = "/admin/matches.json", "/admin/matches/"


@pytest.fixture(autouse=True)
def log(catalogue, authority, get_token, monkeypatch):
    """Three repositories asked for, one of them in vain."""
    monkeypatch.setattr(matches, "_kept", None)
    for name in ("stella-ops/public/app", "stella-ops/public/db", "acme/app"):
        get_token(authority.token("community", "LIC-1"), f"repository:{name}:pull")
    get_token(authority.token("community", "LIC-1"), "registry:catalog:*")


def test_looks_at_so_many_names_and_no_more(admin_client, monkeypatch):
    monkeypatch.setattr(matches, "MAX_NAMES", 1)
    assert admin_client.get(JSON, {"pattern": "**"}).json()["total"] < 3


@pytest.mark.parametrize(
    ("pattern", "names"),
    [
        ("stella-ops/**", ["stella-ops/public/app", "stella-ops/public/db"]),
        ("**/app", ["acme/app", "stella-ops/public/app"]),
        ("acme/*", ["acme/app"]),
        ("other/**", []),
        ("catalog", []),
    ],
)
def test_lists_what_a_pattern_matches(admin_client, pattern, names):
    found = admin_client.get(JSON, {"pattern": pattern}).json()
    assert found["names"] == names
    assert found["summary"] == f"matches {len(names)} of 3 repositories seen lately"
    page = admin_client.get(PAGE, {"pattern": pattern}).content.decode()
    assert all(f"<li>{name}</li>" in page for name in names)
    assert found["summary"] in page


@pytest.mark.parametrize(
    ("pattern", "why"),
    [("acme/a**", "stands alone"), ("Acme", "can never match"), ("", "is empty")],
)
def test_says_why_a_pattern_is_none(admin_client, pattern, why):
    found = admin_client.get(JSON, {"pattern": pattern}).json()
    assert why in found["error"]
    assert found["summary"] == found["error"]
    assert found["names"] == []


def test_shows_the_first_of_many_and_counts_all(admin_client, monkeypatch):
    monkeypatch.setattr(matches, "MAX_SHOWN", 2)
    found = admin_client.get(JSON, {"pattern": "**"}).json()
    assert (len(found["names"]), found["total"]) == (2, 3)
    assert "Only the first" in admin_client.get(PAGE, {"pattern": "**"}).content.decode()


def test_the_log_is_read_once_in_some_seconds(admin_client, django_assert_num_queries):
    matches.repositories_seen()
    with django_assert_num_queries(0):
        matches.matches_of("acme/*")


def test_the_page_of_a_plan_links_to_what_its_patterns_match(admin_client):
    plan = Plan.objects.get(name="community")
    html = admin_client.get(f"/admin/plans/plan/{plan.pk}/change/").content.decode()
    assert f"{PAGE}?plan={plan.pk}" in html
    assert f'data-matches="{JSON}"' in html
    assert "registry_token/matches.js" in html
    page = admin_client.get(PAGE, {"plan": plan.pk}).content.decode()
    for pattern in plan.rules.filter(type="repository").values_list("pattern", flat=True):
        assert f"<h2>{pattern}</h2>" in page


def test_a_plan_with_very_many_patterns_is_answered_in_time(admin_client, monkeypatch):
    names = tuple(f"team-{n}/" + "/".join("a" * 100) for n in range(5000))
    monkeypatch.setattr(matches, "_kept", (time.monotonic() + 1000, names))
    plan = Plan.objects.create(name="many")
    deep = "/".join(["**", "*a*"] * 5)
    PlanRule.objects.bulk_create(
        PlanRule(plan=plan, pattern=f"{deep}/b{n}", actions=["pull"]) for n in range(1000)
    )
    began = time.monotonic()
    page = admin_client.get(PAGE, {"plan": plan.pk})
    assert time.monotonic() - began < 15
    assert "too many patterns to look at all of them" in page.content.decode()


@pytest.mark.parametrize("plan", ["x", "9" * 30, "-1", "0"])
def test_no_such_plan_matches_nothing(admin_client, plan):
    response = admin_client.get(PAGE, {"plan": plan})
    assert response.status_code == 200
    assert response.context["found"] == []


def test_what_is_typed_is_escaped(admin_client):
    page = admin_client.get(PAGE, {"pattern": '"><b>x'}).content.decode()
    assert "<b>x" not in page


@pytest.mark.parametrize("path", [JSON, PAGE])
@pytest.mark.parametrize(("permissions", "status"), [((), 403), (("view_plan",), 200)])
def test_only_who_may_see_plans_sees_matches(client, client_with, path, permissions, status):
    assert client.get(path).status_code == 302
    assert client_with(*permissions).get(path, {"pattern": "acme/*"}).status_code == status
