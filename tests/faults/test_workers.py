"""Workers that are killed, stopped and reloaded under load."""

from __future__ import annotations

import contextlib
import os
import signal
import time

import pytest

from tests.faults.load import Load, check_rows
from tests.faults.processes import client_ports, eventually, workers
from tests.service import Service

on_both = pytest.mark.parametrize("service", ["sqlite", "postgresql"], indirect=True)

GRACE = 30  # seconds; graceful_timeout in etc/gunicorn.conf.py


@pytest.fixture
def service(request, tmp_path):
    """A service of its own for each test, on SQLite or on PostgreSQL."""
    url = f"sqlite:///{tmp_path}/service.sqlite3"
    if request.param == "postgresql":
        url = request.getfixturevalue("postgres").url
    with Service(tmp_path, {"REGISTRY_TOKEN_DATABASE_URL": url}) as service:
        yield service


def kill_one(service):
    """Kill a worker; the ports of the clients whose connections it held."""
    victim = workers(service)[0]
    os.kill(victim, signal.SIGSTOP)  # what it holds stays as it is while one looks
    ports = client_ports(victim, service.port)
    os.kill(victim, signal.SIGKILL)
    assert eventually(lambda: victim not in workers(service) and len(workers(service)) == 2, 10)
    return ports


@on_both
def test_a_killed_worker_breaks_nothing_but_its_own_requests_and_is_replaced(service):
    held = set()
    with Load(service, clients=8, rate=None) as load:
        load.wait_good(100)
        for _ in range(4):
            held |= kill_one(service)
            load.wait_good(300)
    assert {answer.port for answer in load.failures()} <= held
    assert all(answer.sent and not answer.status for answer in load.failures())
    # A client has one request in flight.
    assert len(load.failures()) <= 4 * load.clients
    assert max(answer.latency for answer in load.good()) < 2
    assert check_rows(load) <= len(load.failures())


@pytest.mark.parametrize("service", ["postgresql"], indirect=True)
def test_a_reload_fails_no_request(service):
    # One load has always a request on its way, the other has idle connections.
    with Load(service, clients=4, rate=None) as busy, Load(service, clients=8, rate=40) as calm:
        calm.wait_good(20)
        old = workers(service)
        service.process.send_signal(signal.SIGHUP)
        assert eventually(lambda: _replaced(service, old), GRACE)
        calm.wait_good(20)
    assert (busy.failures(), calm.failures()) == ([], [])
    assert (check_rows(busy), check_rows(calm)) == (0, 0)


def _replaced(service, old):
    now = workers(service)
    return len(now) == len(old) and not set(now) & set(old)


@on_both
def test_stopping_answers_all_that_was_sent(service):
    with Load(service, clients=4, rate=None) as busy, Load(service, clients=8, rate=40) as calm:
        calm.wait_good(40)
        started = time.monotonic()
        assert service.stop() == 0
        assert time.monotonic() - started < GRACE
    for load in (busy, calm):
        assert [answer for answer in load.failures() if answer.sent] == []
        assert {answer.error for answer in load.failures()} <= {
            "ConnectionRefusedError(111, 'Connection refused')"
        }
        assert check_rows(load) == 0


@pytest.mark.parametrize("service", ["sqlite"], indirect=True)
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP], ids=["stop", "reload"])
def test_what_was_sent_before_a_worker_heard_of_the_end_is_answered(service, number):
    """On connections that it keeps, and on those that wait for somebody to accept them."""
    old = workers(service)
    with Load(service, clients=8, rate=None) as kept:
        kept.wait_good(40)
        with frozen(old), Load(service, clients=8, rate=None) as waiting:
            time.sleep(0.2)
            sent = time.monotonic()
            service.process.send_signal(number)
            if number == signal.SIGHUP:
                assert eventually(lambda: len(workers(service)) > len(old), 10)
            time.sleep(0.5)
            send_signals(old, signal.SIGCONT)
            assert eventually(lambda: not set(workers(service)) & set(old), GRACE)
    for load in (kept, waiting):
        assert [answer for answer in load.failures() if answer.sent] == []
        in_flight = load.since(0, until=sent)[-load.clients :]
        assert [answer.status for answer in in_flight] == [200] * load.clients
        assert all(answer.at + answer.latency > sent for answer in in_flight)


@contextlib.contextmanager
def frozen(pids):
    send_signals(pids, signal.SIGSTOP)
    try:
        yield
    finally:
        send_signals(pids, signal.SIGCONT)


def send_signals(pids, number):
    for pid in pids:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, number)
