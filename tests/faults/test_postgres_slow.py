"""PostgreSQL is up and does not answer: a lock, processes that hang."""

from __future__ import annotations

import contextlib
import os
import signal
import time
from concurrent.futures import ThreadPoolExecutor

import psycopg
import pytest

from tests.faults.load import Load, check_rows
from tests.faults.outage import PROMISE, RECOVERY, cut_off, is_refused_well, unlike_an_outage


@contextlib.contextmanager
def locked(postgres):
    """Another session keeps the log for itself."""
    with psycopg.connect(postgres.url) as connection:
        connection.execute("LOCK TABLE issuances_issuance IN ACCESS EXCLUSIVE MODE")
        yield
        connection.rollback()


@contextlib.contextmanager
def frozen_sessions(postgres):
    """The sessions of the service hang, new ones do not."""
    backends = postgres.backends()
    assert backends
    for pid in backends:
        os.kill(pid, signal.SIGSTOP)
    yield
    for pid in backends:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGCONT)


@contextlib.contextmanager
def frozen_server(postgres):
    """Everything hangs, and new connections are taken by the kernel only."""
    postgres.freeze()
    yield
    postgres.thaw()


@contextlib.contextmanager
def lost_standby(postgres):
    """Reading works, every commit waits for a standby that never comes."""
    postgres.alter_system("synchronous_standby_names", "nobody")
    yield
    postgres.alter_system("synchronous_standby_names", "''")


def test_a_locked_log_is_503_within_two_seconds_for_all(postgres, on_postgres):
    with Load(on_postgres, clients=40, rate=100) as load:
        load.wait_good(80)
        with locked(postgres):
            began = time.monotonic()
            for _ in range(5):
                time.sleep(1)
                assert seconds_of_a_probe(on_postgres) < PROMISE
            ended = time.monotonic()
        load.wait_good(40, timeout=2)
        time.sleep(2)
        load.wait_good(80)
    refused = load.since(began, until=ended - PROMISE)
    assert len(refused) >= load.clients / 2
    assert [answer for answer in refused if not is_refused_well(answer)] == []
    assert unlike_an_outage(load.answers) == []
    assert [answer for answer in load.since(ended + 2) if not answer.good] == []
    # What was given up must not be written later, when the lock is gone.
    assert check_rows(load) <= cut_off(load.answers, ended)
    assert check_rows(load) == 0


def seconds_of_a_probe(service):
    """How long the liveness probe took, which touches no database."""
    started = time.monotonic()
    assert service.request("GET", "/healthz")[0] == 200
    return time.monotonic() - started


@pytest.mark.parametrize("hang", [frozen_sessions, frozen_server, lost_standby])
def test_a_database_that_hangs_is_503_within_two_seconds(postgres, on_postgres, hang):
    with Load(on_postgres, clients=40, rate=100) as load:
        load.wait_good(80)
        with hang(postgres):
            began = time.monotonic()
            time.sleep(4)
            ended = time.monotonic()
        load.wait_good(40, timeout=RECOVERY)
        time.sleep(RECOVERY)
        load.wait_good(40)
    hung = load.since(began, until=ended - PROMISE)
    assert len(hung) >= load.clients / 2
    assert unlike_an_outage(load.answers) == []
    if hang is not frozen_sessions:
        assert [answer for answer in hung if not is_refused_well(answer)] == []
    assert [answer for answer in load.since(ended + RECOVERY) if not answer.good] == []
    # The server may go on later with what it was sent, and nobody waits for the answer any more.
    given_up = [answer for answer in load.failures() if answer.latency > 1]
    assert check_rows(load) <= len(given_up) + cut_off(load.answers, began)


def test_probes_and_tokens_do_not_wait_for_a_frozen_server(postgres, on_postgres):
    """Were readiness to wait without limit, each probe would take a thread for good."""
    assert on_postgres.request("GET", "/readyz")[0] == 200
    with frozen_server(postgres), ThreadPoolExecutor(32) as pool:
        ready = [pool.submit(timed, on_postgres, "/readyz") for _ in range(32)]
        assert {probe.result()[0] for probe in ready} == {503}
        assert max(probe.result()[1] for probe in ready) < 2 * PROMISE
        assert seconds_of_a_probe(on_postgres) < 1


def timed(service, path):
    """The status, and how long it took: seconds."""
    began = time.monotonic()
    status = service.request("GET", path)[0]
    return status, time.monotonic() - began


def test_a_catalogue_that_cannot_be_read_is_503_in_time(postgres, on_postgres):
    """The probe finds nothing wrong, so that who waits for a free thread waits twice."""
    with Load(on_postgres, clients=20, rate=60) as load:
        load.wait_good(40)
        with psycopg.connect(postgres.url) as reader:
            reader.execute("LOCK TABLE plans_plan IN ACCESS EXCLUSIVE MODE")
            with psycopg.connect(postgres.url, autocommit=True) as writer:
                writer.execute(
                    "INSERT INTO plans_cataloguerevision (number, fingerprint, created_at, actor,"
                    " source, reason) SELECT max(number) + 1, md5(random()::text), now(), 'test',"
                    " 'code', 'test' FROM plans_cataloguerevision"
                )
            began = time.monotonic()
            time.sleep(6)
            assert seconds_of_a_probe(on_postgres) < PROMISE
            ended = time.monotonic()
            reader.rollback()
        time.sleep(RECOVERY)
        load.wait_good(40)
    refused = load.since(began, until=ended - 2 * PROMISE)
    assert len(refused) >= load.clients / 2
    assert {(answer.status, answer.code) for answer in refused} == {(503, "UNAVAILABLE")}
    assert max(answer.latency for answer in refused) < 2 * PROMISE
    assert [answer for answer in load.since(ended + RECOVERY) if not answer.good] == []


def test_slow_inserts_are_no_outage(postgres, on_postgres):
    """Those who have stood in line for too long are refused, the others get their tokens."""
    slow = (
        "CREATE FUNCTION slow() RETURNS trigger LANGUAGE plpgsql AS"
        " 'BEGIN PERFORM pg_sleep(0.8); RETURN NULL; END'",
        "CREATE TRIGGER slow AFTER INSERT ON issuances_issuance EXECUTE FUNCTION slow()",
    )
    with Load(on_postgres, clients=8, rate=30) as load:
        load.wait_good(20)
        with psycopg.connect(postgres.url, autocommit=True) as connection:
            for statement in slow:
                connection.execute(statement)
            began = time.monotonic()
            time.sleep(8)
            ended = time.monotonic()
            connection.execute("DROP FUNCTION slow CASCADE")
        load.wait_good(20, timeout=RECOVERY)
    answers = load.since(began + PROMISE, until=ended - PROMISE)
    good = [answer for answer in answers if answer.good]
    assert len(good) >= 8
    assert unlike_an_outage(load.answers) == []
    assert "the database hangs" not in on_postgres.output.read_text()[-2000:]
    assert check_rows(load) == 0
