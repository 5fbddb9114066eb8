# SPDX-License-Identifier: Apache-2.0

"""The Merkle tree of RFC 9162 section 2.1 with SHA-256: roots, proofs, and their verification.

In:  leaf hashes, or a function that knows the hashes of complete subtrees.
Out: hashes; proofs as lists of hashes; True or False.
Verification takes hostile input: it never raises on it, and whatever does not fit exactly is False.

A proof binds a leaf to a root only together with the tree's size, which the signed checkpoint states beside the root.
"""

import hashlib
from bisect import bisect_left
from collections.abc import Callable, Iterator, Mapping, Sequence

from app.ledger.ranges import (
    Node,
    Range,
    complete_nodes,
    consistency_ranges,
    inclusion_ranges,
    split,
    subset_ranges,
)

HASH_SIZE = 32
EMPTY_ROOT = hashlib.sha256(b"").digest()
"""The root of a tree without leaves (RFC 9162 section 2.1.1)."""
MAX_SIZE = 1 << 63
"""Sizes from here on are refused; they bound the depth of every walk to 63."""

_AT_ONCE = 1 << 16
_sha256 = hashlib.sha256


def leaf_hash(data: bytes) -> bytes:
    """Return the hash of a leaf: SHA-256 of a zero byte and its data (RFC 9162 section 2.1.1)."""
    return _sha256(b"\x00" + data).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """Return the hash of an inner node: SHA-256 of a one byte and its two children (RFC 9162 section 2.1.1)."""
    return _sha256(b"\x01" + left + right).digest()


def root(leaf_hashes: Sequence[bytes]) -> bytes:
    """Return the root over leaf hashes, in order. 64 bytes of memory a leaf, about a second for a million."""
    if not leaf_hashes:
        return EMPTY_ROOT
    level = list(leaf_hashes)
    # A lone last node moves up unchanged, which gives the tree of the recursive definition.
    while len(level) > 1:
        lone = level[-1:] if len(level) % 2 else []
        level = _parents(level) + lone
    return level[0]


def extend(frontier: list[bytes], size: int, leaf_hashes: Sequence[bytes]) -> list[bytes]:
    """Append leaves to a tree known by its frontier, and return the subtrees that became complete, in that order.

    Args:
        frontier: hashes of ``complete_nodes(0, size)``; is brought up to date.
        size: number of leaves before.
        leaf_hashes: the new leaves.

    Returns:
        The hashes at places ``node_position`` onwards; see ``app.ledger.ranges``.
    """
    completed = []
    for number, leaf in enumerate(leaf_hashes, size):
        current, rest = leaf, number
        while rest & 1:
            current = _sha256(b"\x01" + frontier.pop() + current).digest()  # As node_hash; this runs once a leaf.
            completed.append(current)
            rest >>= 1
        frontier.append(current)
    return completed


def fold(parts: Sequence[bytes]) -> bytes:
    """Return the hash of a range from the hashes of its ``complete_nodes``."""
    if not parts:
        return EMPTY_ROOT
    result = parts[-1]
    for part in reversed(parts[:-1]):
        result = node_hash(part, result)
    return result


def hashes_of(ranges: Sequence[Range], node: Callable[[Node], bytes]) -> list[bytes]:
    """Return the hash of each range; ``node`` knows the hash of every complete subtree."""
    return [fold([node(part) for part in complete_nodes(start, end)]) for start, end in ranges]


def inclusion_proof(leaf_hashes: Sequence[bytes], index: int) -> list[bytes]:
    """Prove that leaf ``index`` is in the tree (RFC 9162 section 2.1.3.1)."""
    return hashes_of(inclusion_ranges(index, len(leaf_hashes)), _in_memory(leaf_hashes))


def consistency_proof(leaf_hashes: Sequence[bytes], old: int) -> list[bytes]:
    """Prove that the tree starts with the tree of its first ``old`` leaves (RFC 9162 section 2.1.4.1)."""
    return hashes_of(consistency_ranges(old, len(leaf_hashes)), _in_memory(leaf_hashes))


def subset_proof(leaf_hashes: Sequence[bytes], indices: Sequence[int]) -> list[bytes]:
    """Prove that all leaves ``indices``, which must rise, are in the tree, with one proof."""
    return hashes_of(subset_ranges(indices, len(leaf_hashes)), _in_memory(leaf_hashes))


