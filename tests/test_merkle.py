"""The Merkle tree of RFC 6962, by the vectors of Certificate Transparency and by its recursion."""

from __future__ import annotations

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from issuances.sealing.merkle import leaf_hash, node_hash, path_of, root_by, root_of

# Those of the reference implementation, certificate-transparency/merkletree.
ENTRIES = [
    bytes.fromhex(text)
    for text in (
        "",
        "00",
        "10",
        "2021",
        "3031",
        "40414243",
        "5051525354555657",
        "606162636465666768696a6b6c6d6e6f",
    )
]
ROOTS = [
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]


def by_recursion(entries):
    """RFC 6962, 2.1, as it stands there."""
    if not entries:
        return hashlib.sha256(b"").digest()
    if len(entries) == 1:
        return hashlib.sha256(b"\x00" + entries[0]).digest()
    half = 1
    while half * 2 < len(entries):
        half *= 2
    both = by_recursion(entries[:half]) + by_recursion(entries[half:])
    return hashlib.sha256(b"\x01" + both).digest()


def path_by_recursion(index, entries):
    """RFC 6962, 2.1.1."""
    if len(entries) == 1:
        return []
    half = 1
    while half * 2 < len(entries):
        half *= 2
    if index < half:
        return [*path_by_recursion(index, entries[:half]), by_recursion(entries[half:])]
    return [*path_by_recursion(index - half, entries[half:]), by_recursion(entries[:half])]


@pytest.mark.parametrize("size", range(9))
def test_the_roots_of_the_reference_implementation(size):
    assert root_of([leaf_hash(entry) for entry in ENTRIES[:size]]).hex() == ROOTS[size]


@pytest.mark.parametrize("size", [*range(1, 34), 100, 257])
def test_every_path_leads_to_the_root_and_no_other_place_does(size):
    entries = [str(number).encode() for number in range(size)]
    leaves = [leaf_hash(entry) for entry in entries]
    root = root_of(leaves)
    assert root == by_recursion(entries)
    for index, leaf in enumerate(leaves):
        path = path_of(leaves, index)
        assert path == path_by_recursion(index, entries)
        assert root_by(path, leaf, index, size) == root
        assert root_by(path, leaf_hash(b"other"), index, size) != root
        for elsewhere in (index - 1, index + 1, size, -1):
            assert root_by(path, leaf, elsewhere, size) != root
        if path:
            assert root_by(path[:-1], leaf, index, size) != root
        assert root_by([*path, root], leaf, index, size) is None


@given(st.lists(st.binary(max_size=8), max_size=70), st.data())
def test_any_list_as_the_recursion_says(entries, data):
    leaves = [leaf_hash(entry) for entry in entries]
    assert root_of(leaves) == by_recursion(entries)
    if entries:
        index = data.draw(st.integers(0, len(entries) - 1))
        path = path_of(leaves, index)
        assert path == path_by_recursion(index, entries)
        assert root_by(path, leaves[index], index, len(entries)) == root_of(leaves)


def test_a_node_is_no_entry():
    """RFC 6962, 2.1: else two lists could have the same hash."""
    left, right = leaf_hash(b"a"), leaf_hash(b"b")
    assert node_hash(left, right) != leaf_hash(left + right)
