"""The condition that one of a row's resources is of a kind, in the SQL of both databases."""

from __future__ import annotations

import json
from typing import Any

from django.db.models import BooleanField, Func
from django.db.models.sql.compiler import SQLCompiler

ASKED, GRANTED = "asked", "granted"
COLUMNS = {ASKED: "requested", GRANTED: "granted"}


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
