"""The migrations: complete, from nothing, back, and such that an older version survives them."""

from __future__ import annotations

import contextlib
import json
from datetime import UTC, datetime
from io import StringIO
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from django.apps import apps
from django.core.management import call_command
from django.db import connection, models
from django.db.migrations.executor import MigrationExecutor
from django.db.migrations.loader import MigrationLoader

from plans.models import CatalogueRevision
from registry_token.config_values import BASE_DIR
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


def ours() -> tuple[str, ...]:
    """The labels of the project's own apps that have tables."""
    configs = [app for app in apps.get_app_configs() if Path(app.path).parent == BASE_DIR]
    return tuple(app.label for app in configs if list(app.get_models()))


OURS = ours()
TABLES = sorted(
    model._meta.db_table for label in OURS for model in apps.get_app_config(label).get_models()
)


@pytest.mark.django_db
def test_every_migration_of_ours_can_be_reversed():
    graph = MigrationExecutor(connection).loader.graph
    nodes = [key for key in graph.nodes if key[0] in OURS]
    assert {app for app, _ in nodes} == set(OURS) >= {"plans", "licences", "issuances", "people"}
    for key in nodes:
        assert all(operation.reversible for operation in graph.nodes[key].operations), key


def versions() -> list[tuple[str, str]]:
    """The migrations of ours in their order, each the newest one of some version."""
    graph = MigrationLoader(None).graph
    nodes = [key for leaf in graph.leaf_nodes() for key in graph.forwards_plan(leaf)]
    return [key for key in dict.fromkeys(nodes) if key[0] in OURS]


VALUES: dict[type, Any] = {
    models.CharField: "x",
    models.TextField: "x",
    models.JSONField: [],
    models.DateTimeField: datetime(2026, 1, 1, tzinfo=UTC),
    models.UUIDField: uuid4(),
    models.PositiveBigIntegerField: 7,
}


def a_row(model: Any) -> Any:
    """A row with what the model itself gives no value for."""
    given = {}
    for field in model._meta.concrete_fields:
        if field.null:
            continue
        if field.is_relation:
            given[field.name] = a_row(field.related_model)
        elif type(field) in VALUES and not field.has_default():
            given[field.name] = VALUES[type(field)]
    return model.objects.create(**given)


@pytest.mark.django_db
@pytest.mark.parametrize("version", versions(), ids=".".join)
def test_an_older_version_goes_on_with_the_newest_tables(version):
    """Replicas are replaced one by one, when the migrations have been run."""
    known = versions()[: versions().index(version) + 1]
    state = MigrationLoader(None).project_state(known).apps
    found: list[Any] = [model for model in state.get_models() if model._meta.app_label in OURS]
    assert found
    for model in found:
        row = a_row(model)
        row.save()
        assert list(model.objects.filter(pk=row.pk).values()), model
        row.delete()
        assert not model.objects.filter(pk=row.pk)


READ = f"""
import json
from django.db import connection
from plans.models import CatalogueRevision
tables = connection.introspection.table_names()
ours = sorted(table for table in tables if table.split("_")[0] in {OURS})
found = list(CatalogueRevision.objects.values_list("number", flat=True)) if ours else None
print(json.dumps([ours, found]))
"""


def test_forwards_back_and_forwards_again(tmp_path):
    """On a database of its own: the command, as an operator runs it."""
    with contextlib.ExitStack() as stack:
        service = Service(tmp_path)
        stack.push(service.__exit__)

        def state():
            return json.loads(service.manage("shell", "--no-imports", "-c", READ).stdout)

        service.manage("migrate", "--verbosity", "0")
        assert state() == [TABLES, [0]]
        service.manage("shell", "--no-imports", "-c", BACK)
        assert state() == [TABLES, [0]]


BACK = f"""
from django.core.management import call_command
from django.db import connection
for app in {OURS}:
    call_command("migrate", app, "zero", verbosity=0)
left = [t for t in connection.introspection.table_names() if t.split("_")[0] in {OURS}]
assert not left, left
call_command("migrate", verbosity=0)
"""
