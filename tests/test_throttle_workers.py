"""The throttle in the service as shipped: its workers count together, and a reload keeps counts."""

from __future__ import annotations

import json
import signal
import time
from pathlib import Path

import pytest

from tests.service import SERVICE, Service

LIMIT = 20
PATH = f"/token?service={SERVICE}&scope=repository:stella-ops/public/app:pull"


@pytest.fixture(scope="module")
def throttling(tmp_path_factory):
    environment = {"WEB_CONCURRENCY": "2", "REGISTRY_TOKEN_THROTTLE_FAILURES": str(LIMIT)}
    with Service(tmp_path_factory.mktemp("throttling"), environment) as service:
        yield service


def ask(service, token):
    headers = {"Authorization": f"Bearer {token}"}
    status, fields, _ = service.request("GET", PATH, headers=headers)
    return status, fields.get("Retry-After")


def workers(service):
    main = service.process.pid
    return set(Path(f"/proc/{main}/task/{main}/children").read_text().split())


def reload(service):
    """Reload, and wait until none of the old workers is left."""
    old = workers(service)
    service.process.send_signal(signal.SIGHUP)
    deadline = time.monotonic() + 30
    while old & workers(service) or len(workers(service)) < 2:
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_all_workers_have_one_count_that_a_reload_keeps(throttling):
    answers = [ask(throttling, "not-a-token") for _ in range(LIMIT)]
    assert answers == [(401, None)] * LIMIT
    reload(throttling)
    answers = [ask(throttling, "not-a-token") for _ in range(LIMIT)]
    assert {status for status, _ in answers} == {429}
    assert all(1 <= int(retry_after) <= 60 for _, retry_after in answers)
    assert ask(throttling, throttling.authority.token("community"))[0] == 200
    lines = [json.loads(line) for line in throttling.output.read_text().splitlines() if "{" in line]
    (line,) = [line for line in lines if line["logger"] == "registry_token.throttle"]
    assert (line["level"], line["network"], line["limit"]) == ("WARNING", "127.0.0.0/24", LIMIT)
