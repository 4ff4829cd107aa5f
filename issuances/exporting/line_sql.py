"""Lines of an export, all but their JSON made by PostgreSQL.

Making them in Python would take most of a worker's time, and of its lock. What the database writes
differently from `encoding.canonical`, the two JSON columns, is put in between by the reader; the
same few texts come again and again, so that they are remembered.
"""

from __future__ import annotations

import json
import re
from typing import Any

from django.db.models import CharField, F, Func

from issuances.encoding import FIELDS, canonical
from issuances.exporting.csv_form import BARE, DANGEROUS, DANGEROUS_WITHIN, ENDS

JSON_FIELDS = ("requested", "granted")
_TIMES = ("created_at", "expires_at")
_IDS = ("id", "jti")
_MAY_BE_NULL = ("jti", "expires_at")


# How PostgreSQL writes the usual list of one resource: shorter keys first, blanks between.
_USUAL = re.compile(
    r'\[\{"name": ("[^"\\]*"), "type": ("[^"\\]*"), '
    r'"actions": \[((?:"[a-z*]*"(?:, "[a-z*]*")*)?)\]\}\]'
)


def canonical_json(text: str) -> str:
    """The canonical form of one of the `JSON_FIELDS`, of which PostgreSQL has made a text."""
    if (usual := _USUAL.fullmatch(text)) is None:
        try:
            return canonical(json.loads(text))
        except (ValueError, RecursionError):  # written by somebody else: 1e5000, endless depth
            return text
    name, type, actions = usual.groups()
    return f'[{{"actions":[{actions.replace(", ", ",")}],"name":{name},"type":{type}}}]'


class _Concatenated(Func):
    """Texts and columns one after the other; `parts` are SQL with `{column}` for columns."""

    output_field = CharField()

    def __init__(self, *sources: Any, parts: tuple[str, ...], names: tuple[str, ...]) -> None:
        super().__init__(*(sources or (F(name) for name in names)))
        self._parts, self._names = parts, names

    def as_sql(self, compiler: Any, connection: Any, *_: Any, **__: Any) -> Any:
        """Without parameters."""
        sources = [compiler.compile(source)[0] for source in self.get_source_expressions()]
        columns = dict(zip(self._names, sources, strict=True))
        return f"concat({', '.join(part.format(**columns) for part in self._parts)})", ()


class _AsText(Func):
    template = "(%(expressions)s)::text"
    output_field = CharField()


def json_line_columns() -> tuple[Any, ...]:
    """What a line of JSON is made of: text, JSON, text, JSON, text."""
    return _columns(sorted(FIELDS), _json_member, begin="{{", end="}}\n")


def csv_line_columns() -> tuple[Any, ...]:
    """What a line of CSV is made of, in the same way."""
    return _columns(list(FIELDS), _csv_cell, begin="", end="\r\n")


def _columns(names: list[str], part: Any, *, begin: str, end: str) -> tuple[Any, ...]:
    columns: list[Any] = []
    used: list[str] = []
    parts, separator = [_literal(begin)], ""
    for name in names:
        before, value = part(name)
        parts.append(_literal(separator + before))
        separator = ","
        if name in JSON_FIELDS:
            columns += [_Concatenated(parts=tuple(parts), names=tuple(used)), _AsText(F(name))]
            parts, used = [], []
        else:
            parts.append(value)
            used.append(name)
    parts.append(_literal(end))
    return (*columns, _Concatenated(parts=tuple(parts), names=tuple(used)))


def _literal(text: str) -> str:
    escaped = text.replace("'", "''").replace("\r", "\\r").replace("\n", "\\n")
    return f"E'{escaped}'"


def _json_member(name: str) -> tuple[str, str]:
    """What stands before a value, and the value."""
    before = f'"{name}":'
    if name in _IDS or name in _TIMES:
        quoted = f"""'"' || {_bare(name)} || '"'"""
        return before, f"coalesce({quoted}, 'null')" if name in _MAY_BE_NULL else quoted
    if name in BARE:
        return before, f"{{{name}}}"
    return before, f"to_json({{{name}}})"


def _csv_cell(name: str) -> tuple[str, str]:
    if name in BARE:
        return "", _bare(name)
    if name in JSON_FIELDS:
        return "", ""
    beginnings = ", ".join(_literal(text) for text in DANGEROUS)
    begin = f"CASE WHEN left({{{name}}}, 1) IN ({beginnings}) THEN '''' ELSE '' END"
    return "", f"""'"', {begin}, replace({_neutral_within(f"{{{name}}}")}, '"', '""'), '"'"""


def _neutral_within(column: str) -> str:
    """By an expression only where there is something to look for: it is slow."""
    dangerous = "".join(DANGEROUS_WITHIN).replace("-", "") + "-"  # at its end it is no range
    pattern = _literal(f"(?<=[{''.join(ENDS)}])(?=[{dangerous}])")
    found = " + ".join(f"strpos({column}, {_literal(text)})" for text in ENDS)
    replaced = f"regexp_replace({column}, {pattern}, '''', 'g')"
    return f"CASE WHEN {found} > 0 THEN {replaced} ELSE {column} END"


def _bare(name: str) -> str:
    if name in _TIMES:
        return f"""to_char({{{name}}} AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')"""
    return f"{{{name}}}::text"
