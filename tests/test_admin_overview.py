"""The first page of the admin: what there is at a glance, and the pages' protections."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from issuances.identifiers import first_uuid7, uuid7
from issuances.models import Issuance
from licences.models import RevokedLicence
from plans.models import Plan
from registry_token import overview
from tests.log_rows import BEGIN, row, saved

pytestmark = pytest.mark.usefixtures("catalogue")

PULL = "repository:stella-ops/public/app:pull"
PUSH = "repository:stella-ops/public/app:push"


def test_shows_the_catalogue_and_who_made_it(admin_client):
    page = admin_client.get("/admin/").content.decode()
    assert "Revision 1" in page
    assert "(file)" in page


def test_counts_rules_and_the_tokens_of_a_day(admin_client, authority, get_token):
    for _ in range(2):
        get_token(authority.token("community"), PULL)
    get_token(authority.token("community"), PUSH)
    old = Issuance.objects.filter(refusal="").first()
    long_ago = datetime.now(UTC) - timedelta(hours=25)
    assert old is not None
    old.id = old.jti = uuid7(long_ago)
    old.save(force_insert=True)
    uses = {use.plan.name: use for use in admin_client.get("/admin/").context["plans_in_use"]}
    assert (uses["community"].rules, uses["community"].tokens) == (1, 2)
    assert (uses["enterprise"].rules, uses["enterprise"].tokens) == (4, 0)


def test_of_a_plan_that_is_not_among_the_busiest_some_tokens_are_counted(monkeypatch):
    now = datetime.now(UTC)
    ago = (now - BEGIN).total_seconds()
    Plan.objects.create(name="seldom")
    Plan.objects.create(name="never")
    saved(*(row(ago - n, plan=f"busy-{n % 50}") for n in range(200)))
    saved(*(row(ago - n, plan="seldom", refusal=["", "x", ""][n]) for n in range(3)))

    def uses():
        return {one.plan.name: (one.tokens, one.at_least) for one in overview.plans_in_use(now)}

    assert uses()["seldom"] == (2, False)
    assert uses()["never"] == (0, False)
    monkeypatch.setattr(overview, "RARE", 2)
    assert uses()["seldom"] == (2, True)


def test_shows_the_latest_refusals_alone(admin_client, authority, get_token):
    get_token(authority.token("community", sub="alice"), PULL)
    get_token(authority.token("community", sub="bob"), PUSH)
    response = admin_client.get("/admin/")
    assert [row.subject for row in response.context["refusals"]] == ["bob"]
    assert "nothing_granted" in response.content.decode()


def test_looks_for_refusals_among_the_newest_rows_alone(authority, get_token, monkeypatch):
    get_token(authority.token("community", sub="bob"), PUSH)
    for _ in range(3):
        get_token(authority.token("community"), PULL)
    monkeypatch.setattr(overview, "NEWEST_ROWS", 4)
    assert len(overview.latest_refusals()) == 1
    monkeypatch.setattr(overview, "NEWEST_ROWS", 3)
    assert len(overview.latest_refusals()) == 0


def test_shows_the_licences_revoked_last(admin_client):
    for number in range(10):
        RevokedLicence.objects.create(licence=f"LIC-{number}", reason="test")
    shown = [revoked.licence for revoked in admin_client.get("/admin/").context["revocations"]]
    assert shown == [f"LIC-{number}" for number in range(9, 1, -1)]


def test_says_when_there_is_no_plan(admin_client):
    Plan.objects.all().delete()
    assert "There is no plan yet" in admin_client.get("/admin/").content.decode()


PARTS = {
    "plans_in_use": "view_plan",
    "revision": "view_cataloguerevision",
    "refusals": "view_issuance",
    "revocations": "view_revokedlicence",
}


@pytest.mark.parametrize("part", PARTS)
def test_shows_each_part_to_those_who_may_see_it(client_with, part):
    response = client_with(PARTS[part]).get("/admin/")
    assert PARTS.keys() & response.context.keys() == {part}
    assert len(response.context["navigation"]) >= 1


@pytest.mark.parametrize("path", ["/admin/", "/admin/login/", "/admin/plans/plan/", "/static/x"])
def test_pages_have_a_strict_content_security_policy(admin_client, path):
    policy = admin_client.get(path)["Content-Security-Policy"]
    directives = dict(directive.split(" ", 1) for directive in policy.split("; "))
    assert directives["default-src"] == "'self'"
    assert directives["frame-ancestors"] == "'none'"
    assert "unsafe" not in policy


@pytest.mark.parametrize("path", ["/token", "/jwks", "/healthz"])
def test_what_is_no_page_has_none(client, path):
    assert "Content-Security-Policy" not in client.get(path)


def test_identifiers_of_a_time_begin_with_the_first():
    now = datetime.now(UTC)
    assert first_uuid7(now) <= uuid7(now) < first_uuid7(now + timedelta(milliseconds=2))


def test_shows_what_is_probably_not_meant(admin_client):
    assert "probably not meant" not in admin_client.get("/admin/").content.decode()
    plan = Plan.objects.get(name="community")
    plan.rules.create(pattern="team/app", actions=["push"])
    page = admin_client.get("/admin/").content.decode()
    assert "probably not meant" in page
    assert "allow push on team/app" in page
