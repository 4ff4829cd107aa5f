"""Operations of migrations that make and drop indexes of a large table while it is written to.

Without PostgreSQL they are Django's own. Neither is part of a transaction: what was left behind
when it was interrupted is done over when the migration runs again.
"""

from __future__ import annotations

from typing import Any

from django.db import migrations

# A build that was interrupted leaves an index that is of no use, and costs as much as one that is.
_STATE = "SELECT indisvalid FROM pg_index WHERE indexrelid = to_regclass(%s)"


class AddIndex(migrations.AddIndex):
    """`CREATE INDEX CONCURRENTLY`, where the index is not there yet."""

    def database_forwards(
        self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any
    ) -> None:
        """Build; again, if a build was interrupted."""
        if schema_editor.connection.vendor != "postgresql":
            super().database_forwards(app_label, schema_editor, from_state, to_state)
            return
        model = to_state.apps.get_model(app_label, self.model_name)
        is_valid = _state_of(self.index.name, schema_editor)
        if is_valid is False:
            schema_editor.remove_index(model, self.index, concurrently=True)
        if not is_valid:
            schema_editor.add_index(model, self.index, concurrently=True)

    def database_backwards(
        self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any
    ) -> None:
        """Drop."""
        _drop(self.index, from_state.apps.get_model(app_label, self.model_name), schema_editor)


class RemoveIndex(migrations.RemoveIndex):
    """`DROP INDEX CONCURRENTLY`."""

    def database_forwards(
        self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any
    ) -> None:
        """Drop."""
        index = from_state.models[app_label, self.model_name_lower].get_index_by_name(self.name)
        _drop(index, from_state.apps.get_model(app_label, self.model_name), schema_editor)

    def database_backwards(
        self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any
    ) -> None:
        """Build, as it was."""
        index = to_state.models[app_label, self.model_name_lower].get_index_by_name(self.name)
        add = AddIndex(self.model_name, index)
        add.database_forwards(app_label, schema_editor, from_state, to_state)


def _drop(index: Any, model: Any, schema_editor: Any) -> None:
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.remove_index(model, index, concurrently=True)  # IF EXISTS
    else:
        schema_editor.remove_index(model, index)


def _state_of(name: str, schema_editor: Any) -> bool | None:
    """Whether an index is valid; None if there is none."""
    with schema_editor.connection.cursor() as cursor:
        cursor.execute(_STATE, [schema_editor.quote_name(name)])
        found = cursor.fetchone()
    return None if found is None else bool(found[0])
