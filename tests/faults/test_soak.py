"""A busy minute: many clients at once, a few slow ones among them."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator

import pytest

from tests.faults.load import Load, check_rows
from tests.faults.slow_manners import MANNERS, unread
from tests.faults.slow_sockets import SlowClients
from tests.service import Service

SECONDS = 60
TIME_LIMIT = 30  # seconds that a client may take for a request


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    with Service(tmp_path_factory.mktemp("soak")) as service:
        yield service


@pytest.fixture(scope="module")
def lasting(service: Service) -> Iterator[dict[str, SlowClients]]:
    """One of each manner, slow from before the busy minute until after it."""
    manners = MANNERS | {"an answer that is not read": unread(service)}
    with contextlib.ExitStack() as stack:
        yield {
            name: stack.enter_context(SlowClients(service.port, 1, manner))
            for name, manner in manners.items()
        }


def test_64_clients_get_every_token_for_a_minute(service, lasting):
    with Load(service, clients=64, rate=None) as load:
        time.sleep(SECONDS)
    assert load.failures() == []
    assert check_rows(load) == 0
    assert len({answer.client for answer in load.answers}) == 64


def test_nobody_may_be_slow_for_ever(service, lasting):
    assert [manner for manner, slow in lasting.items() if not slow.ended] == []
    assert max(slow.ended[0] for slow in lasting.values()) < TIME_LIMIT + 10
    assert service.request("GET", "/readyz")[0] == 200
