"""GET /token, as Distribution's docs/content/spec/auth/token.md describes it."""

from __future__ import annotations

import re

import pytest

from tests.conftest import SERVICE, basic

PULL = "repository:stella-ops/public/app:pull"

pytestmark = pytest.mark.usefixtures("catalogue")


def test_answers_with_a_token_for_what_the_plan_allows(authority, get_token, open_token):
    claims = open_token(get_token(authority.token("community"), PULL))
    assert claims["access"] == [
        {"type": "repository", "name": "stella-ops/public/app", "actions": ["pull"]}
    ]
    assert claims["sub"] == "alice"
    assert claims["aud"] == SERVICE


def test_answer_holds_what_every_client_reads(authority, get_token):
    response = get_token(authority.token("community"), PULL)
    body = response.json()
    assert body["token"] == body["access_token"]
    assert body["expires_in"] == 300
    assert type(body["expires_in"]) is int
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", body["issued_at"])
    assert body["scope"] == PULL
    assert "refresh_token" not in body
    assert response["Cache-Control"] == "no-store"
    assert response["Content-Type"] == "application/json"
    assert not response.cookies


@pytest.mark.parametrize("user", ["alice", "", "<token>"])
def test_a_basic_password_is_a_token_whatever_the_user(authority, get_token, open_token, user):
    header = basic(authority.token("community"), user)
    assert open_token(get_token(None, PULL, headers={"Authorization": header}))["sub"] == "alice"


@pytest.mark.parametrize("path", ["/token", "/token/", "/auth/token", "/auth/token/"])
def test_every_path_answers_without_a_redirect(authority, get_token, post_token, path):
    token = authority.token("community")
    assert get_token(token, PULL, path=path).status_code == 200
    form = {"grant_type": "password", "password": token, "path": path}
    assert post_token(**form).status_code == 200


@pytest.mark.parametrize("accept", ["text/html", "application/vnd.oci.image.index.v1+json", "x"])
def test_accept_headers_do_not_matter(authority, get_token, accept):
    response = get_token(authority.token("community"), PULL, headers={"Accept": accept})
    assert response.status_code == 200
    assert response["Content-Type"] == "application/json"


SCOPES = {
    "several parameters": [PULL, "repository:stella-ops/public/b:pull"],
    "several in one": [f"{PULL} repository:stella-ops/public/b:pull"],
    "duplicates, blanks, empty ones": [
        f" {PULL}  {PULL}",
        "",
        "repository:stella-ops/public/b:pull",
    ],
    "an unrelated one rides along": [PULL, "repository:x:pull repository:stella-ops/public/b:pull"],
}


@pytest.mark.parametrize("scopes", SCOPES.values(), ids=SCOPES)
def test_takes_scopes_however_they_are_sent(authority, get_token, open_token, scopes):
    access = open_token(get_token(authority.token("community"), *scopes))["access"]
    assert [entry["name"] for entry in access] == ["stella-ops/public/app", "stella-ops/public/b"]


def test_without_scope_an_accepted_caller_gets_an_empty_token(authority, get_token, open_token):
    assert open_token(get_token(authority.token("community")))["access"] == []
    assert open_token(get_token(authority.token("community"), ""))["access"] == []


def test_grants_the_allowed_part_of_a_request(authority, get_token, open_token):
    token = authority.token("enterprise", "LIC-1")
    scopes = ["repository:stella-ops/internal/x:pull,push,delete", "repository:other:pull"]
    response = get_token(token, *scopes)
    assert open_token(response)["access"] == [
        {"type": "repository", "name": "stella-ops/internal/x", "actions": ["pull"]}
    ]
    assert response.json()["scope"] == "repository:stella-ops/internal/x:pull"


def test_the_audience_is_the_service_that_was_asked_for(authority, get_token, open_token):
    token = authority.token("enterprise", "LIC-1")
    response = get_token(token, "repository:mirror/x:pull", service="mirror.example.com")
    assert open_token(response, "mirror.example.com")["aud"] == "mirror.example.com"


def test_a_repeated_equal_service_is_one(authority, client):
    query = f"service={SERVICE}&scope={PULL}&service={SERVICE}&service="
    bearer = {"Authorization": f"Bearer {authority.token('community')}"}
    assert client.get(f"/token?{query}", headers=bearer).status_code == 200


MALFORMED = {
    "no service": ("scope=x", "service is missing"),
    "empty service": ("service=", "service is missing"),
    "contradictory services": (f"service={SERVICE}&service=other", "2 different values"),
    "line break in service": ("service=a%0d%0ab", "printable"),
    "NUL in service": ("service=a%00b", "printable"),
    "long service": ("service=" + "a" * 256, "at most 255"),
    "too many scopes": (f"service={SERVICE}&scope=" + "+".join(["a:b:c"] * 65), "limit is 64"),
    "long scope": (f"service={SERVICE}&scope=repository:{'a' * 300}:pull", "longer than 300"),
    "too many parameters": ("&".join(["service=x"] * 201), "more than 200"),
}


@pytest.mark.parametrize(("query", "message"), MALFORMED.values(), ids=MALFORMED)
def test_a_malformed_request_is_told_so(authority, client, query, message):
    bearer = {"Authorization": f"Bearer {authority.token('community')}"}
    response = client.get(f"/token?{query}", headers=bearer)
    assert response.status_code == 400
    error = response.json()["errors"][0]
    assert error["code"] == "UNSUPPORTED"
    assert message in error["message"]


@pytest.mark.parametrize("method", ["HEAD", "PUT", "DELETE", "OPTIONS", "PATCH"])
def test_other_methods_are_not_answered(authority, client, method):
    bearer = {"Authorization": f"Bearer {authority.token('community')}"}
    response = client.generic(method, f"/token?service={SERVICE}&scope={PULL}", headers=bearer)
    assert response.status_code == 405
    assert response["Allow"] == "GET, POST"
    if method != "HEAD":
        assert response.json()["errors"][0]["code"] == "UNSUPPORTED"
