"""Proofs that a row is sealed, to be checked without the log: its canonical line, its place in the
batch, the path to the root of the batch's Merkle tree, and the signed seal. Pure.

A proof tells nothing of other rows but hashes, which nobody can guess: ids are random.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any
from uuid import UUID

from issuances.sealing import merkle
from issuances.sealing.seals import ID_SIZE, ROWS, Batch, Seal, parts, seal_in
from issuances.statements import PublicKey, StatementError

FORMAT = "issuance-proof/1"
_MEMBERS = {"format", "line", "index", "path", "statement"}


class ProofError(ValueError):
    """The proof proves nothing; the message says why."""


def proof_of(line: bytes, row_id: UUID, batch: Batch) -> dict[str, Any]:
    """For a row of a batch, as JSON. Raises ProofError when the row is not in it, or not as it was
    sealed.
    """
    ids, leaves = parts(batch.ids or b"", ID_SIZE), parts(batch.leaves or b"", merkle.SIZE)
    if row_id.bytes not in ids:
        raise ProofError(f"the row is not in batch {batch.number}")
    index = ids.index(row_id.bytes)
    if len(leaves) != len(ids) or leaves[index] != merkle.leaf_hash(line):
        raise ProofError(f"the row is no longer what was sealed in batch {batch.number}")
    return {
        "format": FORMAT,
        "line": line.decode(),
        "index": index,
        "path": [node.hex() for node in merkle.path_of(leaves, index)],
        "statement": batch.statement,
    }


def proven(document: bytes, keys: Iterable[PublicKey]) -> tuple[dict[str, Any], Seal]:
    """The row that a proof proves, and its seal. Raises ProofError."""
    line, index, path, statement = _members_of(document)
    try:
        seal = seal_in(statement, keys)
    except StatementError as error:
        raise ProofError(f"the seal does not hold: {error}") from None
    if seal.kind != ROWS:
        raise ProofError("its seal is about no rows")
    root = merkle.root_by(path, merkle.leaf_hash(line.encode()), index, seal.rows)
    if root is None or root.hex() != seal.root:
        raise ProofError("the row is not what was sealed, or stood elsewhere in its batch")
    return json.loads(line), seal


def _members_of(document: bytes) -> tuple[str, int, list[bytes], str]:
    try:
        proof = json.loads(document)
        if proof.keys() != _MEMBERS or proof["format"] != FORMAT:
            raise ProofError(f"this is no proof of the form {FORMAT}")
        line, index, statement = proof["line"], proof["index"], proof["statement"]
        path = [_node(text) for text in proof["path"]]
        line.encode()
    except ProofError:
        raise
    except (ValueError, TypeError, AttributeError, RecursionError):
        raise ProofError(f"this is no proof of the form {FORMAT}") from None
    if type(index) is not int or not isinstance(line, str) or not isinstance(statement, str):
        raise ProofError(f"this is no proof of the form {FORMAT}")
    return line, index, path, statement


def _node(text: str) -> bytes:
    node = bytes.fromhex(text)
    if node.hex() != text or len(node) != merkle.SIZE:
        raise ProofError("its path has something that is no hash")
    return node
