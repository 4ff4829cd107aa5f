"""Two replicas on one PostgreSQL behind haproxy: what is changed on one counts on the other."""

from __future__ import annotations

import http.client
import json
import secrets
import time

import psycopg
import pytest

from tests.faults.browser import Browser
from tests.faults.load import Load, check_rows
from tests.faults.processes import kill_all
from tests.faults.proxies import Haproxy
from tests.service import SERVICE, Service

PASSWORD = secrets.token_urlsafe(16)


def replica(folder, database, of=None):
    """A service, of the same database, keys and Authority as another."""
    folder.mkdir()
    settings = {
        "REGISTRY_TOKEN_DATABASE_URL": database,
        "REGISTRY_TOKEN_TRUSTED_PROXIES": "127.0.0.1",
        "DJANGO_SUPERUSER_PASSWORD": PASSWORD,
    }
    if of is None:
        return Service(folder, settings)
    for name in ("SIGNING_KEY", "AUTHORITY_JWKS", "SECRET_KEY"):
        settings[f"REGISTRY_TOKEN_{name}"] = of.environment[f"REGISTRY_TOKEN_{name}"]
    service = Service(folder, settings)
    service.signing_key, service.authority = of.signing_key, of.authority
    return service


@pytest.fixture(scope="module")
def replicas(server, tmp_path_factory):
    folder = tmp_path_factory.mktemp("replicas")
    with replica(folder / "a", server.url) as a, replica(folder / "b", server.url, a) as b:
        a.manage("createsuperuser", "--no-input", "--username", "eve", "--email", "")
        yield a, b


@pytest.fixture(scope="module")
def haproxy(replicas):
    with Haproxy(*replicas) as haproxy:
        time.sleep(0.5)  # its first checks
        yield haproxy


@pytest.fixture(scope="module")
def browsers(replicas):
    """An administrator at each replica."""
    return [Browser(service, "eve", PASSWORD) for service in replicas]


def ask(port, token, scope, source="127.0.0.1"):
    """GET /token: the status, and the granted scope or the refusal's reason."""
    connection = http.client.HTTPConnection(
        "127.0.0.1", port, timeout=10, source_address=(source, 0)
    )
    try:
        bearer = {"Authorization": f"Bearer {token}"}
        connection.request("GET", f"/token?service={SERVICE}&scope={scope}", headers=bearer)
        response = connection.getresponse()
        document = json.loads(response.read())
    finally:
        connection.close()
    if response.status == 200:
        return 200, document["scope"]
    return response.status, document["errors"][0]["detail"]["reason"]


@pytest.mark.parametrize("here", [0, 1])
def test_a_revocation_counts_at_the_next_request_of_the_other(replicas, haproxy, browsers, here):
    one, other = replicas[here], replicas[1 - here]
    scope = "repository:stella-ops/app:pull"
    with Load(one, urls=[one.url, other.url]) as load:
        for _ in range(5):
            licence = f"LIC-{secrets.token_hex(4)}"
            token = one.authority.token("enterprise", licence)
            for port in (one.port, other.port, haproxy.port):
                assert ask(port, token, scope) == (200, scope)
            browsers[here].revoke(licence)
            for port in (other.port, one.port, *[haproxy.port] * 4):
                assert ask(port, token, scope) == (403, "licence_revoked")
    assert load.failures() == []
    assert check_rows(load) == 0


@pytest.mark.parametrize("here", [0, 1])
def test_a_changed_rule_counts_at_the_next_request_of_the_other(replicas, haproxy, browsers, here):
    one, other = replicas[here], replicas[1 - here]
    token = one.authority.token(plan := f"team-{here}")
    with Load(one, urls=[one.url, other.url]) as load:
        browsers[here].add_plan(plan, "team/a")
        for name in ("b", "c", "d"):
            allowed, denied = f"repository:team/{name}:pull", "repository:team/a:pull"
            assert ask(other.port, token, allowed) == (403, "nothing_granted")
            browsers[here].change_rule(f"team/{name}")
            for port in (other.port, one.port, *[haproxy.port] * 4):
                assert ask(port, token, allowed) == (200, allowed)
                assert ask(port, token, denied) == (403, "nothing_granted")
    assert load.failures() == []


def test_the_log_has_the_address_of_the_client_and_not_of_the_balancer(replicas, haproxy):
    token = replicas[0].authority.token("community", sub=(subject := secrets.token_hex(8)))
    scope = "repository:stella-ops/public/app:pull"
    assert ask(haproxy.port, token, scope, source="127.0.0.2")[0] == 200
    with psycopg.connect(replicas[0].environment["REGISTRY_TOKEN_DATABASE_URL"]) as connection:
        query = "SELECT remote_address FROM issuances_issuance WHERE subject = %s"
        assert connection.execute(query, [subject]).fetchall() == [("127.0.0.2",)]


def test_a_replica_that_is_stopped_fails_no_request(replicas, haproxy):
    a, _ = replicas
    with Load(a, urls=[haproxy.url], clients=8, rate=None) as load:
        load.wait_good(200)
        assert a.stop() == 0
        load.wait_good(200)
        a.start()
        time.sleep(0.5)  # until haproxy has seen it
        load.wait_good(200)
    assert load.failures() == []
    assert max(answer.latency for answer in load.answers) < 2
    # haproxy may have asked twice.
    assert check_rows(load) <= load.clients


def test_a_replica_that_dies_breaks_at_most_its_requests_in_flight(replicas, haproxy):
    a, _ = replicas
    with Load(a, urls=[haproxy.url], clients=8, rate=None) as load:
        load.wait_good(200)
        kill_all(a)
        load.wait_good(400)
    assert {answer.status for answer in load.failures()} <= {0, 502, 503}
    assert len(load.failures()) <= load.clients
    assert check_rows(load) <= 2 * load.clients
