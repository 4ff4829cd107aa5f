"""Operations of migrations that make and drop indexes of a large table while it is written to.

Without PostgreSQL they are Django's own. Neither is part of a transaction: what was left behind
when it was interrupted is done over when the migration runs again.
"""

from __future__ import annotations

from typing import Any

from django.db import migrations

from issuances.briefly import briefly

# A build that was interrupted leaves an index that is of no use, and costs as much as one that is.
_STATE = "SELECT indisvalid FROM pg_index WHERE indexrelid = to_regclass(%s)"

_PARTITIONS = """
    SELECT c.relname FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
    WHERE i.inhparent = to_regclass(%s) ORDER BY c.relname
"""


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
        if partitions := _partitions_of(model, schema_editor):
            _build_on_each(self.index, model, partitions, schema_editor)
            return
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


def _partitions_of(model: Any, schema_editor: Any) -> list[str]:
    """Their names; none of a table that is not partitioned."""
    with schema_editor.connection.cursor() as cursor:
        cursor.execute(_PARTITIONS, [model._meta.db_table])
        return [name for (name,) in cursor.fetchall()]


def _build_on_each(index: Any, model: Any, partitions: list[str], schema_editor: Any) -> None:
    """Concurrently on each partition, for PostgreSQL cannot do so on the whole; which then takes
    over what is there, and builds it only where there are no rows yet.
    """
    quote = schema_editor.quote_name
    for partition in partitions:
        name = f"{index.name}_{partition.removeprefix(model._meta.db_table).strip('_')}"
        is_valid = _state_of(name, schema_editor)
        if is_valid is False:
            schema_editor.execute(f"DROP INDEX CONCURRENTLY {quote(name)}")
        if not is_valid:
            statement = index.create_sql(model, schema_editor, concurrently=True)
            statement.parts |= {"name": quote(name), "table": quote(partition)}
            schema_editor.execute(statement)
    if _state_of(index.name, schema_editor) is None:
        briefly(lambda cursor: cursor.execute(str(index.create_sql(model, schema_editor))))


def _drop(index: Any, model: Any, schema_editor: Any) -> None:
    is_postgres = schema_editor.connection.vendor == "postgresql"
    if is_postgres and _partitions_of(model, schema_editor):
        name = schema_editor.quote_name(index.name)
        briefly(lambda cursor: cursor.execute(f"DROP INDEX IF EXISTS {name}"))
    elif is_postgres:
        schema_editor.remove_index(model, index, concurrently=True)  # IF EXISTS
    else:
        schema_editor.remove_index(model, index)


def _state_of(name: str, schema_editor: Any) -> bool | None:
    """Whether an index is valid; None if there is none."""
    with schema_editor.connection.cursor() as cursor:
        cursor.execute(_STATE, [schema_editor.quote_name(name)])
        found = cursor.fetchone()
    return None if found is None else bool(found[0])
