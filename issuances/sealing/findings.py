"""What a verification found: what was altered, removed or inserted, and where first. Pure."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from issuances.identifiers import time_of
from issuances.printing import printable

ALTERED, REMOVED, INSERTED = "altered", "removed", "inserted"
FUTURE, RETIMED = "future", "retimed"
BATCH, FILE, HEAD = "batch", "file", "head"

_ROWS = {
    ALTERED: "row {row} was altered after it was sealed in batch {batch}",
    REMOVED: "row {row} of batch {batch} was removed",
    INSERTED: (
        "row {row} is not sealed, but later rows are: it was inserted, or came late; in that case"
        " manage.py seal_issuances seals it, as late"
    ),
    FUTURE: (
        "row {row} lies in the future, where no seal reaches it: a clock was wrong, or somebody put"
        " it there"
    ),
    RETIMED: "row {row} says another time than its id: it was not written by the service",
}


def row_in_words(row_id: bytes) -> str:
    """Its id and its time."""
    row = UUID(bytes=row_id)
    return f"{row} ({time_of(row):%Y-%m-%d %H:%M:%S.%f} UTC)"


@dataclass(slots=True)
class Finding:
    """One kind of harm to one batch: the first row that has it, and how many have. `text` where
    it is not about rows.
    """

    kind: str
    batch: int | None = None
    row: bytes | None = None
    text: str = ""
    rows: int = 0

    def __str__(self) -> str:
        if self.row is None:
            return printable(self.text)
        said = _ROWS[self.kind].format(row=row_in_words(self.row), batch=self.batch)
        return said if self.rows == 1 else f"{said}; and so {self.rows - 1} more"

    def as_json(self) -> dict[str, Any]:
        row = None if self.row is None else str(UUID(bytes=self.row))
        said = {"kind": self.kind, "batch": self.batch, "row": row, "rows": self.rows}
        return said | {"text": str(self)}


@dataclass(slots=True)
class Report:
    """Findings, and what else is to be known. `unsealed`: rows that no seal covers yet, and the
    first of them; `late`: those that were sealed after rows with greater ids.
    """

    findings: list[Finding] = field(default_factory=list)
    seals: int = 0
    head: tuple[int, str, str] | None = None  # number, hash, time
    rows: int = 0  # that were compared with their seals
    unsealed: int = 0
    first_unsealed: bytes | None = None
    late: int = 0
    first_late: bytes | None = None
    pruned: int = 0  # sealed rows that are gone as a seal says
    uncovered: int = 0  # rows of batches whose hashes were left out
    manifest: dict[str, Any] | None = None  # what the one of the rows' file says, verified
    _by_batch: dict[tuple[str, int | None], Finding] = field(default_factory=dict)

    def say(self, kind: str, text: str, batch: int | None = None) -> None:
        self.findings.append(Finding(kind, batch, None, text))

    def of_row(self, kind: str, row_id: bytes, batch: int | None = None) -> None:
        """One more row of a kind; findings are counted by batch, however many rows there are."""
        finding = self._by_batch.get((kind, batch))
        if finding is None:
            finding = self._by_batch[kind, batch] = Finding(kind, batch, row_id)
            self.findings.append(finding)
        finding.rows += 1

    def forget(self, kinds: Iterable[str]) -> None:
        """Take back what was found of these kinds: it says nothing."""
        self.findings = [finding for finding in self.findings if finding.kind not in kinds]

    def as_json(self) -> dict[str, Any]:
        named = ("number", "hash", "sealed_at")
        counts = {
            name: getattr(self, name)
            for name in ("seals", "rows", "unsealed", "late", "pruned", "uncovered")
        }
        return {
            "ok": not self.findings,
            "manifest": self.manifest,
            "head": self.head and dict(zip(named, self.head, strict=True)),
            "findings": [finding.as_json() for finding in self.findings],
            **counts,
        }

    def lines(self) -> list[str]:
        """For people; findings first."""
        said = [str(finding) for finding in self.findings]
        if self.manifest is not None and not any(one.kind == FILE for one in self.findings):
            rows, made_at = _rows(self.manifest["rows"]), self.manifest["created_at"]
            said.append(f"{rows}, as the manifest of {made_at} says")
            asked = {name: self.manifest.get(name) for name in ("filter", "after", "from", "until")}
            said.append(f"asked for: {json.dumps({n: v for n, v in asked.items() if v})}")
        if self.seals or self.manifest is None:
            seals = f"{self.seals:,} seal" + "s" * (self.seals != 1)
            said.append(f"{_rows(self.rows)} compared with {seals}")
        for number, first, what in (
            (self.late, self.first_late, "sealed late, after later ones"),
            (self.unsealed, self.first_unsealed, "not sealed yet"),
        ):
            if first is not None:
                said.append(f"{what}: {_rows(number)}, the first {row_in_words(first)}")
        if self.pruned:
            said.append(f"gone as a seal says, for they were pruned: {_rows(self.pruned)}")
        if self.uncovered:
            said.append(f"not checked, as their hashes are left out: {_rows(self.uncovered)}")
        if self.head is not None:
            said.append("head {}:{}, sealed at {}".format(*self.head))
        return said


def _rows(number: int) -> str:
    return f"{number:,} row" + "s" * (number != 1)
