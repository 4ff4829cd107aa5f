"""Slow clients, hundreds of them, cost others no time."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest

from tests.faults.slow_manners import MANNERS, assert_serves_promptly, unread
from tests.faults.slow_sockets import SlowClients
from tests.service import Service

SLOW = 200


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    with Service(tmp_path_factory.mktemp("slow")) as service:
        yield service


@pytest.mark.parametrize("manner", MANNERS.values(), ids=MANNERS)
def test_a_normal_client_gets_its_token_within_a_second(manner, service):
    with SlowClients(service.port, SLOW, manner) as slow:
        time.sleep(0.6)
        assert_serves_promptly(service)
        assert slow.ended == []


def test_answers_that_nobody_reads_cost_others_no_time(service):
    with SlowClients(service.port, 24, unread(service)):
        time.sleep(1)
        assert_serves_promptly(service)
    assert_serves_promptly(service)
