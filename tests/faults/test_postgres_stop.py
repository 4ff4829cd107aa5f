"""PostgreSQL is stopped and started under load; the service is not touched."""

from __future__ import annotations

import time

import pytest

from tests.faults.load import Load, check_rows
from tests.faults.outage import RECOVERY, cut_off, is_refused_well, unlike_an_outage


@pytest.mark.parametrize("mode", ["fast", "immediate"])
def test_an_outage_is_503_within_two_seconds_and_ends_by_itself(postgres, on_postgres, mode):
    with Load(on_postgres, clients=8, rate=80) as load:
        load.wait_good(40)
        stopping = time.monotonic()
        postgres.stop(mode)
        stopped = time.monotonic()
        time.sleep(3)
        back = time.monotonic()
        postgres.start()
        started = time.monotonic()
        assert load.wait_good(40) < RECOVERY + 1
        time.sleep(RECOVERY)
        load.wait_good(20)
    outage = load.since(stopped, until=back - 2)
    assert outage
    assert [answer for answer in outage if not is_refused_well(answer)] == []
    assert unlike_an_outage(load.answers) == []
    assert [answer for answer in load.since(started + RECOVERY) if not answer.good] == []
    assert [answer for answer in load.since(0, until=stopping - 1) if not answer.good] == []
    assert check_rows(load) <= cut_off(load.answers, stopping) + cut_off(load.answers, stopped)


def test_sessions_ended_by_an_administrator_are_replaced_unnoticed(postgres, on_postgres):
    cut = 0
    with Load(on_postgres, clients=8, rate=80) as load:
        load.wait_good(40)
        for _ in range(3):
            ending = time.monotonic()
            assert postgres.end_sessions()
            ended = time.monotonic()
            time.sleep(1)
            cut += cut_off(load.answers, ending) + cut_off(load.answers, ended)
    # A request whose insert was cut off may fail: nobody knows whether the row is there.
    assert len(load.failures()) <= cut
    assert unlike_an_outage(load.answers) == []
    assert check_rows(load) <= cut
