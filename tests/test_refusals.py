"""Who asks what of which service, and what comes of it: over HTTP, row by row."""

from __future__ import annotations

import pytest

from issuances.models import Issuance
from registry_token.entitlement import CHECKS
from tests.conftest import SERVICE, basic

PUBLIC = "repository:stella-ops/public/app"
INTERNAL = "repository:stella-ops/internal/app"

pytestmark = pytest.mark.usefixtures("catalogue")

# Caller: plan, licence, further claims. Then: scope and service, then: status and access or reason.
COMMUNITY = ("community", None, {})
ENTERPRISE = ("enterprise", "LIC-1", {})
TABLE = {
    "pulls": (COMMUNITY, (f"{PUBLIC}:pull", SERVICE), (200, f"{PUBLIC}:pull")),
    "pushes": (COMMUNITY, (f"{PUBLIC}:push", SERVICE), (403, "nothing_granted")),
    "pulls, asking for push": (
        COMMUNITY,
        (f"{PUBLIC}:pull,push", SERVICE),
        (200, f"{PUBLIC}:pull"),
    ),
    "pulls elsewhere": (COMMUNITY, (f"{INTERNAL}:pull", SERVICE), (403, "nothing_granted")),
    "lists the catalog": (COMMUNITY, ("registry:catalog:*", SERVICE), (403, "nothing_granted")),
    "asks nonsense": (COMMUNITY, ("nonsense", SERVICE), (403, "nothing_granted")),
    "logs in": (COMMUNITY, ("", SERVICE), (200, "")),
    "other service": (
        COMMUNITY,
        (f"{PUBLIC}:pull", "other.example.com"),
        (403, "service_not_allowed"),
    ),
    "logs in to another service": (
        COMMUNITY,
        ("", "other.example.com"),
        (403, "service_not_allowed"),
    ),
    "enterprise pushes": (ENTERPRISE, (f"{PUBLIC}:push", SERVICE), (200, f"{PUBLIC}:push")),
    "enterprise pushes what is denied": (
        ENTERPRISE,
        (f"{INTERNAL}:push", SERVICE),
        (403, "nothing_granted"),
    ),
    "enterprise lists the catalog": (
        ENTERPRISE,
        ("registry:catalog:*", SERVICE),
        (200, "registry:catalog:*"),
    ),
    "enterprise pulls the mirror": (
        ENTERPRISE,
        ("repository:mirror/x:pull", "mirror.example.com"),
        (200, "repository:mirror/x:pull"),
    ),
    "enterprise pulls the mirror elsewhere": (
        ENTERPRISE,
        ("repository:mirror/x:pull", SERVICE),
        (403, "nothing_granted"),
    ),
    "enterprise without licence": (
        ("enterprise", None, {}),
        ("", SERVICE),
        (403, "licence_required"),
    ),
    "enterprise with blank licence": (
        ("enterprise", "  ", {}),
        ("", SERVICE),
        (403, "licence_required"),
    ),
    "revoked licence": (
        ("enterprise", "LIC-0007", {}),
        (f"{PUBLIC}:pull", SERVICE),
        (403, "licence_revoked"),
    ),
    "revoked licence, login": (
        ("enterprise", "LIC-0007", {}),
        ("", SERVICE),
        (403, "licence_revoked"),
    ),
    "revoked licence, other spelling": (
        ("enterprise", " lic-0007\u2003", {}),
        ("", SERVICE),
        (403, "licence_malformed"),
    ),
    "revoked licence, wide letters": (
        ("enterprise", "\uff2cic-0007", {}),
        ("", SERVICE),
        (403, "licence_revoked"),
    ),
    "revoked licence, invisible marks": (
        ("enterprise", "LIC-0007\u034f", {}),
        ("", SERVICE),
        (403, "licence_revoked"),
    ),
    "licences in a list": (
        ("enterprise", ["LIC-0007"], {}),
        ("", SERVICE),
        (403, "licence_malformed"),
    ),
    "no plan": ((None, None, {}), ("", SERVICE), (403, "plan_unknown")),
    "unknown plan": (("gold", None, {}), (f"{PUBLIC}:pull", SERVICE), (403, "plan_unknown")),
    "plan in another case": (("Community", None, {}), ("", SERVICE), (403, "plan_unknown")),
    "plans in a list": ((["community"], None, {}), ("", SERVICE), (403, "plan_unknown")),
    "no Authority scope": (
        ("community", None, {"scope": "openid"}),
        (f"{PUBLIC}:pull", SERVICE),
        (403, "insufficient_scope"),
    ),
}


