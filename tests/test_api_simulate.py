"""GET /api/v1/simulate: who may ask, what is asked, and errors in the form of /token."""

from __future__ import annotations

import pytest

from plans.models import Plan

pytestmark = pytest.mark.usefixtures("catalogue")

API = "/api/v1/simulate"
PUBLIC = "repository:stella-ops/public/app:pull"
PUSH = "repository:stella-ops/public/app:push"
READ = "registry.catalogue.read"


@pytest.fixture
def ask(client, authority):
    """Ask with an access token of these OAuth scopes."""

    def ask(query=None, scope=READ, token=None):
        token = authority.token(scope=scope) if token is None else token
        return client.get(API, query, headers={"Authorization": f"Bearer {token}"})

    return ask


def error(response, status, code):
    assert response.status_code == status, response.content
    assert response["Content-Type"] == "application/json"
    (found,) = response.json()["errors"]
    assert found["code"] == code
    return found


def test_answers_with_result_and_trace(ask):
    response = ask({"plan": "community", "scope": [PUBLIC, PUSH]})
    assert response.status_code == 200
    assert response["Cache-Control"] == "no-store"
    found = response.json()
    assert (found["revision"], found["source"], found["service"]) == (
        1,
        "current",
        "registry.example.com",
    )
    assert found["granted"] == [PUBLIC]
    assert found["refusal"] is None
    assert found["checks"][0] == {
        "code": "insufficient_scope",
        "outcome": "passed",
        "looked_at": {"required": ["registry.token.issue"], "held": ["registry.token.issue"]},
    }
    (resource,) = found["resources"]
    assert resource["rules"] == [{"effect": "allow", "text": "allow pull on stella-ops/public/**"}]
    assert resource["nearest"] == {
        "rule": "allow pull on stella-ops/public/**",
        "lacks": ["it allows only pull"],
    }


def test_a_refusal_is_an_answer(ask):
    response = ask({"plan": "enterprise", "licence": "LIC-0007"})
    assert response.status_code == 200
    assert response.json()["refusal"]["code"] == "licence_revoked"


def test_decides_by_an_earlier_revision(ask):
    Plan.objects.get(name="community").delete()
    query = {"plan": "community", "scope": PUBLIC}
    assert ask(query).json()["refusal"]["code"] == "plan_unknown"
    assert ask(query | {"revision": "1"}).json()["granted"] == [PUBLIC]


def test_a_service_can_be_named(ask):
    query = {"plan": "community", "scope": PUBLIC, "service": "other.example.com"}
    assert ask(query).json()["refusal"]["code"] == "service_not_allowed"


MALFORMED = {
    "unknown parameter": ("plam=community", "unknown parameter plam; known are plan, licence"),
    "twice": ("plan=a&plan=b", "plan is given 2 times; give it once"),
    "no revision": ("revision=99", "there is no catalogue revision 99; the newest is 1"),
    "no number": ("revision=x", "revision must be the number of a catalogue revision"),
    "a huge number": ("revision=" + "9" * 5000, "revision must be the number"),
    "too many scopes": ("&".join(["scope=a"] * 65), "the limit is 64"),
    "a service": ("service=a%00b", "printable"),
    "two questions": ("request_id=nothing&plan=a", "request_id says it all"),
    "no such request": ("request_id=a%00b", "the issuance log has no request"),
}


@pytest.mark.parametrize(("query", "message"), MALFORMED.values(), ids=MALFORMED)
def test_says_what_is_wrong_with_the_question(client, authority, query, message):
    token = authority.token(scope=f"{READ} registry.audit.read")
    response = client.get(f"{API}?{query}", headers={"Authorization": f"Bearer {token}"})
    assert message in error(response, 400, "UNSUPPORTED")["message"]


def test_without_credentials_there_is_a_challenge(client):
    response = client.get(API)
    found = error(response, 401, "UNAUTHORIZED")
    assert found["detail"] == {"reason": "no_credentials"}
    assert response["WWW-Authenticate"] == 'Bearer realm="https://tokens.example.com/token"'


def test_a_bad_token_is_refused(ask, authority):
    response = ask(token=authority.token(scope=READ, exp=1))
    assert "has expired" in error(response, 401, "UNAUTHORIZED")["message"]
    assert 'error="invalid_token"' in response["WWW-Authenticate"]
    error(ask(token="x.y.z"), 401, "UNAUTHORIZED")


def test_a_bad_token_counts_even_with_a_session(admin_client):
    response = admin_client.get(API, headers={"Authorization": "Bearer x.y.z"})
    error(response, 401, "UNAUTHORIZED")


def test_bad_tokens_are_throttled(ask, settings):
    settings.THROTTLE_FAILURES = 2
    statuses = {ask(token=f"x.y.{number}").status_code for number in range(20)}
    assert statuses == {401, 429}


def test_a_token_needs_its_scope(ask):
    found = error(ask(scope="registry.token.issue"), 403, "DENIED")
    assert found["detail"] == {"reason": "insufficient_scope"}
    assert READ in found["message"]


PEOPLE = {
    "nothing": ((), True, 403),
    "plans": (("view_plan",), True, 200),
    "no staff": (("view_plan",), False, 403),
}


@pytest.mark.parametrize(("permissions", "is_staff", "status"), PEOPLE.values(), ids=PEOPLE)
def test_a_session_needs_the_permission(client_with, permissions, is_staff, status):
    response = client_with(*permissions, is_staff=is_staff).get(API, {"plan": "community"})
    assert response.status_code == status


def test_the_log_is_for_programs_that_may_read_it(ask, authority, get_token):
    request_id = get_token(authority.token("community", "LIC-1"), PUSH)["X-Request-ID"]
    found = error(ask({"request_id": request_id}), 403, "DENIED")
    assert "registry.audit.read" in found["message"]
    response = ask({"request_id": request_id}, scope=f"{READ} registry.audit.read")
    assert response.json()["licence"] == "LIC-1"
    assert response.json()["refusal"]["code"] == "nothing_granted"


@pytest.mark.parametrize(
    ("permissions", "status"), [(("view_plan",), 403), (("view_plan", "view_issuance"), 200)]
)
def test_only_who_may_read_the_log_asks_it(client_with, authority, get_token, permissions, status):
    request_id = get_token(authority.token("community"), PUSH)["X-Request-ID"]
    assert client_with(*permissions).get(API, {"request_id": request_id}).status_code == status


@pytest.mark.parametrize("accept", ["text/html", "application/xml", "nonsense"])
def test_the_answer_is_json_whatever_is_accepted(admin_client, accept):
    response = admin_client.get(API, headers={"Accept": accept})
    assert (response.status_code, response["Content-Type"]) == (200, "application/json")


@pytest.mark.parametrize("method", ["post", "put", "delete", "options"])
def test_only_reads(admin_client, method):
    response = getattr(admin_client, method)(API)
    error(response, 405, "UNSUPPORTED")
    assert response["Allow"] == "GET, HEAD"
