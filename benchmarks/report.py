"""Tables, as Markdown for people and as JSON for programs."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

Value = str | int | float | None


@dataclass(frozen=True, slots=True)
class Table:
    """`columns` are pairs of a name and a format; a value of None shows as a dash."""

    title: str
    columns: Sequence[tuple[str, str]]
    rows: Sequence[Sequence[Value]]
    note: str = ""

    def markdown(self) -> str:
        """The table under its title, the note below."""
        names = [name for name, _ in self.columns]
        lines = [f"## {self.title}", "", _line(names), _line([_rule(f) for _, f in self.columns])]
        lines += [_line([*map(self._shown, row, self.columns)]) for row in self.rows]
        return "\n".join([*lines, *(["", self.note] if self.note else [])])

    @staticmethod
    def _shown(value: Value, column: tuple[str, str]) -> str:
        return "–" if value is None else format(value, column[1])

    def records(self) -> list[dict[str, Value]]:
        """Each row by the names of the columns."""
        names = [name for name, _ in self.columns]
        return [dict(zip(names, row, strict=True)) for row in self.rows]


@dataclass(slots=True)
class Report:
    """What one invocation has found. `problems` make it void."""

    title: str
    date: str
    machine: dict[str, str]
    notes: list[str] = field(default_factory=list)
    tables: list[Table] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)

    def markdown(self) -> str:
        """The whole report."""
        parts = [
            f"# {self.title}, {self.date}",
            *(
                [_list([f"**FAILED**: {problem}" for problem in self.problems])]
                * bool(self.problems)
            ),
            _list([f"{name}: {value}" for name, value in self.machine.items()]),
            _list(self.notes),
            *(table.markdown() for table in self.tables),
        ]
        return "\n\n".join(part for part in parts if part) + "\n"

    def json(self) -> str:
        """The same values, not rounded."""
        document: dict[str, Any] = {
            "title": self.title,
            "date": self.date,
            "machine": self.machine,
            "notes": self.notes,
            "problems": self.problems,
            "tables": {table.title: table.records() for table in self.tables},
        }
        return json.dumps(document, indent=2, ensure_ascii=False) + "\n"

    def write(self, path: Path) -> None:
        """Write PATH.md and PATH.json."""
        path.parent.mkdir(parents=True, exist_ok=True)
        path.with_suffix(".md").write_text(self.markdown())
        path.with_suffix(".json").write_text(self.json())


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _rule(format_: str) -> str:
    """Numbers to the right."""
    return "---:" if format_ else "---"


def _list(items: Sequence[str]) -> str:
    return "\n".join(f"- {item}" for item in items)
