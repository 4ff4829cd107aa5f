"""429 at /token: what is counted, what never is, and what a throttled network still gets."""

from __future__ import annotations

import base64
import ipaddress
import itertools
import time

import pytest

from registry_token.logs import decisions
from tests.conftest import basic

PULL = "repository:stella-ops/public/app:pull"
PUSH = "repository:stella-ops/private/app:push"
LIMIT = 4
LOGGERS = ("registry_token.decisions", "registry_token.throttle")

pytestmark = pytest.mark.usefixtures("catalogue")

_networks = itertools.count()


@pytest.fixture(autouse=True)
def network(client, settings):
    """The client's network, one that no other test has, as its first 24 bits with their dots."""
    settings.THROTTLE_FAILURES = LIMIT
    number = next(_networks)
    client.defaults["REMOTE_ADDR"] = f"10.77.{number}.9"
    return f"10.77.{number}"


@pytest.fixture
def fail(get_token, authority):
    """Failed authentications, each with an expired token of its own; their statuses."""

    def fail(times=1, **extra):
        expired = [authority.token("community", exp=int(time.time()) - 60) for _ in range(times)]
        return [get_token(token, PULL, **extra).status_code for token in expired]

    return fail


def test_failures_beyond_the_limit_are_too_many_requests(fail, get_token):
    assert fail(LIMIT + 1) == [401] * LIMIT + [429]
    response = get_token("not-a-token", PULL)
    (error,) = response.json()["errors"]
    seconds = response["Retry-After"]
    assert (response.status_code, error["code"]) == (429, "TOOMANYREQUESTS")
    assert error["message"].endswith(f"try again in {seconds} seconds")
    assert error["detail"] == {"reason": "too_many_failures"}
    assert 50 <= int(seconds) <= 60
    assert response["Cache-Control"] == "no-store"
    assert "WWW-Authenticate" not in response


def test_a_valid_caller_is_never_throttled(fail, get_token, post_token, authority):
    assert fail(LIMIT + 1)[-1] == 429
    token = authority.token("community")
    assert get_token(token, PULL).status_code == 200
    assert post_token(grant_type="password", password=token, scope=PULL).status_code == 200
    assert get_token(token, PUSH).status_code == 403


def test_the_probe_is_neither_counted_nor_throttled(fail, get_token, post_token):
    def probes():
        form = {"grant_type": "password", "username": "x", "scope": PULL}
        return {get_token(None, PULL).status_code, post_token(**form).status_code}

    for _ in range(LIMIT + 1):
        assert probes() == {401}
    assert fail(LIMIT + 1) == [401] * LIMIT + [429]
    assert probes() == {401}


UNREADABLE = {
    "no base64": "Basic ====",
    "no password": basic(""),
    "no colon": "Basic " + base64.b64encode(b"alone").decode(),
    "another scheme": "Digest username=x",
    "an empty Bearer": "Bearer ",
}


@pytest.mark.parametrize("header", UNREADABLE.values(), ids=UNREADABLE)
def test_an_unreadable_credential_is_counted(get_token, header):
    headers = {"Authorization": header}
    answers = [get_token(None, PULL, headers=headers).status_code for _ in range(LIMIT + 1)]
    assert answers == [401] * LIMIT + [429]


def test_a_post_that_is_repeated_as_get_counts_once(get_token, post_token, fail):
    for number in range(LIMIT):
        credential = f"credential-{number}"
        form = {"grant_type": "password", "password": credential, "scope": PULL}
        assert post_token(**form).status_code == 401
        headers = {"Authorization": basic(credential)}
        assert get_token(None, PULL, headers=headers).status_code == 401
    assert fail() == [429]


def test_refusals_are_not_counted(fail, get_token, authority):
    for _ in range(LIMIT + 1):
        assert get_token(authority.token("community"), PUSH).status_code == 403
    assert fail(LIMIT) == [401] * LIMIT


def test_an_outage_of_the_authority_is_not_counted(fail, settings, tmp_path):
    published, settings.AUTHORITY_JWKS = settings.AUTHORITY_JWKS, str(tmp_path / "missing.json")
    assert fail(LIMIT + 1) == [503] * (LIMIT + 1)
    settings.AUTHORITY_JWKS = published
    assert fail(LIMIT + 1) == [401] * LIMIT + [429]


def test_another_network_is_not_affected(fail):
    assert fail(LIMIT + 1)[-1] == 429
    assert fail(REMOTE_ADDR="10.78.0.9") == [401]


def test_zero_switches_it_off(fail, settings):
    settings.THROTTLE_FAILURES = 0
    assert set(fail(3 * LIMIT)) == {401}


def test_behind_a_trusted_proxy_the_forwarded_address_counts(fail, settings, network):
    settings.TRUSTED_PROXIES = (ipaddress.ip_network(f"{network}.0/24"),)
    assert fail(LIMIT + 1, headers={"X-Forwarded-For": "10.79.1.1"})[-1] == 429
    assert fail(headers={"X-Forwarded-For": "10.79.1.2"}) == [429]
    assert fail(headers={"X-Forwarded-For": "10.79.2.1"}) == [401]


def test_nobody_escapes_by_forwarding_for_others(fail):
    for number in range(LIMIT):
        assert fail(headers={"X-Forwarded-For": f"10.80.{number}.1"}) == [401]
    assert fail(headers={"X-Forwarded-For": "10.80.100.1"}) == [429]


def test_one_line_in_the_log_stands_for_all_that_are_throttled(fail, caplog, network):
    decisions.addHandler(caplog.handler)
    try:
        assert fail(LIMIT + 5) == [401] * LIMIT + [429] * 5
    finally:
        decisions.removeHandler(caplog.handler)
    *failures, line = [record.fields for record in caplog.records if record.name in LOGGERS]
    assert [failure["status"] for failure in failures] == [401] * LIMIT
    assert (line["network"], line["limit"]) == (f"{network}.0/24", LIMIT)
