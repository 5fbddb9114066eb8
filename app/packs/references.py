# SPDX-License-Identifier: Apache-2.0

"""Find which ledger entries the rows of frozen populations rest on.

In:  the folder ``populations/``.
Out: indices of entries. Many rows name the same ones, so a byte an entry says which of them were named: a million
sessions name five million entries seventy million times.
"""

from collections.abc import Iterable, Iterator, Sequence
from itertools import chain
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from app.errors import InvalidInput
from app.trails.populations import POPULATIONS
from app.trails.segments import segment_files

MOST = 1 << 31
"""Entries of the largest ledger that packs are made of; a forged index would ask for any amount of memory."""
_RESTS_ON_BOXES = "source"
"""The population whose items rest on completeness boxes instead."""


class Marks:
    """A set of indices of entries."""

    def __init__(self) -> None:
        self._marked = bytearray(1)  # The last one is for whatever is larger, and never marked.

    def add(self, indices: Iterable[int], largest: int) -> None:
        """Mark some, none of which is larger than ``largest``.

        Raises:
            InvalidInput: no ledger has such an index.
        """
        if not 0 <= largest < MOST:
            raise InvalidInput(f"no ledger has an entry {largest}")
        marked = self._marked
        marked.extend(bytes(max(0, largest + 2 - len(marked))))
        for index in indices:
            marked[index] = 1

    def without(self, indices: pa.Array) -> pa.Array:
        """Return those of the indices that are not marked."""
        beyond = len(self._marked) - 1
        within = pc.and_(pc.greater_equal(indices, 0), pc.less(indices, beyond))
        found = self._array().take(pc.if_else(pc.fill_null(within, pa.scalar(value=False)), indices, beyond))
        return indices.filter(pc.equal(found, 0)) if pc.min(found).as_py() == 0 else indices.slice(0, 0)

    def ascending(self) -> list[int]:
        """Return all of them."""
        indices: list[int] = pc.indices_nonzero(self._array()).to_pylist()
        return indices

    def _array(self) -> pa.Array:
        return pa.Array.from_buffers(pa.uint8(), len(self._marked), [None, pa.py_buffer(self._marked)])


def references(populations: Path) -> Iterator[tuple[str, pa.ListArray]]:
    """Yield the indices that each row of some rows names, with the name of their population."""
    for population in POPULATIONS:
        for path in segment_files(populations, population):
            with pq.ParquetFile(path) as file:
                for batch in file.iter_batches(columns=["ledger"]):
                    yield population, batch.column("ledger")


def is_resting_on_nothing(population: str, named: pa.ListArray) -> bool:
    """Tell whether some of these rows name no entry, although they are no sources."""
    return population != _RESTS_ON_BOXES and pc.min(pc.fill_null(pc.list_value_length(named), 0)).as_py() == 0


def ledger_indices(populations: Path, also: Sequence[int] = ()) -> list[int]:
    """Return the index of every ledger entry that a row was made from, and of ``also``, ascending, each once."""
    marks = Marks()
    named = (pc.list_flatten(each) for _, each in references(populations))
    for indices in chain([pa.array(also, pa.int64())], named):
        if len(indices):
            found = pc.unique(indices)
            marks.add(found.to_pylist(), pc.max(found).as_py())
    return marks.ascending()
