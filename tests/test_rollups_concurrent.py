"""Roll-ups at the same time, in several processes, one of them killed: each period is right."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from registry_token.config_values import BASE_DIR
from tests.service import Service

FILL = """
from datetime import timedelta
from django.utils import timezone
from tests.log_rows import BEGIN, row, saved
begin = (timezone.now() - BEGIN).total_seconds() - 1200 * 3600
saved(*(row(begin + number * 3600, subject=f"caller-{number % 7}") for number in range(1200)))
"""

READ = """
import json
from issuances.models import Issuance, Rollup
from issuances.counting.rollup_counts import ids_between
from issuances.counting.rollups import LENGTH
hours = Rollup.objects.filter(dimension="subject")
wrong = [
    str(one) for one in hours
    if Issuance.objects.filter(
        subject=one.key, id__range=ids_between(one.begin, one.begin + LENGTH[one.span])
    ).count() != one.granted
]
totals = Rollup.objects.filter(dimension="total").values_list("span", "begin")
print(json.dumps({"wrong": wrong, "subjects": len(hours), "totals": len(totals),
    "different": len(set(totals))}))
"""


@pytest.fixture
def database(tmp_path):
    """The set-up of a service that is not started, with rows of some days."""
    service = Service(tmp_path)
    try:
        service.manage("migrate", "--verbosity", "0")
        service.manage("shell", "--no-imports", "-c", FILL)
        yield service
    finally:
        service.__exit__()


def state(database):
    return json.loads(database.manage("shell", "--no-imports", "-c", READ).stdout)


def test_one_is_killed_and_two_run_at_once(database):
    killed = subprocess.Popen(
        [sys.executable, str(BASE_DIR / "manage.py"), "rollup_issuances"],
        env=database.environment,
        stdout=subprocess.DEVNULL,
    )
    deadline = time.monotonic() + 30
    while not state(database)["totals"] and time.monotonic() < deadline:
        pass
    killed.send_signal(signal.SIGKILL)
    assert killed.wait() == -signal.SIGKILL
    with ThreadPoolExecutor() as pool:
        done = list(pool.map(lambda _: database.manage("rollup_issuances"), range(2)))
    assert [one.returncode for one in done] == [0, 0]
    found = state(database)
    assert found["wrong"] == []
    assert found["totals"] == found["different"] >= 1198 + 49
    assert found["subjects"] > 400
    assert database.manage("rollup_issuances").stdout == "counted 0 hours and 0 days\n"
