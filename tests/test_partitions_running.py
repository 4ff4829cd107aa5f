"""Partitions come and go while the log is written to: nothing is lost, and nobody fails."""

from __future__ import annotations

import json

import pytest
from django.db import connection

from tests.service import Service

pytestmark = pytest.mark.skipif(connection.vendor != "postgresql", reason="PostgreSQL only")

BEFORE = ("issuances", "0003")

# Rows through the code of /token, by three threads, before, while and after the migration runs.
WRITE = """
import json, threading, time
from datetime import UTC, datetime, timedelta
from django.core.management import call_command
from django.db import connection
from issuances.keeping import partitions
from issuances.keeping.partitions_ahead import make_ahead
from issuances.models import Issuance
from registry_token import database, record
from registry_token.entitlement import Facts
from issuances.identifiers import uuid7
from registry_token.logs import encoded

def row(at):
    id = uuid7(at)
    return record.Row(id, at, "request", "ada", "", "", "community", "LIC-1", "registry",
        [{"type": "repository", "name": "a/b", "actions": ["pull"]}], [], None, None,
        "nothing_granted", 0, "", "192.0.2.1", "")

def commit(at):
    one = row(at)
    until = database.deadline()
    facts = record.assumed_facts(until)
    assert record.commit(one, encoded(one._asdict()), facts, until)
    return str(one.id)

written = []
failures, slowest, stop = [], [0.0], threading.Event()

def write():
    try:
        while not stop.is_set():
            begun = time.monotonic()
            written.append(commit(datetime.now(UTC)))
            slowest.append(time.monotonic() - begun)
    except Exception as error:
        failures.append(repr(error))
    finally:
        connection.close()

threads = [threading.Thread(target=write) for _ in range(3)]

def lost():
    return len(set(written) - {str(id) for id in Issuance.objects.values_list("id", flat=True)})

now = datetime.now(UTC)
"""

MIGRATE = """
def indexes():
    with connection.cursor() as cursor:
        cursor.execute("SELECT indexname FROM pg_indexes WHERE tablename = 'issuances_issuance'")
        return {name for (name,) in cursor.fetchall()}

def files():
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_relation_filenode(i.indexrelid) FROM pg_index i JOIN pg_class c"
            " ON c.oid = i.indrelid WHERE c.relname IN ('issuances_issuance', %s)"
            " AND c.relkind = 'r'", [partitions.TABLE + "_first"])
        return {node for (node,) in cursor.fetchall()}

call_command("migrate", *BEFORE, verbosity=0)
with connection.cursor() as cursor:
    cursor.execute("CREATE ROLE ROLE_NAME")
    cursor.execute("GRANT SELECT, INSERT ON issuances_issuance TO ROLE_NAME")
written += [commit(now - timedelta(days=days)) for days in range(900)]
found = {"before": sorted(indexes())}
files_before = files()
for thread in threads:
    thread.start()
time.sleep(0.3)
number = len(written)
call_command("migrate", "issuances", "0005", verbosity=0)
during = len(written) - number
time.sleep(0.3)
stop.set()
for thread in threads:
    thread.join()

def privileges():
    with connection.cursor() as cursor:
        cursor.execute("SELECT has_table_privilege('ROLE_NAME', 'issuances_issuance', 'INSERT')"
            ", has_table_privilege('ROLE_NAME', 'issuances_issuance', 'DELETE')")
        return list(cursor.fetchone())

found |= {
    "failures": failures,
    "slowest": max(slowest),
    "during": during,
    "lost": lost(),
    "rows": Issuance.objects.count() - len(written),
    "after": sorted(indexes()),
    "rebuilt": len(files_before - files()),
    "partitions": len(partitions.partitions()),
    "privileges": privileges(),
}
call_command("migrate", *BEFORE, verbosity=0)
found |= {
    "back": sorted(indexes()),
    "partitioned": partitions.is_partitioned(),
    "lost again": Issuance.objects.count() - len(written),
    "privileges again": privileges(),
}
call_command("migrate", "issuances", "0005", verbosity=0)
found["forth"] = sorted(indexes())
with connection.cursor() as cursor:
    cursor.execute("DROP OWNED BY ROLE_NAME")
    cursor.execute("DROP ROLE ROLE_NAME")
print(json.dumps(found))
"""

# Months long gone are dropped and new ones made, while somebody reads all of the log for a second.
PRUNE = """
from django.db import transaction
from issuances.keeping.partitions import Month

with connection.cursor() as cursor:
    cursor.execute("DROP TABLE issuances_issuance_first")
for month in (1, 2, 3):
    commit(datetime(2020, month, 1, tzinfo=UTC))
make_ahead(now)

def read():
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SELECT count(*) FROM issuances_issuance")
            cursor.execute("SELECT pg_sleep(1.2)")
    finally:
        connection.close()

reader = threading.Thread(target=read)
for thread in threads:
    thread.start()
time.sleep(0.3)
reader.start()
time.sleep(0.1)
begun, number = time.monotonic(), len(written)
call_command("prune_issuances", "--before", "2020-04-01", verbosity=0)
seconds, during = time.monotonic() - begun, len(written) - number
make_ahead(Month.of(now).after(2).begins)
reader.join()
time.sleep(0.2)
stop.set()
for thread in threads:
    thread.join()
print(json.dumps({
    "failures": failures,
    "slowest": max(slowest),
    "seconds": seconds,
    "during": during,
    "lost": lost(),
    "partitions": [one.name for one in partitions.partitions()],
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


def run(database, code):
    """What a program prints as JSON that has the code of /token write rows."""
    done = database.manage("shell", "--no-imports", "-c", WRITE + code, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


def test_rows_are_written_while_the_log_becomes_partitioned_and_back(database):
    role = "role_" + database.environment["REGISTRY_TOKEN_DATABASE_URL"].rpartition("_")[2]
    code = MIGRATE.replace("*BEFORE", ", ".join(map(repr, BEFORE)))
    found = run(database, code.replace("ROLE_NAME", role))
    assert found["failures"] == []
    assert found["during"] > 5
    assert found["slowest"] < 1.5
    assert (found["lost"], found["rows"], found["lost again"]) == (0, 0, 0)
    assert found["rebuilt"] == 0
    assert found["partitions"] >= 4
    assert found["privileges"] == found["privileges again"] == [True, False]
    assert not found["partitioned"]
    assert found["before"] == found["after"] == found["back"] == found["forth"]


def test_rows_are_written_while_months_are_dropped_and_made(database):
    found = run(database, PRUNE)
    assert found["failures"] == []
    assert found["seconds"] > 1  # it had to wait for the reader, and let others pass
    assert found["during"] > 20
    assert found["slowest"] < 1.5
    assert found["lost"] == 0
    assert not any("y2020" in name for name in found["partitions"])
