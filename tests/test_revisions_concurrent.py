"""Writers at the same time, in several processes as in several replicas, stand in line."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.service import Service

# Threads of one process write in both ways, and retry nothing.
WRITE = """
import threading
from contextlib import nullcontext
from django.db import connection
from licences.models import RevokedLicence
from plans.revisions import catalogue_change

start, failures = threading.Barrier(2), []

def write(writer):
    try:
        start.wait()
        for number in range(8):
            change = catalogue_change(actor=writer, source="test")
            with change if number % 2 else nullcontext():
                RevokedLicence.objects.create(licence=f"{writer}-{number}")
    except Exception as error:
        failures.append(error)
    finally:
        connection.close()

threads = [threading.Thread(target=write, args=(f"PROCESS-{n}",)) for n in range(2)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
assert not failures, failures
"""

READ = """
import json
from licences.models import RevokedLicence
from plans.models import CatalogueRevision
print(json.dumps({
    "numbers": list(CatalogueRevision.objects.order_by("number").values_list("number", flat=True)),
    "fingerprints": CatalogueRevision.objects.values("fingerprint").distinct().count(),
    "licences": RevokedLicence.objects.count(),
}))
"""


@pytest.fixture
def database(tmp_path):
    """The set-up of a service that is not started, with a migrated database of its own."""
    service = Service(tmp_path)
    try:
        service.manage("migrate", "--verbosity", "0")
        yield service
    finally:
        service.__exit__()


def test_writers_at_the_same_time_get_numbers_of_their_own(database):
    def write(process):
        code = WRITE.replace("PROCESS", f"LIC-{process}")
        return database.manage("shell", "--no-imports", "-c", code, check=False)

    with ThreadPoolExecutor() as pool:
        for done in pool.map(write, range(2)):
            assert done.returncode == 0, done.stderr
    found = json.loads(database.manage("shell", "--no-imports", "-c", READ).stdout)
    assert found == {"numbers": list(range(33)), "fingerprints": 33, "licences": 32}