@pytest.mark.parametrize(("caller", "asked", "expected"), TABLE.values(), ids=TABLE)
def test_answers(authority, get_token, open_token, caller, asked, expected):
    plan, licence, claims = caller
    scope, service = asked
    status, outcome = expected
    response = get_token(authority.token(plan, licence, **claims), scope, service=service)
    assert response.status_code == status
    row = Issuance.objects.get()
    assert row.request_id == response["X-Request-ID"]
    if status == 200:
        access = open_token(response, service)["access"]
        assert response.json()["scope"] == outcome
        assert row.granted == access
        return
    error = response.json()["errors"][0]
    assert error["code"] == "DENIED"
    assert error["detail"]["reason"] == row.refusal == outcome
    assert "WWW-Authenticate" not in response


def test_the_table_reaches_every_refusal():
    refusals = {expected[1] for _, _, expected in TABLE.values() if expected[0] == 403}
    assert refusals == {code for code, _ in CHECKS} | {"nothing_granted"}


def test_a_disabled_plan_is_unknown(authority, get_token):
    from plans.models import Plan

    plan = Plan.objects.get(name="community")
    plan.enabled = False
    plan.save()
    error = get_token(authority.token("community")).json()["errors"][0]
    assert error["detail"]["reason"] == "plan_unknown"


def test_a_refusal_tells_what_was_asked_who_says_no_and_what_to_do(authority, get_token):
    response = get_token(authority.token("community"), "repository:acme/app:push")
    error = response.json()["errors"][0]
    assert error["message"].startswith("plan community does not allow push to acme/app; ask ")
    assert error["detail"]["requested"] == [
        {"type": "repository", "name": "acme/app", "actions": ["push"]}
    ]
    assert error["detail"]["request_id"] == response["X-Request-ID"]


def test_nothing_granted_may_be_an_empty_token(authority, get_token, open_token, settings):
    settings.REGISTRY_ON_NOTHING_GRANTED = "empty_token"
    response = get_token(authority.token("community"), "repository:acme/app:push")
    assert open_token(response)["access"] == []
    row = Issuance.objects.get()
    assert (row.granted, row.refusal, str(row.jti)) == ([], "", open_token(response)["jti"])
    assert row.requested[0]["name"] == "acme/app"
    assert get_token(authority.token("gold")).status_code == 403


NO_CREDENTIALS = {
    "none": {},
    "empty Bearer": {"Authorization": "Bearer "},
    "empty Basic password": {"Authorization": basic("")},
    "broken Basic": {"Authorization": "Basic !!!"},
    "Basic that is no text": {"Authorization": "Basic /////w=="},
    "another scheme": {"Authorization": "Digest x"},
}


@pytest.mark.parametrize("headers", NO_CREDENTIALS.values(), ids=NO_CREDENTIALS)
def test_without_credentials_there_is_a_challenge_and_no_row(get_token, headers, settings):
    if headers:
        settings.PLANS_ANONYMOUS = "community"  # a broken credential is not an anonymous caller
    response = get_token(None, f"{PUBLIC}:pull", headers=headers)
    assert response.status_code == 401
    assert response.json()["errors"][0]["code"] == "UNAUTHORIZED"
    assert 'realm="https://tokens.example.com/token"' in response["WWW-Authenticate"]
    assert not Issuance.objects.exists()


def test_a_bad_token_is_challenged_in_its_own_scheme(get_token):
    bearer = get_token("x.y.z")
    assert bearer.status_code == 401
    assert bearer["WWW-Authenticate"].startswith('Bearer realm="')
    assert 'error="invalid_token"' in bearer["WWW-Authenticate"]
    assert get_token(None, headers={"Authorization": basic("x.y.z")})[
        "WWW-Authenticate"
    ].startswith('Basic realm="')


def test_the_default_plan_serves_tokens_without_one(authority, get_token, settings):
    settings.PLANS_DEFAULT = "community"
    assert get_token(authority.token(), f"{PUBLIC}:pull").status_code == 200
    assert Issuance.objects.get().plan == "community"
    assert get_token(authority.token(""), f"{PUBLIC}:pull").status_code == 403


def test_the_anonymous_plan_serves_callers_without_credentials(get_token, open_token, settings):
    settings.PLANS_ANONYMOUS = "community"
    assert open_token(get_token(None, f"{PUBLIC}:pull"))["sub"] == ""
    assert Issuance.objects.get().plan == "community"
    refused = get_token(None, f"{INTERNAL}:pull")
    assert refused.status_code == 403
    assert "log in" in refused.json()["errors"][0]["message"]
    assert Issuance.objects.count() == 1
    assert get_token("x.y.z", f"{PUBLIC}:pull").status_code == 401
