"""The Authority's key server fails in every way: callers whose key is at hand notice nothing."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest

from tests.faults.authority_served import prepared, started, with_keys
from tests.faults.authority_strangers import Strangers
from tests.faults.load import Load, check_rows
from tests.key_server import Answer, KeyServer, content, publishing
from tests.service import Service

WORKERS = 2


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """Migrated, with the catalogue, and stopped: each test starts it without keys."""
    with prepared(tmp_path_factory.mktemp("authority"), WORKERS) as service:
        service.stop()
        yield service


@pytest.fixture
def server(service: Service) -> Iterator[KeyServer]:
    with with_keys(service) as server:
        yield server


def hang(server: KeyServer) -> Answer:
    return server.hang


def drip(server: KeyServer) -> Answer:
    server.beginnings["/jwks"] = b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n"
    return server.drip


def redirect(server: KeyServer) -> Answer:
    return content(b"", 302, Location=f"{server.url}/elsewhere")


FAULTS = {
    "slow to say anything": hang,
    "slow to end": drip,
    "500": lambda server: content(b"", 500),
    "garbage": lambda server: content(b"\x00\xff<html>" * 100),
    "10 MB": lambda server: content(b'{"keys": [' + b" " * 10_000_000 + b"]}"),
    "a redirect": redirect,
}


def assert_nobody_notices(service: Service, server: KeyServer) -> None:
    """Load goes on, strangers are refused, and each worker asks the Authority once more at most."""
    with Load(service) as load, Strangers(service, clients=12) as strangers:
        time.sleep(1.5)
    assert load.failures() == []
    assert max(answer.latency for answer in load.answers) < 1
    assert check_rows(load) == 0
    assert strangers.statuses() <= {401, 429}
    assert len(strangers.answers) > 20
    # The first strangers waited for the Authority, but not for long.
    assert max(seconds for _, _, seconds in strangers.answers) < 3
    assert set(server.requests) == {"/jwks"}
    assert len(server.requests) <= 2 * WORKERS


@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS)
def test_a_failing_key_server_is_not_noticed(fault, service, server):
    server.answer = fault(server)
    assert_nobody_notices(service, server)
    assert len(server.requests) > WORKERS


def test_a_key_server_that_is_down_is_not_noticed(service, server):
    server.__exit__()
    assert_nobody_notices(service, server)


def test_unknown_keys_at_500_requests_are_one_question_for_each_worker(service, server):
    with Load(service) as load, Strangers(service, clients=5, each=100) as strangers:
        strangers.wait()
    assert len(strangers.answers) == 500
    assert strangers.statuses() <= {401, 429}
    assert load.failures() == []
    assert max(answer.latency for answer in load.answers) < 1
    assert WORKERS < len(server.requests) <= 2 * WORKERS


def test_without_keys_every_answer_is_a_quick_503_until_there_are_some(service):
    with KeyServer() as server:
        server.answer = content(b"", 500)
        with started(service, server), Load(service, clients=40, rate=None) as load:
            load.wait(200)
            server.answer = publishing(service.authority.key, service.authority.kid)
            asked = len(server.requests)
            load.wait_good(200, timeout=15)
    assert {answer.status for answer in load.answers} == {200, 503}
    refused = [answer for answer in load.answers if answer.status == 503]
    assert {answer.code for answer in refused} == {"UNAVAILABLE"}
    assert {int(answer.retry_after) for answer in refused} <= set(range(1, 11))
    assert max(answer.latency for answer in refused) < 2
    assert asked <= WORKERS
    assert check_rows(load) == 0
