"""Seals of the log: signed statements about batches of its rows, each with the hash of the one
before. Pure: what a seal says, and whether a batch is what its seal says.

A seal of the kind "rows" fixes which rows there are, by the hash of their ids, and what they say,
by the root of a Merkle tree (RFC 6962, 2.1) of their canonical lines. One of the kind "pruned"
says that sealed rows with smaller ids than `before` may be gone.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from issuances.sealing import merkle
from issuances.statements import SEAL, PublicKey, StatementError, opened

ROWS, PRUNED = "rows", "pruned"
ID_SIZE = 16  # bytes


@dataclass(frozen=True, slots=True)
class Batch:
    """As it is kept: `ids` and `leaves` one after the other, in the order of the ids; None where
    they have been left out. `shown` is what stands beside the statement for people to read, and
    has to be the same.
    """

    number: int
    statement: str
    ids: bytes | None = None
    leaves: bytes | None = None
    shown: Mapping[str, Any] = field(default_factory=dict)

    @property
    def hash(self) -> str:
        return hash_of(self.statement)


@dataclass(frozen=True, slots=True)
class Seal:
    """What a statement says. `first_id`, `last_id`, `root` and `ids` only of rows, `before` only
    of what was pruned. `late`: when it was made, there were sealed rows with greater ids.
    """

    number: int
    kind: str
    sealed_at: str
    previous: str
    rows: int
    first_id: UUID | None = None
    last_id: UUID | None = None
    late: bool = False
    root: str = ""
    ids: str = ""
    before: UUID | None = None

    def as_json(self) -> dict[str, Any]:
        """To be signed."""
        said = {"number": self.number, "kind": self.kind, "sealed_at": self.sealed_at}
        said |= {"rows": self.rows, "previous": self.previous}
        if self.kind == PRUNED:
            return said | {"before": str(self.before)}
        ends = {"first_id": str(self.first_id), "last_id": str(self.last_id)}
        return said | ends | {"late": self.late, "root": self.root, "ids": self.ids}


def hash_of(statement: str) -> str:
    """By which the next seal, and whoever notes it down, names this one."""
    return hashlib.sha256(statement.encode()).hexdigest()


def seal_of_rows(ids: list[bytes], leaves: list[bytes], **beside: Any) -> Seal:
    """For rows in the order of their ids; `beside`: number, sealed_at, previous, late."""
    return Seal(
        kind=ROWS,
        rows=len(ids),
        first_id=UUID(bytes=ids[0]),
        last_id=UUID(bytes=ids[-1]),
        root=merkle.root_of(leaves).hex(),
        ids=hashlib.sha256(b"".join(ids)).hexdigest(),
        **beside,
    )


def seal_in(statement: str, keys: Iterable[PublicKey]) -> Seal:
    """What the statement says, once it is verified. Raises StatementError."""
    said = opened(statement, keys, typ=SEAL)
    try:
        names = ("first_id", "last_id", "before")
        ids = {name: UUID(said[name]) for name in names if name in said}
        seal = Seal(**(said | ids))
        datetime.fromisoformat(seal.sealed_at)
    except (TypeError, ValueError, AttributeError):
        raise StatementError("the seal has a form that is not known here") from None
    if seal.as_json() != said:
        raise StatementError("the seal has a form that is not known here")
    return seal


def flaw_of(batch: Batch, seal: Seal) -> str:
    """What separates a batch from its seal; "" when nothing does."""
    if batch.number != seal.number:
        return f"its seal is that of batch {seal.number}: batches were exchanged or renumbered"
    said = seal.as_json()
    for name, value in batch.shown.items():
        if value != said.get(name, ""):
            return f"{name} was changed: the seal says {said.get(name, '')}, the batch {value}"
    return "" if seal.kind == PRUNED else _flaw_of_rows(batch, seal)


def _flaw_of_rows(batch: Batch, seal: Seal) -> str:
    if batch.ids is None or batch.leaves is None:
        return ""
    if hashlib.sha256(batch.ids).hexdigest() != seal.ids or len(batch.ids) != seal.rows * ID_SIZE:
        return "the ids of its rows were changed"
    leaves = parts(batch.leaves, merkle.SIZE)
    if len(batch.leaves) != seal.rows * merkle.SIZE or merkle.root_of(leaves).hex() != seal.root:
        return "the hashes of its rows were changed"
    return ""


def parts(blob: bytes, size: int) -> list[bytes]:
    """What stands in it one after the other."""
    return [blob[at : at + size] for at in range(0, len(blob), size)]
