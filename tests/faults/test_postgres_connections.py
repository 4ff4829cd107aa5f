"""PostgreSQL has no connection left for the service."""

from __future__ import annotations

import contextlib
import time

import psycopg

from tests.faults.load import Load, check_rows
from tests.faults.outage import RECOVERY, is_refused_well, unlike_an_outage


@contextlib.contextmanager
def no_connection_left(postgres):
    """Other sessions hold every connection; the service's own end and cannot come again."""
    with contextlib.ExitStack() as stack:
        first = stack.enter_context(psycopg.connect(postgres.url, autocommit=True))
        first.execute("SET application_name = 'other'")
        while True:
            try:
                url = f"{postgres.url}?application_name=other"
                stack.enter_context(psycopg.connect(url, autocommit=True))
            except psycopg.OperationalError:
                if not postgres.end_sessions(first):
                    break
        yield


def test_no_connection_left_is_503_within_two_seconds_and_ends_by_itself(postgres, on_postgres):
    with Load(on_postgres, clients=40, rate=100) as load:
        load.wait_good(80)
        filling = time.monotonic()
        with no_connection_left(postgres):
            began = time.monotonic()
            time.sleep(3)
            ended = time.monotonic()
        load.wait_good(40, timeout=RECOVERY)
        time.sleep(RECOVERY)
        load.wait_good(80)
    # The last slots are fought for: what was on its way then may have got through.
    refused = load.since(began + 0.5, until=ended - 0.5)
    assert len(refused) >= load.clients / 2
    assert [answer for answer in refused if not is_refused_well(answer)] == []
    assert unlike_an_outage(load.answers) == []
    assert [answer for answer in load.since(0, until=filling - 1) if not answer.good] == []
    assert [answer for answer in load.since(ended + RECOVERY) if not answer.good] == []
    assert check_rows(load) <= len(load.failures())
