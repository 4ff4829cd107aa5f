"""Ten thousand bad tokens in a burst: good callers keep at least half of their throughput."""

from __future__ import annotations

import secrets
import shutil
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from benchmarks.callers import Ask, write_lua
from benchmarks.load import run_wrk
from tests.caller_tokens import raw_token
from tests.faults.load import SCOPE, Load, check_rows
from tests.service import SERVICE, Service

BAD = 10_000
CONNECTIONS = 8  # of the good and, as many again, of the bad
SLICE = 2  # seconds
TRIES = 3  # a busy machine may spoil one
FILES = 4

pytestmark = pytest.mark.skipif(not shutil.which("wrk"), reason="wrk is needed; Debian: wrk")


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    with Service(tmp_path_factory.mktemp("burst")) as service:
        yield service


def ask(token: str) -> Ask:
    bearer = {"Authorization": f"Bearer {token}"}
    return Ask("GET", f"/token?service={SERVICE}&scope={SCOPE}", bearer, "", "", "", [])


def badly_signed(service: Service) -> str:
    """In good form to the last byte: the signature is a number that the key could have made."""
    claims = service.authority.claims(**{"stellaops:plan": "community"})
    signature = bytes(1) + secrets.token_bytes(255)
    return raw_token(service.authority, payload=claims, sign=lambda _: signature)


def expired(service: Service) -> str:
    return service.authority.token("community", exp=1)


class Burst:
    """Sends bad tokens from entering on, as fast as wrk can, until there have been `BAD`."""

    def __init__(self, service: Service, tables: list[Path]) -> None:
        self.refused = self.granted = self.broken = 0
        self._thread = threading.Thread(target=self._run, args=[service.url, tables])

    def __enter__(self) -> Burst:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._thread.join()

    @property
    def goes_on(self) -> bool:
        return self._thread.is_alive()

    def _run(self, url: str, tables: list[Path]) -> None:
        while self.refused < BAD:
            table = tables.pop(0)
            tables.append(table)
            seen = run_wrk(url, table, connections=CONNECTIONS, seconds=SLICE, core=None)
            self.refused += seen.refused
            self.granted += seen.answers
            self.broken += seen.socket_errors


def good_rate(service: Service, table: Path) -> float:
    """Tokens a second."""
    seen = run_wrk(service.url, table, connections=CONNECTIONS, seconds=SLICE, core=None)
    assert seen.errors == 0
    return seen.answers / seen.microseconds * 1e6


def rates(service: Service, good: Path, bad: list[Path]) -> tuple[float, float]:
    """Good tokens a second alone, and during a burst of which nothing gets through."""
    alone = good_rate(service, good)
    during = []
    with Burst(service, bad) as burst:
        while burst.goes_on or not during:
            during.append(good_rate(service, good))
    assert burst.refused >= BAD
    assert burst.granted == 0
    assert burst.broken == 0
    complete = during[:-1] or during  # the burst may have ended during the last
    return alone, sum(complete) / len(complete)


def test_ten_thousand_bad_tokens_leave_half_of_the_throughput(service, tmp_path):
    good, bad = tmp_path / "good.lua", [tmp_path / f"bad-{number}.lua" for number in range(FILES)]
    write_lua([ask(service.authority.token("community")) for _ in range(100)], good)
    for table in bad:
        tokens = [badly_signed(service) for _ in range(BAD // FILES - 500)]
        tokens += [expired(service) for _ in range(500)]
        write_lua([ask(token) for token in tokens], table)
    measured = []
    with Load(service, clients=2, rate=10) as load:
        while len(measured) < TRIES:
            alone, during = rates(service, good, bad)
            measured.append(during / alone)
            if measured[-1] >= 0.5:
                break
    assert max(measured) >= 0.5, measured
    assert load.failures() == []
    assert max(answer.latency for answer in load.answers) < 1
    assert check_rows(load) == 0
