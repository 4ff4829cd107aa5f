"""Logging in: the Authority's token as password, no scope, and a refusal that shows."""

from __future__ import annotations

import time

import pytest

from tests.authority import Authority
from tests.e2e.clients import Skopeo, succeeded
from tests.e2e.service_log import decisions, undecided


@pytest.mark.parametrize("user", ["ci", "somebody@example.com"])
def test_logs_in_with_any_user_name_and_pushes(service, new_skopeo, image, user):
    token = service.authority.token("builder", "LIC-0001")
    skopeo = new_skopeo()
    assert "Login Succeeded!" in succeeded(skopeo.log_in(token, user))
    (login,) = decisions(service, token)
    assert (login["requested"], login["granted"], login["refusal"]) == ([], [], "")
    succeeded(skopeo.push(image, "team/after-login"))


@pytest.mark.parametrize(
    ("claims", "refusal"),
    [
        pytest.param({"licence": "LIC-0013"}, "licence_revoked", id="revoked licence"),
        pytest.param({"licence": " lic-0013"}, "licence_revoked", id="its other spelling"),
        pytest.param({"plan": "gold"}, "plan_unknown", id="unknown plan"),
        pytest.param({"plan": None}, "plan_unknown", id="no plan"),
        pytest.param({"scope": "openid"}, "insufficient_scope", id="missing scope"),
    ],
)
def test_refuses_the_login_of_a_caller_who_gets_nothing(service, new_skopeo, claims, refusal):
    token = service.authority.token(**{"plan": "builder"} | claims)
    assert "403 (Forbidden)" in _refused_login(new_skopeo(), token)
    assert [line["refusal"] for line in decisions(service, token)] == [refusal]


def _expired(authority: Authority) -> str:
    return authority.token("builder", exp=int(time.time()) - 60)


def _of_another_issuer(authority: Authority) -> str:
    return authority.token("builder", iss="https://other.example.com")


def _of_another_key(authority: Authority) -> str:
    return Authority().token("builder")


def _forged(authority: Authority) -> str:
    return authority.token("builder", key=Authority().key)


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        pytest.param(_expired, "expired", id="expired"),
        pytest.param(_of_another_issuer, "wrong_issuer", id="another issuer"),
        pytest.param(_of_another_key, "unknown_key", id="another Authority"),
        pytest.param(_forged, "bad_signature", id="forged"),
        pytest.param(lambda authority: "garbage", "invalid", id="garbage"),
    ],
)
def test_refuses_the_login_with_a_token_that_does_not_hold(service, new_skopeo, make, reason):
    before = len(undecided(service))
    assert "invalid username/password" in _refused_login(new_skopeo(), make(service.authority))
    (line,) = undecided(service)[before:]
    assert (line["status"], line["reason"].partition(":")[0]) == (401, reason)


def _refused_login(skopeo: Skopeo, token: str) -> str:
    """What skopeo says of it; it has kept no credential."""
    refused = skopeo.log_in(token)
    assert refused.returncode == 1
    assert skopeo.auth_file.read_text() == "{}"
    return refused.stderr
