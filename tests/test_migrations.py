"""The migrations: complete, from nothing, and back."""

from __future__ import annotations

import json
from io import StringIO

import pytest
from django.core.management import call_command
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

from plans.models import CatalogueRevision
from tests.service import Service


@pytest.mark.django_db
def test_no_migration_is_missing():
    out = StringIO()
    call_command("makemigrations", "--check", "--dry-run", stdout=out)
    assert out.getvalue() == "No changes detected\n"


@pytest.mark.django_db
def test_the_database_begins_with_revision_zero():
    (revision,) = CatalogueRevision.objects.all()
    assert (revision.number, revision.source) == (0, "setup")
    assert len(revision.fingerprint) == 32


@pytest.mark.django_db
def test_every_migration_of_ours_can_be_reversed():
    executor = MigrationExecutor(connection)
    ours = [key for key in executor.loader.graph.nodes if key[0] in OURS]
    assert {app for app, _ in ours} == set(OURS)
    for key in ours:
        operations = executor.loader.graph.nodes[key].operations
        assert all(operation.reversible for operation in operations), key


OURS = ("plans", "licences", "issuances")

READ = """
import json
from django.db import connection
from plans.models import CatalogueRevision
tables = connection.introspection.table_names()
found = list(CatalogueRevision.objects.values_list("number", flat=True)) if "plans_plan" in tables else None
print(json.dumps([sorted(t for t in tables if t.split("_")[0] in ("plans", "licences", "issuances")), found]))
"""  # noqa: E501


def test_forwards_back_and_forwards_again(tmp_path):
    """On a database of its own: the command, as an operator runs it."""
    service = Service(tmp_path)

    def state():
        return json.loads(service.manage("shell", "--no-imports", "-c", READ).stdout)

    try:
        service.manage("migrate", "--verbosity", "0")
        tables, numbers = first = state()
        assert len(tables) == 6
        assert numbers == [0]
        service.manage("shell", "--no-imports", "-c", BACK)
        assert state() == first
    finally:
        service.__exit__(None, None, None)


BACK = f"""
from django.core.management import call_command
from django.db import connection
for app in {OURS}:
    call_command("migrate", app, "zero", verbosity=0)
left = [t for t in connection.introspection.table_names() if t.split("_")[0] in {OURS}]
assert not left, left
call_command("migrate", verbosity=0)
"""
