"""Indexes that are made while a table is written to, also after an attempt that was interrupted."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection, migrations, models
from django.db.migrations.state import ModelState, ProjectState
from django.test.utils import CaptureQueriesContext

from issuances.concurrently import AddIndex, RemoveIndex

# What builds an index beside writers cannot be part of a test's transaction.
pytestmark = pytest.mark.django_db(transaction=True)
ADD = AddIndex("note", models.Index(fields=["text"], name="note_text"))
REMOVE = RemoveIndex("note", "note_text")


@pytest.fixture
def states():
    """A table, as migrations see it: without the index, and with it."""
    without = ProjectState()
    fields: list[tuple[str, Any]] = [
        ("id", models.AutoField(primary_key=True)),
        ("text", models.TextField()),
    ]
    without.add_model(ModelState("issuances", "Note", fields, options={"indexes": []}))
    run(migrations.CreateModel("Note", fields), "forwards", ProjectState(), without)
    there = without.clone()
    ADD.state_forwards("issuances", there)
    yield without, there
    run(migrations.DeleteModel("Note"), "forwards", without, ProjectState())


def run(operation, way, *states):
    """As `migrate` does."""
    with connection.schema_editor(atomic=False) as editor:
        getattr(operation, f"database_{way}")("issuances", editor, *states)


def is_there():
    with connection.cursor() as cursor:
        return "note_text" in connection.introspection.get_constraints(cursor, "issuances_note")


def test_an_index_comes_and_goes(states):
    without, there = states
    run(ADD, "forwards", without, there)
    assert is_there()
    run(ADD, "backwards", there, without)
    assert not is_there()


def test_an_index_goes_and_comes(states):
    without, there = states
    run(ADD, "forwards", without, there)
    run(REMOVE, "forwards", there, without)
    assert not is_there()
    run(REMOVE, "backwards", without, there)
    assert is_there()


@pytest.mark.skipif(connection.vendor != "postgresql", reason="it has no such indexes")
def test_an_index_whose_build_was_interrupted_is_built_anew(states):
    without, there = states
    run(ADD, "forwards", without, there)
    condition = "WHERE indexrelid = 'note_text'::regclass"
    with connection.cursor() as cursor:
        cursor.execute(f"UPDATE pg_index SET indisvalid = false {condition}")
        run(ADD, "forwards", without, there)
        cursor.execute(f"SELECT indisvalid FROM pg_index {condition}")
        assert cursor.fetchone() == (True,)
    run(ADD, "forwards", without, there)  # one that is valid stays


@pytest.fixture
def partitioned(states):
    """The same with two partitions and a row in each."""
    with connection.cursor() as cursor:
        cursor.execute("DROP TABLE issuances_note")
        cursor.execute(
            "CREATE TABLE issuances_note (id int PRIMARY KEY, text text) PARTITION BY RANGE (id);"
            "CREATE TABLE issuances_note_low PARTITION OF issuances_note"
            " FOR VALUES FROM (0) TO (10);"
            "CREATE TABLE issuances_note_high PARTITION OF issuances_note DEFAULT;"
            "INSERT INTO issuances_note VALUES (1, 'a'), (11, 'b')"
        )
    return states


def of_partitions():
    """The partitions' indexes that belong to the whole one, and whether they are valid."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT inhrelid::regclass::text, indisvalid FROM pg_inherits JOIN pg_index"
            " ON indexrelid = inhrelid WHERE inhparent = to_regclass('note_text') ORDER BY 1"
        )
        return dict(cursor.fetchall())


BOTH = {"note_text_high": True, "note_text_low": True}


@pytest.mark.skipif(connection.vendor != "postgresql", reason="it has no partitions")
def test_on_a_partitioned_table_it_is_built_on_each_partition(partitioned):
    without, there = partitioned
    with CaptureQueriesContext(connection) as queries:
        run(ADD, "forwards", without, there)
    built = [query["sql"] for query in queries if query["sql"].startswith("CREATE INDEX")]
    assert ["CONCURRENTLY" in sql for sql in built] == [True, True, False]
    assert of_partitions() == BOTH
    run(ADD, "forwards", without, there)  # nothing is left to do
    run(REMOVE, "forwards", there, without)
    assert not is_there()
    assert of_partitions() == {}
    run(REMOVE, "backwards", without, there)
    assert of_partitions() == BOTH


@pytest.mark.skipif(connection.vendor != "postgresql", reason="it has no partitions")
def test_what_was_interrupted_on_a_partition_is_built_anew(partitioned):
    without, there = partitioned
    with connection.cursor() as cursor:
        cursor.execute("CREATE INDEX note_text_low ON issuances_note_low (text)")
        cursor.execute(
            "UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'note_text_low'::regclass"
        )
    run(ADD, "forwards", without, there)
    assert of_partitions() == BOTH