def verify_inclusion(leaf: bytes, index: int, size: int, proof: Sequence[bytes], root_hash: bytes) -> bool:
    """Tell whether ``proof`` shows that the leaf with hash ``leaf`` is number ``index`` of ``size`` under a root.

    Source: RFC 9162 section 2.1.3.2, whose numbered steps the code follows.
    """
    if not 0 <= index < size <= MAX_SIZE or not _are_hashes([leaf, root_hash, *proof]):
        return False
    # (2), (3): start at the leaf.
    first, second, result = index, size - 1, leaf
    # (4): take one sibling a level.
    for sibling in proof:
        if second == 0:
            return False
        if first & 1 or first == second:
            result = node_hash(sibling, result)
            while not first & 1 and first:
                first, second = first >> 1, second >> 1
        else:
            result = node_hash(result, sibling)
        first, second = first >> 1, second >> 1
    # (5): the way must end at the root, and there.
    return second == 0 and result == root_hash


def verify_consistency(old: int, new: int, proof: Sequence[bytes], old_root: bytes, new_root: bytes) -> bool:
    """Tell whether ``proof`` shows that the tree of ``new`` leaves starts with the one of ``old``.

    Source: RFC 9162 section 2.1.4.2, whose numbered steps the code follows. Every tree starts with the empty one.
    """
    if not 0 <= old <= new <= MAX_SIZE or not _are_hashes([old_root, new_root, *proof]):
        return False
    if old == new:
        return not proof and old_root == new_root
    if old == 0:
        return not proof and old_root == EMPTY_ROOT
    # (1), (2): a whole left subtree is its own first node.
    path = [old_root, *proof] if old & (old - 1) == 0 else list(proof)
    if not path:
        return False
    # (3), (4): leave out the levels below the last complete subtree of the old tree.
    first, second = old - 1, new - 1
    while first & 1:
        first, second = first >> 1, second >> 1
    # (5), (6): rebuild both roots from the same hashes.
    old_result = new_result = path[0]
    for sibling in path[1:]:
        if second == 0:
            return False
        if first & 1 or first == second:
            old_result, new_result = node_hash(sibling, old_result), node_hash(sibling, new_result)
            while not first & 1 and first:
                first, second = first >> 1, second >> 1
        else:
            new_result = node_hash(new_result, sibling)
        first, second = first >> 1, second >> 1
    # (7): both must come out, and nothing be left.
    return second == 0 and old_result == old_root and new_result == new_root


def verify_subset(leaves: Mapping[int, bytes], size: int, proof: Sequence[bytes], root_hash: bytes) -> bool:
    """Tell whether ``proof`` shows that all ``leaves`` (index to leaf hash) are in the tree of ``size`` under a root.

    No leaves show nothing, so they are False.
    """
    indices = sorted(leaves)
    hashes = [leaves[index] for index in indices]
    return _are_hashes(hashes) and verify_sorted_subset(indices, hashes, size, proof, root_hash)


def verify_sorted_subset(
    indices: Sequence[int], hashes: Sequence[bytes], size: int, proof: Sequence[bytes], root_hash: bytes
) -> bool:
    """Do as ``verify_subset`` for leaves whose indices rise, and whose hashes, of the right length, are beside them.

    No more than ``_AT_ONCE`` hashes are taken out of ``hashes`` at a time.
    """
    if not indices or indices[0] < 0 or indices[-1] >= size or size > MAX_SIZE:
        return False
    if not _are_hashes([root_hash, *proof]):
        return False
    siblings = iter(proof)
    try:
        result = _subset_root(0, size, 0, len(indices), indices, hashes, siblings)
    except StopIteration:
        return False
    return next(siblings, None) is None and result == root_hash


def _subset_root(
    start: int,
    end: int,
    low: int,
    high: int,
    indices: Sequence[int],
    hashes: Sequence[bytes],
    siblings: Iterator[bytes],
) -> bytes:
    if low == high:
        return next(siblings)
    if high - low == end - start <= _AT_ONCE:
        return root(hashes[low:high])
    middle = start + split(end - start)
    cut = bisect_left(indices, middle, low, high)
    left = _subset_root(start, middle, low, cut, indices, hashes, siblings)
    return node_hash(left, _subset_root(middle, end, cut, high, indices, hashes, siblings))


def _parents(level: list[bytes]) -> list[bytes]:
    pairs = zip(level[0::2], level[1::2], strict=False)
    return [_sha256(b"\x01" + left + right).digest() for left, right in pairs]


def _in_memory(leaf_hashes: Sequence[bytes]) -> Callable[[Node], bytes]:
    levels = [list(leaf_hashes)]
    while len(levels[-1]) > 1:
        levels.append(_parents(levels[-1]))
    return lambda node: levels[node[0]][node[1]]


def _are_hashes(values: Sequence[bytes]) -> bool:
    return all(len(value) == HASH_SIZE for value in values)
