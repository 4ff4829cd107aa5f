"""Indexes that are made while a table is written to, also after an attempt that was interrupted."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection, migrations, models
from django.db.migrations.state import ModelState, ProjectState

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
