"""Parts of a row that indexes and conditions speak of, in the SQL of both databases.

What stands in an index has no parameters: SQLite uses an index on an expression only where the
query has it to the letter.
"""

from __future__ import annotations

import json
from typing import Any
from uuid import UUID

from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import BooleanField, CharField, F, Func, TextField, UUIDField, Value
from django.db.models.expressions import Combinable, CombinedExpression
from django.db.models.sql.compiler import SQLCompiler

ASKED, GRANTED = "asked", "granted"
COLUMNS = {ASKED: "requested", GRANTED: "granted"}


class _Constant(Func):
    """SQL without parameters; `{0}` is the first column."""

    columns: tuple[str, ...] = ()
    postgresql = ""
    sqlite = ""

    def __init__(self, *columns: Any) -> None:
        """Django copies expressions with their sources."""
        super().__init__(*(columns or self.columns))

    def as_sql(
        self, compiler: SQLCompiler, connection: BaseDatabaseWrapper, *_: Any, **__: Any
    ) -> Any:
        """The SQL of this database."""
        columns = [compiler.compile(source)[0] for source in self.get_source_expressions()]
        return getattr(self, connection.vendor).format(*columns), ()


class FirstName(_Constant):
    """The name of the first resource that was asked for; by bytes, so that prefixes are ranges."""

    columns = ("requested",)
    output_field = TextField()
    postgresql = "({0} -> 0 ->> 'name') COLLATE \"C\""
    sqlite = "json_extract({0}, '$[0].name')"


class SecondName(FirstName):
    """The same of the second, NULL where only one was."""

    postgresql = "({0} -> 1 ->> 'name') COLLATE \"C\""
    sqlite = "json_extract({0}, '$[1].name')"


class AskedMany(_Constant):
    """Whether three resources or more were asked for."""

    columns = ("requested",)
    output_field = BooleanField()
    postgresql = "(jsonb_array_length({0}) > 2)"
    sqlite = "(json_array_length({0}) > 2)"


class AskedRarely(_Constant):
    """Whether `delete` or `*` was asked for. On SQLite also where a resource has such a name."""

    columns = ("requested",)
    output_field = BooleanField()
    postgresql = '({0} @? \'$[*].actions[*] ? (@ == "delete" || @ == "*")\')'
    sqlite = "(instr({0}, '\"delete\"') + instr({0}, '\"*\"') > 0)"


class OutcomeCode(_Constant):
    """The code of the refusal, `part`, or NULL where all that was asked for was granted."""

    columns = ("refusal", "granted", "requested")
    output_field = CharField()
    postgresql = sqlite = "CASE WHEN {0} <> '' THEN {0} WHEN {1} <> {2} THEN 'part' ELSE NULL END"


class _Pair(Func):
    template = "(%(expressions)s)"
    output_field = TextField()


def compared(key: Combinable, sign: str, value: Any, row_id: UUID) -> CombinedExpression:
    """The condition `(key, id) sign (value, row_id)`, by which an index on both is entered."""
    edge = _Pair(Value(value), Value(row_id, output_field=UUIDField()))
    return CombinedExpression(_Pair(key, F("id")), sign, edge, BooleanField())


class HasResource(Func):
    """Whether one resource in `column` has all of the given: name, or how it begins; an action.

    With a name or a prefix it is a repository.
    """

    output_field = BooleanField()
    conditional = True

    def __init__(self, column: Any, *, name: str = "", prefix: str = "", action: str = "") -> None:
        super().__init__(column)
        self.wanted = {"name": name, "prefix": prefix, "action": action}

    def as_postgresql(self, compiler: SQLCompiler, connection: Any, **_: Any) -> Any:
        """A JSON path."""
        tests = {
            "name": '@.type == "repository" && @.name == $name',
            "prefix": '@.type == "repository" && @.name starts with $prefix',
            "action": "@.actions[*] == $action",
        }
        path = f"$[*] ? ({' && '.join(tests[name] for name in self._given())})"
        column, _params = compiler.compile(self.get_source_expressions()[0])
        variables = json.dumps(self._given())
        return f"jsonb_path_exists({column}, %s::jsonpath, %s::jsonb)", (path, variables)

    def as_sqlite(self, compiler: SQLCompiler, connection: Any, **_: Any) -> Any:
        """Tables of the array's elements."""
        repository = "json_extract(entry.value, '$.type') = 'repository' AND "
        name = "json_extract(entry.value, '$.name')"
        actions = "json_each(entry.value, '$.actions') AS action"
        tests = {
            "name": f"{repository} {name} = %s",
            "prefix": f"{repository} substr({name}, 1, length(%s)) = %s",
            "action": f"EXISTS (SELECT 1 FROM {actions} WHERE action.value = %s)",  # noqa: S608
        }
        where = " AND ".join(tests[name] for name in self._given())
        column, _params = compiler.compile(self.get_source_expressions()[0])
        params = [
            value for name, value in self._given().items() for _ in range(tests[name].count("%s"))
        ]
        return f"EXISTS (SELECT 1 FROM json_each({column}) AS entry WHERE {where})", params  # noqa: S608

    def _given(self) -> dict[str, str]:
        return {name: value for name, value in self.wanted.items() if value}
