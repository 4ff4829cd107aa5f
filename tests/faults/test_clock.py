"""The clock of one replica is wrong: what that changes, and that it ends with the leeway.

By the service's own clock no token counts longer than its `exp` and the leeway (30 s), nor earlier
than its `iat` and `nbf` less the leeway. So a clock that is S seconds ahead refuses tokens S - 30 s
before they expire, one that is S behind takes them for S + 30 s after, and refuses new ones until
they are S - 30 s old. Registry tokens are S early or late for the registry, which allows 60 s.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from uuid import UUID

import jwt
import pytest

from tests.faults.clock import Clock, replica
from tests.faults.load import SCOPE, Load, check_rows
from tests.faults.processes import workers
from tests.service import SERVICE, Service

# Refusals are looked at for their reasons.
OPTIONS = {"WEB_CONCURRENCY": "1", "REGISTRY_TOKEN_THROTTLE_FAILURES": "0"}
LEEWAY = 30
STEP = 300
PATH = f"/token?service={SERVICE}&scope={SCOPE}"


@pytest.fixture(scope="module")
def true(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """A replica whose clock is right."""
    with Service(tmp_path_factory.mktemp("true"), OPTIONS) as service:
        yield service


@pytest.fixture(scope="module")
def clock(tmp_path_factory: pytest.TempPathFactory) -> Clock:
    return Clock(tmp_path_factory.mktemp("clock"))


@pytest.fixture(scope="module")
def wrong(
    true: Service, clock: Clock, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Service]:
    """A replica that goes by `clock`."""
    environment = clock.environment | OPTIONS
    with replica(tmp_path_factory.mktemp("wrong"), true, environment) as service:
        pids = workers(service)
        yield service
        assert workers(service) == pids
        assert "Traceback" not in service.output.read_text()


@pytest.fixture(autouse=True)
def _right_again(clock: Clock) -> Iterator[None]:
    yield
    clock.step(0)


def ask(service: Service, token: str) -> tuple[int, str]:
    """The status, and the reason of a refusal or the registry token."""
    status, _, body = service.request("GET", PATH, headers={"Authorization": f"Bearer {token}"})
    document = json.loads(body)
    if status == 200:
        return status, document["token"]
    return status, document["errors"][0]["detail"]["reason"]


@pytest.mark.parametrize("seconds", [25, -25])
def test_a_step_within_the_leeway_refuses_nobody(seconds, wrong, clock):
    with Load(wrong, check_times=False) as load:
        load.wait(30)
        clock.step(seconds)
        load.wait(50)
        clock.step(0)
        load.wait(30)
    assert load.failures() == []
    assert check_rows(load) == 0


@pytest.mark.parametrize("seconds", [25, -25, STEP, -STEP])
def test_registry_tokens_are_off_by_the_step_and_no_more(seconds, wrong, clock):
    clock.step(seconds)
    now = time.time()
    status, token = ask(wrong, wrong.authority.token("community", iat=None))
    assert status == 200
    claims = jwt.decode(token, options={"verify_signature": False})
    assert claims["nbf"] - (now + seconds) == pytest.approx(-5, abs=3)
    assert claims["exp"] - claims["nbf"] == 300
    # The row has the same id, a UUIDv7: the log is in the order of the clocks.
    logged = (UUID(claims["jti"]).int >> 80) / 1000
    assert logged - (now + seconds) == pytest.approx(0, abs=3)


def test_a_step_of_five_minutes_is_survived_and_over_at_once(wrong, clock):
    with Load(wrong, check_times=False) as load:
        load.wait_good(30)
        clock.step(STEP)
        load.wait_good(50)
        assert load.failures() == []
        clock.step(-STEP)
        stepped = time.monotonic()
        time.sleep(1)
        restored = time.monotonic()
        clock.step(0)
        assert load.wait_good(50) < 2
    # The callers' tokens are five minutes younger than nothing, also those verified before.
    refused = load.since(stepped + 0.1, restored - 0.1)
    assert len(refused) > 20
    assert {answer.status for answer in refused} == {401}
    assert [answer for answer in load.since(restored + 0.1) if not answer.good] == []
    assert max(answer.latency for answer in load.answers) < 1
    assert check_rows(load) == 0


TOKENS = {
    # Times from now on: iat, exp; then the answers at a clock that is right, ahead, behind.
    "a new one": (0, 600, "200 200 not_yet_valid"),
    "one with a minute left": (-540, 60, "200 expired 200"),
    "one that expired a minute ago": (-660, -60, "expired expired 200"),
    "one that expired long ago": (-1200, -STEP - LEEWAY - 20, "expired expired expired"),
    "one that has the leeway after the step": (-200, STEP - LEEWAY + 20, "200 200 not_yet_valid"),
    "one that has less": (-300, STEP - LEEWAY - 20, "200 expired 200"),
    "one of five minutes from now": (STEP, STEP + 600, "not_yet_valid 200 not_yet_valid"),
}


@pytest.mark.parametrize(("iat", "exp", "expected"), TOKENS.values(), ids=TOKENS)
def test_callers_are_judged_by_the_clock_that_their_replica_has(
    iat, exp, expected, true, wrong, clock
):
    now = int(time.time())
    token = true.authority.token("community", iat=now + iat, exp=now + exp)
    answers = [ask(true, token)]
    for seconds in STEP, -STEP:
        clock.step(seconds)
        answers.append(ask(wrong, token))
    said = ["200" if status == 200 else reason for status, reason in answers]
    assert said == expected.split()


def test_a_remembered_token_ends_with_its_exp_and_the_leeway(wrong, clock):
    token = wrong.authority.token("community", exp=int(time.time()) + 10)
    for seconds, expected in (0, 200), (LEEWAY - 5, 200), (LEEWAY + 15, 401), (0, 200), (45, 401):
        clock.step(seconds)
        assert ask(wrong, token)[0] == expected, seconds


@pytest.mark.parametrize("seconds", [STEP, -STEP])
def test_a_revocation_counts_at_once_whatever_the_clocks(seconds, true, wrong, clock):
    licence = f"LIC-{seconds}"
    token = true.authority.token("community", licence, iat=None)
    clock.step(seconds)
    assert [ask(replica, token)[0] for replica in (true, wrong)] == [200, 200]
    change = f"from licences.models import *; RevokedLicence.objects.{{}}(licence='{licence}')"
    wrong.manage("shell", "-c", change.format("create"))
    assert [ask(replica, token)[1] for replica in (true, wrong)] == ["licence_revoked"] * 2
    true.manage("shell", "-c", change.format("get") + ".delete()")
    assert [ask(replica, token)[0] for replica in (true, wrong)] == [200, 200]
