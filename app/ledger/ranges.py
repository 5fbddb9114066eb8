# SPDX-License-Identifier: Apache-2.0

"""Which subtrees a root or a proof is made of, without touching a hash.

In:  sizes and indices of leaves.
Out: ranges ``(start, end)`` of leaves, and the complete subtrees ``(level, index)`` that make up a range.

Splitting a proof into "which ranges" and "their hashes" lets one query fetch all that a proof needs. A range is always
a node of the tree of RFC 9162 section 2.1.1: it starts at a multiple of a power of two not below its length.
"""

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from itertools import pairwise

Range = tuple[int, int]
Node = tuple[int, int]


def split(size: int) -> int:
    """Return the largest power of two below ``size`` (at least 2): where a tree parts (RFC 9162 section 2.1.1)."""
    return 1 << ((size - 1).bit_length() - 1)


def complete_nodes(start: int, end: int) -> Iterator[Node]:
    """Yield the complete subtrees that make up a range, left to right, as (level, index on that level)."""
    while start < end:
        level = (end - start).bit_length() - 1
        yield level, start >> level
        start += 1 << level


def node_position(level: int, index: int) -> int:
    """Return the place of a complete subtree of two leaves or more in the order in which subtrees become complete.

    The places have no holes, so nodes are stored by number, and each append only adds at the end. Before leaf ``n``
    there are ``n`` minus the number of ones in ``n`` such subtrees.
    """
    last_leaf = ((index + 1) << level) - 1
    return last_leaf - last_leaf.bit_count() + level - 1


def inclusion_ranges(index: int, size: int) -> list[Range]:
    """Return the siblings on the way from a leaf up to the root (RFC 9162 section 2.1.3.1).

    Raises:
        ValueError: there is no such leaf.
    """
    if not 0 <= index < size:
        raise ValueError(f"a tree of {size} leaves has no leaf {index}")
    ranges = []
    start, end = 0, size
    while end - start > 1:
        middle = start + split(end - start)
        if index < middle:
            ranges.append((middle, end))
            end = middle
        else:
            ranges.append((start, middle))
            start = middle
    return ranges[::-1]


def consistency_ranges(old: int, new: int) -> list[Range]:
    """Return the subtrees that prove a tree of ``new`` leaves to start with one of ``old`` (RFC 9162 section 2.1.4.1).

    Raises:
        ValueError: the old tree is not the smaller one.
    """
    if not 0 <= old <= new:
        raise ValueError(f"a tree of {new} leaves cannot start with one of {old}")
    if old in (0, new):
        return []
    ranges = []
    start, end = 0, new
    while end != old:
        middle = start + split(end - start)
        if old <= middle:
            ranges.append((middle, end))
            end = middle
        else:
            ranges.append((start, middle))
            start = middle
    # The old root itself is known to whoever asks; any other subtree that ends at ``old`` is not.
    return [*([(start, end)] if start else []), *ranges[::-1]]


def subset_ranges(indices: Sequence[int], size: int) -> list[Range]:
    """Return the largest subtrees that hold none of the leaves ``indices``, left to right.

    Their hashes and those of the leaves give the root: one proof for many leaves.

    Raises:
        ValueError: ``indices`` is empty, does not rise, or leaves the tree.
    """
    if not indices or indices[0] < 0 or indices[-1] >= size or any(a >= b for a, b in pairwise(indices)):
        raise ValueError(f"these are not rising indices of leaves in a tree of {size}")
    found: list[Range] = []
    # A stack of (first leaf, last leaf + 1, first of ``indices`` in it, last + 1); the right half waits below the left.
    waiting = [(0, size, 0, len(indices))]
    while waiting:
        start, end, low, high = waiting.pop()
        if low == high:
            found.append((start, end))
        elif high - low < end - start:
            middle = start + split(end - start)
            cut = bisect_left(indices, middle, low, high)
            waiting += [(middle, end, cut, high), (start, middle, low, cut)]
    return found
