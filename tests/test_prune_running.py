"""Rows are deleted while others are written: tokens do not wait for it longer than they may."""

from __future__ import annotations

import json

import pytest

from tests.service import Service

# 15,000 old rows in three batches; meanwhile two threads write by the code of /token.
PRUNE = """
import json, threading, time
from datetime import UTC, datetime, timedelta
from django.core.management import call_command
from django.db import connection
from issuances.models import Issuance
from registry_token import database, record
from issuances.identifiers import uuid7
from registry_token.logs import encoded
from tests.log_rows import BEGIN, row, saved

for part in range(3):
    saved(*(row(5000 * part + number) for number in range(5000)))
written, failures, slowest, stop = [], [], [0.0], threading.Event()

def commit():
    at = datetime.now(UTC)
    one = record.Row(uuid7(at), at, "request", "ada", "", "", "community", "", "registry", [], [],
        None, None, "nothing_granted", 0, "", "192.0.2.1", "")
    until = database.deadline()
    facts = record.assumed_facts(until)
    assert record.commit(one, encoded(one._asdict()), facts, until)
    return one.id

def write():
    try:
        while not stop.is_set():
            begun = time.monotonic()
            written.append(commit())
            slowest.append(time.monotonic() - begun)
            time.sleep(0.01)
    except Exception as error:
        failures.append(repr(error))
    finally:
        connection.close()

threads = [threading.Thread(target=write) for _ in range(2)]
for thread in threads:
    thread.start()
time.sleep(0.2)
number = len(written)
call_command("prune_issuances", "--before", "2026-04-01", verbosity=0)
during = len(written) - number
stop.set()
for thread in threads:
    thread.join()
print(json.dumps({
    "failures": failures,
    "slowest": max(slowest),
    "during": during,
    "old": Issuance.objects.filter(subject="alice").count(),
    "lost": len(set(written) - set(Issuance.objects.values_list("id", flat=True))),
}))
"""


@pytest.fixture
def database(tmp_path):
    """A migrated database of its own."""
    service = Service(tmp_path)
    try:
        service.manage("migrate", "--verbosity", "0")
        yield service
    finally:
        service.__exit__(None, None, None)


def test_rows_are_written_while_others_are_deleted(database):
    done = database.manage("shell", "--no-imports", "-c", PRUNE, check=False)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout.splitlines()[-1])
    assert found["failures"] == []
    assert found["during"] > 20
    assert found["slowest"] < 1.5
    assert (found["old"], found["lost"]) == (0, 0)
