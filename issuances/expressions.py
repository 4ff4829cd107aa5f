"""Parts of a row that indexes and conditions speak of, in the SQL of both databases.

What stands in an index has no parameters: SQLite uses an index on an expression only where the
query has it to the letter.
"""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import BooleanField, CharField, F, Func, TextField, UUIDField, Value
from django.db.models.sql.compiler import SQLCompiler


class _Constant(Func):
    """SQL without parameters; `{0}` is the first column."""

    columns: tuple[str, ...] = ()
    postgresql = ""
    sqlite = ""

    def __init__(self, *columns: Any) -> None:
        """Django copies expressions with their sources."""
        super().__init__(*(columns or self.columns))

    @classmethod
    def sql(cls, vendor: str) -> str:
        """The SQL by itself, where the log is the only table."""
        template: str = getattr(cls, vendor)
        return template.format(*cls.columns)

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


class ThirdName(FirstName):
    """The same of the third."""

    postgresql = "({0} -> 2 ->> 'name') COLLATE \"C\""
    sqlite = "json_extract({0}, '$[2].name')"


class _Test(_Constant):
    """What holds of a row, or not."""

    columns: tuple[str, ...] = ("requested",)
    output_field = BooleanField()


class AskedSeveral(_Test):
    """Whether two resources or more were asked for."""

    postgresql = "(({0} -> 1) IS NOT NULL)"
    sqlite = "(json_extract({0}, '$[1]') IS NOT NULL)"


class AskedMany(_Test):
    """Whether three resources or more were asked for."""

    postgresql = "(({0} -> 2) IS NOT NULL)"
    sqlite = "(json_extract({0}, '$[2]') IS NOT NULL)"


class AskedMore(_Test):
    """Whether four resources or more were asked for."""

    postgresql = "(({0} -> 3) IS NOT NULL)"
    sqlite = "(json_extract({0}, '$[3]') IS NOT NULL)"


class AskedRarely(_Test):
    """Whether `delete` or `*` was asked for. On SQLite also where a resource has such a name."""

    postgresql = '({0} @? \'$[*].actions[*] ? (@ == "delete" || @ == "*")\')'
    sqlite = "(instr({0}, '\"delete\"') + instr({0}, '\"*\"') > 0)"


class NotAllGranted(_Test):
    """Whether the request was refused, or granted in part."""

    columns = ("refusal", "granted", "requested")
    postgresql = sqlite = "({0} <> '' OR {1} <> {2})"


class OutcomeCode(_Constant):
    """The code of the refusal, `part`, or NULL where all that was asked for was granted."""

    columns = ("refusal", "granted", "requested")
    output_field = CharField()
    postgresql = sqlite = "CASE WHEN {0} <> '' THEN {0} WHEN {1} <> {2} THEN 'part' ELSE NULL END"


class Unguessed(Func):
    """A value that PostgreSQL does not know when it plans.

    It would look it up in its statistics, and where they are old or coarse take a frequent value
    for a rare one, whose rows it then reads and sorts all together. So it reads along the index.
    """

    template = "(SELECT %(expressions)s)"

    def __init__(self, value: Any) -> None:
        super().__init__(value if isinstance(value, Value) else Value(value))


class Within(Func):
    """Whether `key` has `value`, said such that rows are read along the index on (key, id).

    PostgreSQL has many ways to find rows by an equality; it believes to be quick where it walks the
    whole table by its primary key and happens to meet rows of a frequent value. Compared as a pair,
    only that one index gives the order. Nor may it know the value (see `Unguessed`). SQLite takes
    the index of the equality by itself.
    """

    output_field = BooleanField()
    conditional = True

    def __init__(self, key: Any, value: Any, low: UUID, high: UUID) -> None:
        ids = (Value(edge, output_field=UUIDField()) for edge in (low, high))
        super().__init__(key, F("id"), Unguessed(value), *ids)

    def as_postgresql(self, compiler: SQLCompiler, connection: Any, **_: Any) -> Any:
        """Two comparisons of pairs."""
        key, row_id, value, low, high = map(compiler.compile, self.get_source_expressions())
        pair, pair_params = f"({key[0]}, {row_id[0]})", (*key[1], *row_id[1])
        sql = f"({pair} >= ({value[0]}, {low[0]}) AND {pair} < ({value[0]}, {high[0]}))"
        return sql, (*pair_params, *value[1], *low[1], *pair_params, *value[1], *high[1])

    def as_sqlite(self, compiler: SQLCompiler, connection: Any, **_: Any) -> Any:
        """An equality."""
        key, _row_id, value, *_ids = map(compiler.compile, self.get_source_expressions())
        return f"({key[0]} = {value[0]})", (*key[1], *value[1])
