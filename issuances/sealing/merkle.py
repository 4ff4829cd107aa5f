"""Merkle trees of RFC 6962, 2.1: the hash of a list, and that something stands in it. Pure."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

SIZE = 32  # bytes of a hash


def leaf_hash(data: bytes) -> bytes:
    """Of an entry. The prefixes keep an entry from passing for a node, and the other way round."""
    return hashlib.sha256(b"\0" + data).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """Of two subtrees."""
    return hashlib.sha256(b"\1" + left + right).digest()


def root_of(leaves: Sequence[bytes]) -> bytes:
    """The tree's hash, of the hashes of its entries."""
    level = list(leaves)
    if not level:
        return hashlib.sha256().digest()
    while len(level) > 1:
        level = _next_level(level)
    return level[0]


def path_of(leaves: Sequence[bytes], index: int) -> list[bytes]:
    """What leads from the entry `index`, from 0, to the root: the audit path, lowest first."""
    path, level = [], list(leaves)
    while len(level) > 1:
        if index ^ 1 < len(level):
            path.append(level[index ^ 1])
        level, index = _next_level(level), index // 2
    return path


def root_by(path: Sequence[bytes], leaf: bytes, index: int, size: int) -> bytes | None:
    """The root of a tree of `size` entries to which the path leads (RFC 9162, 2.1.3.2); None when
    a path of this length leads nowhere there.
    """
    if not 0 <= index < size:
        return None
    last, root = size - 1, leaf
    for beside in path:
        if last == 0:
            return None
        if index & 1 or index == last:
            root = node_hash(beside, root)
            while not index & 1 and index:
                index, last = index >> 1, last >> 1
        else:
            root = node_hash(root, beside)
        index, last = index >> 1, last >> 1
    return root if last == 0 else None


def _next_level(level: list[bytes]) -> list[bytes]:
    pairs = [node_hash(*level[at : at + 2]) for at in range(0, len(level) - 1, 2)]
    return pairs + level[len(pairs) * 2 :]
