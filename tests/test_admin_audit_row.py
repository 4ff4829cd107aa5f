"""A row's page: what was asked and granted, why, by which revision, and what stands around it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from html import unescape
from typing import Any

import pytest

from issuances.models import Issuance
from licences.models import RevokedLicence
from plans.models import CatalogueRevision, Plan
from tests.log_rows import row, saved

pytestmark = pytest.mark.usefixtures("catalogue")

LIST = "/admin/issuances/issuance/"
PULL = "repository:stella-ops/public/app:pull"
PUSH = "repository:stella-ops/public/app:push"


def shown(client, issuance=None):
    issuance = issuance or Issuance.objects.get()
    response = client.get(f"{LIST}{issuance.pk}/change/")
    assert response.status_code == 200, response.content
    return response


def text(response):
    return " ".join(unescape(response.content.decode()).split())


def test_says_what_was_granted_of_each_resource(admin_client, authority, get_token):
    get_token(authority.token("community", "LIC-1"), f"{PULL},push", "repository:x:pull", "oddity")
    response = shown(admin_client)
    assert [resource["words"] for resource in response.context["resources"]] == [
        "pull was granted, push was not",
        "nothing was granted",
        "is not TYPE:NAME:ACTIONS, so nothing can be granted",
    ]
    page = text(response)
    assert "granted in part" in page
    assert "still valid for" in page
    assert "allow pull on stella-ops/public/**" in page
    assert 'href="/admin/plans/cataloguerevision/1/change/"' in page
    assert not response.context["again"].differs


def test_says_what_everything_became(admin_client, authority, get_token):
    get_token(authority.token("community"), "repository:stella-ops/public/app:*")
    (resource,) = shown(admin_client).context["resources"]
    assert resource["words"] == "all was asked for; the rules allow pull"


def test_a_mere_login_asked_for_nothing(admin_client, authority, get_token):
    get_token(authority.token("community"))
    assert "a mere log-in" in text(shown(admin_client))


REFUSED: dict[str, dict[str, Any]] = {
    "insufficient_scope": {"scope": "other"},
    "service_not_allowed": {"service": "other.example.com"},
    "licence_malformed": {"stellaops:license": 7},
    "licence_revoked": {"licence": "lic-0007"},
    "plan_unknown": {"plan": "gold"},
    "licence_required": {"plan": "enterprise"},
    "nothing_granted": {},
}


@pytest.mark.parametrize("code", REFUSED)
def test_says_why_and_what_to_do(admin_client, authority, get_token, code):
    claims = dict(REFUSED[code])
    service = claims.pop("service", "registry.example.com")
    plan, licence = claims.pop("plan", "community"), claims.pop("licence", None)
    answer = get_token(authority.token(plan, licence, **claims), PUSH, service=service)
    response = shown(admin_client)
    page = text(response)
    assert response.context["row"].refusal == code
    assert response.context["remedy"] in page
    assert response.context["remedy"]
    assert not response.context["again"].differs
    checks = {check["code"]: check["word"] for check in response.context["result"]["checks"]}
    assert checks.get(code, "refused") == "refused"
    if code != "insufficient_scope":
        assert answer.json()["errors"][0]["message"].split(";")[0] in page


def test_decides_by_the_catalogue_of_that_time(admin_client, authority, get_token):
    get_token(authority.token("community"), PULL)
    Plan.objects.get(name="community").delete()
    response = shown(admin_client)
    assert not response.context["again"].differs
    assert "allow pull on stella-ops/public/**" in text(response)
    assert "as it is now" not in text(response)


def test_says_that_the_licence_has_been_revoked_since(admin_client, authority, get_token):
    get_token(authority.token("community", "LIC-1"), PULL)
    assert not shown(admin_client).context["again"].revoked_since
    RevokedLicence.objects.create(licence="lic-1")
    response = shown(admin_client)
    assert response.context["again"].revoked_since
    assert not response.context["again"].differs
    assert "has been revoked since" in text(response)
    assert "on the deny list" in text(response)


def test_a_licence_that_was_revoked_then_is_still_why(admin_client, authority, get_token):
    revoked = RevokedLicence.objects.create(licence="LIC-1")
    get_token(authority.token("community", "LIC-1"), PULL)
    revoked.delete()
    response = shown(admin_client)
    assert not response.context["again"].differs
    assert "licence LIC-1 is revoked" in text(response)


def test_says_when_the_configuration_would_decide_otherwise_today(
    admin_client, authority, get_token, settings
):
    get_token(authority.token("community"), PULL)
    settings.REGISTRY_SERVICES = ("other.example.com",)
    response = shown(admin_client)
    assert response.context["again"].differs
    assert "The row is what happened" in text(response)
    assert "service_not_allowed" in text(response)


def test_says_when_the_catalogue_of_that_time_is_not_known(admin_client):
    (unknown,) = saved(row(catalogue_revision=77))
    assert "there is no catalogue revision 77" in text(shown(admin_client, unknown))
    CatalogueRevision.objects.update(snapshot=None)
    (older,) = saved(row(catalogue_revision=1))
    assert "did not keep the plans" in text(shown(admin_client, older))


def test_shows_the_same_caller_before_and_after(admin_client):
    rows = saved(*(row(second, subject="alice") for second in range(10)), row(5, subject="bob"))
    response = shown(admin_client, rows[5])
    caller, licence = response.context["lists"]
    assert [line.row for line in caller["lines"]] == rows[8:1:-1]
    assert caller["url"] == f"{LIST}?subject=alice"
    assert any(line.row.subject == "bob" for line in licence["lines"])
    assert licence["url"] == f"{LIST}?licence=LIC-1"
    assert "(this row)" in text(response)


def test_links_from_each_value_to_the_rows_that_have_it(admin_client):
    (only,) = saved(row(subject="a b", client_id="", tenant="t&u", request_id="r-1"))
    page = text(shown(admin_client, only))
    for query in ("subject=a+b", "tenant=t%26u", "request_id=r-1", "revision=1"):
        assert f'href="{LIST}?{query}"' in page
    assert "?client=" not in page
    assert 'href="/admin/simulate/?request_id=r-1"' in page
    assert f'value="http://testserver{LIST}{only.pk}/change/"' in page


EXPIRY = {
    "alive": (60, "is still valid for"),
    "in the grace": (-30, "registries may accept it for another minute"),
    "long ago": (-3600, "The registry token expired at"),
}


@pytest.mark.parametrize(("seconds", "said"), EXPIRY.values(), ids=EXPIRY)
def test_says_how_long_the_token_lives(admin_client, seconds, said):
    one = row()
    one.expires_at = datetime.now(UTC) + timedelta(seconds=seconds)
    saved(one)
    assert said in text(shown(admin_client, one))


@pytest.mark.parametrize("row_id", ["1", "x", "01932f5b-1c2d-7a3e-9f00-2b4c6d8e0f12"])
def test_a_row_that_is_not_there_leads_to_the_list(admin_client, row_id):
    response = admin_client.get(f"{LIST}{row_id}/change/", follow=True)
    assert response.request["PATH_INFO"] == LIST
    assert "was pruned, or never was" in text(response)


def test_shows_only_links_that_the_reader_may_follow(client_with, authority, get_token):
    RevokedLicence.objects.create(licence="LIC-1")
    get_token(authority.token("community", "LIC-1"), PULL)
    page = text(shown(client_with("view_issuance")))
    for path in ("/admin/plans/", "/admin/licences/revokedlicence/", "/admin/simulate/"):
        assert f'href="{path}' not in page


@pytest.mark.parametrize("path", [LIST, "{row}", f"{LIST}find/"])
def test_is_for_readers_of_the_log_alone(client_with, authority, get_token, path):
    get_token(authority.token("community"), PULL)
    client = client_with("view_plan")
    url = path.replace("{row}", f"{LIST}{Issuance.objects.get().pk}/change/")
    assert client.get(url).status_code == 403
