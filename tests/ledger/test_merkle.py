# SPDX-License-Identifier: Apache-2.0

"""The Merkle tree against the reference vectors of Certificate Transparency, and against its own laws."""

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.ledger import merkle
from app.ledger.ranges import complete_nodes, node_position

# The eight leaves, their roots by size, and the proofs, from the Certificate Transparency reference tests
# (github.com/google/certificate-transparency, merkle_tree_test.cc).
LEAVES = [
    bytes.fromhex(leaf)
    for leaf in (
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
HASHES = [merkle.leaf_hash(leaf) for leaf in LEAVES]

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

LEAF_0 = "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d"
LEAF_1 = "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7"
LEAF_4 = "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b"
NODE_01 = "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125"
NODE_23 = "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e"
NODE_45 = "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a"
NODE_67 = "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0"
NODE_03 = "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7"
NODE_47 = "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4"

INCLUSION = [
    (0, 1, []),
    (0, 2, [LEAF_1]),
    (1, 2, [LEAF_0]),
    (2, 3, [NODE_01]),
    (1, 5, [LEAF_0, NODE_23, LEAF_4]),
    (0, 8, [LEAF_1, NODE_23, NODE_47]),
    (5, 8, [LEAF_4, NODE_67, NODE_03]),
]

CONSISTENCY = [
    (1, 1, []),
    (1, 8, [LEAF_1, NODE_23, NODE_47]),
    (6, 8, [NODE_45, NODE_67, NODE_03]),
    (2, 5, [NODE_23, LEAF_4]),
]


def from_hex(values: list[str]) -> list[bytes]:
    return [bytes.fromhex(value) for value in values]


@pytest.mark.parametrize(("size", "expected"), list(enumerate(ROOTS)))
def test_root_vectors(size: int, expected: str) -> None:
    assert merkle.root(HASHES[:size]).hex() == expected


@pytest.mark.parametrize(("index", "size", "proof"), INCLUSION)
def test_inclusion_vectors(index: int, size: int, proof: list[str]) -> None:
    assert merkle.inclusion_proof(HASHES[:size], index) == from_hex(proof)
    assert merkle.verify_inclusion(HASHES[index], index, size, from_hex(proof), bytes.fromhex(ROOTS[size]))


@pytest.mark.parametrize(("old", "new", "proof"), CONSISTENCY)
def test_consistency_vectors(old: int, new: int, proof: list[str]) -> None:
    assert merkle.consistency_proof(HASHES[:new], old) == from_hex(proof)
    roots = bytes.fromhex(ROOTS[old]), bytes.fromhex(ROOTS[new])
    assert merkle.verify_consistency(old, new, from_hex(proof), *roots)


SUBSETS = [
    ([0, 1, 2, 3, 4, 5, 6, 7], []),
    ([0, 1, 2, 3], [NODE_47]),
    ([0], [LEAF_1, NODE_23, NODE_47]),
    ([1, 5], [LEAF_0, NODE_23, LEAF_4, NODE_67]),
    ([2, 3, 4, 5], [NODE_01, NODE_67]),
]


@pytest.mark.parametrize(("indices", "proof"), SUBSETS)
def test_a_subset_proof_lists_what_is_missing_from_left_to_right(indices: list[int], proof: list[str]) -> None:
    assert merkle.subset_proof(HASHES, indices) == from_hex(proof)
    leaves = {index: HASHES[index] for index in indices}
    assert merkle.verify_subset(leaves, 8, from_hex(proof), bytes.fromhex(ROOTS[8]))


# The laws, over trees of distinct leaves. The recursive root is RFC 9162 section 2.1.1 word by word: the oracle.
def recursive_root(leaves: list[bytes]) -> bytes:
    if not leaves:
        return hashlib.sha256(b"").digest()
    if len(leaves) == 1:
        return leaves[0]
    part = 1
    while part * 2 < len(leaves):
        part *= 2
    return merkle.node_hash(recursive_root(leaves[:part]), recursive_root(leaves[part:]))


def tree(size: int) -> list[bytes]:
    return [merkle.leaf_hash(str(number).encode()) for number in range(size)]


sizes = st.integers(min_value=1, max_value=70)


@st.composite
def leaf_in_tree(draw: st.DrawFn) -> tuple[int, int]:
    size = draw(sizes)
    return draw(st.integers(0, size - 1)), size


@st.composite
def tree_in_tree(draw: st.DrawFn) -> tuple[int, int]:
    new = draw(sizes)
    return draw(st.integers(1, new)), new


@st.composite
def leaves_in_tree(draw: st.DrawFn) -> tuple[list[int], int]:
    size = draw(sizes)
    return sorted(draw(st.sets(st.integers(0, size - 1), min_size=1))), size


@given(st.integers(0, 130))
def test_root_is_that_of_the_recursive_definition(size: int) -> None:
    assert merkle.root(tree(size)) == recursive_root(tree(size))


@given(st.lists(st.integers(0, 40), max_size=6))
def test_appending_in_pages_gives_the_root_and_the_subtrees_of_the_whole(pages: list[int]) -> None:
    leaves = tree(sum(pages))
    frontier: list[bytes] = []
    stored: list[bytes] = []
    size = 0
    for page in pages:
        stored += merkle.extend(frontier, size, leaves[size : size + page])
        size += page
    assert merkle.fold(frontier) == merkle.root(leaves)
    assert len(stored) == size - size.bit_count()
    for level in range(1, size.bit_length()):
        for index in range(size >> level):
            subtree = leaves[index << level : (index + 1) << level]
            assert stored[node_position(level, index)] == merkle.root(subtree)


@given(st.integers(0, 1 << 40))
def test_complete_nodes_cover_a_range_without_holes(size: int) -> None:
    at = 0
    for level, index in complete_nodes(0, size):
        assert index << level == at
        at += 1 << level
    assert at == size


@given(leaf_in_tree())
def test_every_inclusion_proof_verifies(case: tuple[int, int]) -> None:
    index, size = case
    leaves = tree(size)
    proof = merkle.inclusion_proof(leaves, index)
    assert merkle.verify_inclusion(leaves[index], index, size, proof, merkle.root(leaves))


@given(tree_in_tree())
def test_every_consistency_proof_verifies(case: tuple[int, int]) -> None:
    old, new = case
    leaves = tree(new)
    proof = merkle.consistency_proof(leaves, old)
    assert merkle.verify_consistency(old, new, proof, merkle.root(leaves[:old]), merkle.root(leaves))


@given(leaves_in_tree())
def test_every_subset_proof_verifies_and_is_never_longer_than_single_ones(case: tuple[list[int], int]) -> None:
    indices, size = case
    leaves = tree(size)
    proof = merkle.subset_proof(leaves, indices)
    assert merkle.verify_subset({i: leaves[i] for i in indices}, size, proof, merkle.root(leaves))
    assert len(proof) <= sum(len(merkle.inclusion_proof(leaves, i)) for i in indices)


def flipped(value: bytes, position: int) -> bytes:
    at = position % len(value)
    return value[:at] + bytes([value[at] ^ (1 << position % 8)]) + value[at + 1 :]


positions = st.integers(0, 255)


@given(leaf_in_tree(), positions, st.data())
def test_no_changed_inclusion_proof_verifies(case: tuple[int, int], position: int, data: st.DataObject) -> None:
    index, size = case
    leaves = tree(size)
    proof, top = merkle.inclusion_proof(leaves, index), merkle.root(leaves)
    other = data.draw(st.integers(-2, size + 1).filter(lambda value: value != index))
    assert not merkle.verify_inclusion(leaves[index], other, size, proof, top)
    assert not merkle.verify_inclusion(flipped(leaves[index], position), index, size, proof, top)
    assert not merkle.verify_inclusion(leaves[index], index, size, proof, flipped(top, position))
    assert not merkle.verify_inclusion(leaves[index], index, size, [*proof, top], top)
    assert not merkle.verify_inclusion(leaves[index] + b"\x00", index, size, proof, top)
    for number in range(len(proof)):
        changed = [*proof[:number], flipped(proof[number], position), *proof[number + 1 :]]
        assert not merkle.verify_inclusion(leaves[index], index, size, changed, top)
        assert not merkle.verify_inclusion(leaves[index], index, size, proof[:number] + proof[number + 1 :], top)


@given(tree_in_tree(), positions)
def test_no_changed_consistency_proof_verifies(case: tuple[int, int], position: int) -> None:
    old, new = case
    leaves = tree(new)
    proof = merkle.consistency_proof(leaves, old)
    before, after = merkle.root(leaves[:old]), merkle.root(leaves)
    assert not merkle.verify_consistency(old, new, proof, flipped(before, position), after)
    assert not merkle.verify_consistency(old, new, proof, before, flipped(after, position))
    assert not merkle.verify_consistency(old, new, [*proof, before], before, after)
    assert not merkle.verify_consistency(new + 1, new, proof, before, after)
    for number in range(len(proof)):
        changed = [*proof[:number], flipped(proof[number], position), *proof[number + 1 :]]
        assert not merkle.verify_consistency(old, new, changed, before, after)
        assert not merkle.verify_consistency(old, new, proof[:number] + proof[number + 1 :], before, after)


@given(leaves_in_tree(), positions, st.data())
def test_no_changed_subset_proof_verifies(case: tuple[list[int], int], position: int, data: st.DataObject) -> None:
    indices, size = case
    hashes = tree(size)
    proof, top = merkle.subset_proof(hashes, indices), merkle.root(hashes)
    leaves = {index: hashes[index] for index in indices}
    one = data.draw(st.sampled_from(indices))
    moved = {index: value for index, value in leaves.items() if index != one}
    assert not merkle.verify_subset(moved, size, proof, top)
    for place in {-1, 0, size - 1, size} - set(indices):
        assert not merkle.verify_subset({**moved, place: leaves[one]}, size, proof, top)
    assert not merkle.verify_subset({**leaves, one: flipped(leaves[one], position)}, size, proof, top)
    assert not merkle.verify_subset(leaves, size, proof, flipped(top, position))
    assert not merkle.verify_subset(leaves, size, [*proof, top], top)
    for number in range(len(proof)):
        changed = [*proof[:number], flipped(proof[number], position), *proof[number + 1 :]]
        assert not merkle.verify_subset(leaves, size, changed, top)
        assert not merkle.verify_subset(leaves, size, proof[:number] + proof[number + 1 :], top)


def test_a_rewritten_history_is_not_consistent() -> None:
    leaves = tree(12)
    rewritten = [*leaves[:3], merkle.leaf_hash(b"other"), *leaves[4:]]
    proof = merkle.consistency_proof(rewritten, 8)
    assert not merkle.verify_consistency(8, 12, proof, merkle.root(leaves[:8]), merkle.root(rewritten))


def test_the_empty_tree_is_the_start_of_every_tree_and_proves_no_leaf() -> None:
    leaves = tree(5)
    assert merkle.verify_consistency(0, 5, [], merkle.EMPTY_ROOT, merkle.root(leaves))
    assert not merkle.verify_consistency(0, 5, [], merkle.root(leaves), merkle.root(leaves))
    assert not merkle.verify_inclusion(leaves[0], 0, 0, [], merkle.EMPTY_ROOT)
    assert not merkle.verify_subset({}, 5, [merkle.root(leaves)], merkle.root(leaves))


def test_an_inner_node_cannot_pose_as_a_leaf() -> None:
    leaves = tree(2)
    posing = merkle.leaf_hash(b"\x01" + leaves[0] + leaves[1])
    assert not merkle.verify_inclusion(posing, 0, 1, [], merkle.root(leaves))


@pytest.mark.parametrize("size", [1 << 63, (1 << 63) + 1, 1 << 4000])
def test_absurd_sizes_end_quickly(size: int) -> None:
    assert not merkle.verify_inclusion(bytes(32), 0, size, [bytes(32)] * 3, bytes(32))
    assert not merkle.verify_subset({0: bytes(32), size - 1: bytes(32)}, size, [bytes(32)], bytes(32))
    assert not merkle.verify_consistency(1, size, [bytes(32)], bytes(32), bytes(32))


@pytest.mark.parametrize("indices", [[], [-1], [8], [1, 1], [2, 1]])
def test_a_subset_must_be_rising_indices_of_the_tree(indices: list[int]) -> None:
    with pytest.raises(ValueError, match="rising"):
        merkle.subset_proof(HASHES, indices)


@pytest.mark.parametrize("index", [-1, 8])
def test_a_leaf_outside_the_tree_has_no_proof(index: int) -> None:
    with pytest.raises(ValueError, match="no leaf"):
        merkle.inclusion_proof(HASHES, index)
