# SPDX-License-Identifier: Apache-2.0

"""The leaves of a ledger that a pack lists, in as little memory as they can have: millions of them are proven at once.

In:  leaf bytes with their indices, which rise.
Out: whether a proof leads from all of them to a root, and which indices are theirs.
"""

from array import array
from collections.abc import Sequence
from typing import overload

from app.ledger.merkle import HASH_SIZE, leaf_hash, verify_sorted_subset
from app.packs.references import Marks


class Leaves:
    """Leaf hashes and their indices: forty bytes a leaf."""

    def __init__(self) -> None:
        self._indices = array("q")
        self._hashes = bytearray()

    def __len__(self) -> int:
        """Return how many there are."""
        return len(self._indices)

    def add(self, indices: Sequence[int], leaves: Sequence[bytes]) -> None:
        """Add leaves; all indices must be larger than those before."""
        self._indices.extend(indices)
        self._hashes += b"".join(map(leaf_hash, leaves))

    def lead_to(self, root: bytes, size: int, proof: Sequence[bytes]) -> bool:
        """Tell whether a proof shows that all of them are in the tree of that size and root."""
        return verify_sorted_subset(self._indices, _Packed(self._hashes), size, proof, root)

    def marks(self) -> Marks:
        """Return which indices are theirs."""
        marks = Marks()
        if self._indices:
            marks.add(self._indices, self._indices[-1])
        return marks


class _Packed(Sequence[bytes]):
    """Hashes that stand one behind the other."""

    def __init__(self, data: bytearray) -> None:
        self._data = data

    def __len__(self) -> int:
        return len(self._data) // HASH_SIZE

    @overload
    def __getitem__(self, place: int) -> bytes: ...

    @overload
    def __getitem__(self, place: slice) -> list[bytes]: ...

    def __getitem__(self, place: int | slice) -> bytes | list[bytes]:
        if isinstance(place, slice):
            start, stop, step = place.indices(len(self))
            data = bytes(self._data[start * HASH_SIZE : stop * HASH_SIZE])
            return [data[each : each + HASH_SIZE] for each in range(0, len(data), step * HASH_SIZE)]
        return bytes(self._data[place * HASH_SIZE : (place + 1) * HASH_SIZE])
