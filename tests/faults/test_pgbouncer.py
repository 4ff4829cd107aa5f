"""pgbouncer in transaction mode between the service and PostgreSQL."""

from __future__ import annotations

import time

import pytest

from tests.faults.load import Load, check_rows
from tests.faults.outage import PROMISE, RECOVERY, cut_off, is_refused_well, unlike_an_outage
from tests.faults.proxies import PgBouncer
from tests.service import Service


@pytest.fixture(scope="module")
def pgbouncer(server):
    with PgBouncer(server, pool=3) as pgbouncer:
        yield pgbouncer


@pytest.fixture(scope="module")
def service(pgbouncer, tmp_path_factory):
    folder = tmp_path_factory.mktemp("pgbouncer")
    with Service(folder, {"REGISTRY_TOKEN_DATABASE_URL": pgbouncer.url}) as service:
        yield service


def test_many_clients_share_few_connections_without_an_error(service):
    with Load(service, clients=40, rate=None) as load:
        load.wait_good(1500, timeout=20)
    assert load.failures() == []
    assert max(answer.latency for answer in load.answers) < 2
    assert check_rows(load) == 0


def pausing(pgbouncer):
    """Clients wait for a connection to the server, without an end."""
    pgbouncer.tell("PAUSE")
    yield
    pgbouncer.tell("RESUME")


def stopping(pgbouncer):
    """Connections break and are refused."""
    pgbouncer.stop()
    yield
    pgbouncer.start()


@pytest.mark.parametrize("fault", [pausing, stopping])
def test_an_outage_of_it_is_503_within_two_seconds_and_ends_by_itself(service, pgbouncer, fault):
    with Load(service, clients=40, rate=100) as load:
        load.wait_good(80)
        steps = fault(pgbouncer)
        before = time.monotonic()
        next(steps)
        began = time.monotonic()
        time.sleep(4)
        ended = time.monotonic()
        next(steps, None)
        load.wait_good(40, timeout=RECOVERY)
        time.sleep(RECOVERY)
        load.wait_good(40)
    refused = load.since(began, until=ended - PROMISE)
    assert len(refused) >= load.clients / 2
    assert [answer for answer in refused if not is_refused_well(answer)] == []
    assert unlike_an_outage(load.answers) == []
    assert [answer for answer in load.since(ended + RECOVERY) if not answer.good] == []
    assert check_rows(load) <= cut_off(load.answers, before) + cut_off(load.answers, began)
