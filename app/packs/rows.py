# SPDX-License-Identifier: Apache-2.0

"""Read the frozen populations and result vectors of a pack, as much as is asked for and no more.

In:  the folders ``populations/`` (Parquet segments) and ``results/`` (one vector of outcomes a population).
Out: ids, rows, outcomes. Memory is bounded by one segment and what is selected.
"""

from collections.abc import Collection, Iterator, Sequence
from pathlib import Path

import msgspec
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from app.evaluation.model import ItemOutcome
from app.trails.populations import POPULATIONS, Row
from app.trails.segments import read_period, rows_of, segment_files

BATCH = 10_000
"""Rows that are read at a time."""


def present(populations: Path, population: str, wanted: Collection[str]) -> list[str]:
    """Return those of the wanted ids that a population has, in order."""
    ids = pa.array(sorted(wanted), pa.string())
    found: set[str] = set()
    for path in segment_files(populations, population) if wanted else ():
        column = pq.read_table(path, columns=["item_id"]).column("item_id")
        found.update(column.filter(pc.is_in(column, value_set=ids)).to_pylist())
    return sorted(found)


def select_rows(populations: Path, population: str, wanted: Collection[str]) -> Iterator[Row]:
    """Yield the rows with the wanted ids, in order of segments and, in a segment, of the file.

    Raises:
        msgspec.ValidationError: a row is not of the population's type.
    """
    if not wanted:
        return
    selection, period = Selection(wanted), read_period(populations)
    for path in segment_files(populations, population):
        with pq.ParquetFile(path) as file:
            for batch in file.iter_batches(batch_size=BATCH):
                yield from rows_of(selection.of(batch), population, period)


class Selection:
    """Picks the rows with the wanted ids out of batches."""

    def __init__(self, wanted: Collection[str]) -> None:
        self._ids = pa.array(sorted(wanted), pa.string())

    def __bool__(self) -> bool:
        """Tell whether there is anything to pick."""
        return bool(len(self._ids))

    def of(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        """Return the rows of a batch that are wanted, in order."""
        return batch.filter(pc.is_in(batch.column("item_id"), value_set=self._ids))


def items_with(
    results: Path, population: str, test_ids: Sequence[str], outcomes: Collection[ItemOutcome]
) -> dict[str, dict[str, ItemOutcome]]:
    """Return, by test, the items that have one of these outcomes."""
    table = pq.read_table(results / f"{population}.parquet", columns=["item_id", *test_ids])
    found: dict[str, dict[str, ItemOutcome]] = {}
    for test_id in test_ids:
        wanted = pa.array([int(outcome) for outcome in outcomes], table.column(test_id).type)
        mask = pc.is_in(table.column(test_id), value_set=wanted)
        items, codes = (table.column(name).filter(mask).to_pylist() for name in ("item_id", test_id))
        found[test_id] = dict(zip(items, map(ItemOutcome, codes), strict=True))
    return found


class References(msgspec.Struct, frozen=True, kw_only=True):
    """What rows rest on.

    Attributes:
        indices: the index of every ledger entry that a row was made from, ascending, each once.
        without: the populations with an item that names no entry; sources rest on completeness boxes instead.
    """

    indices: pa.Array
    without: list[str]


def ledger_references(populations: Path) -> References:
    """Return which ledger entries the rows of all populations refer to."""
    found = [pa.array([], pa.int64())]
    without: list[str] = []
    for population in POPULATIONS:
        for path in segment_files(populations, population):
            with pq.ParquetFile(path) as file:
                for batch in file.iter_batches(columns=["ledger"]):
                    lists = batch.column("ledger")
                    found.append(pc.unique(pc.list_flatten(lists)))
                    is_empty = pc.min(pc.fill_null(pc.list_value_length(lists), 0)).as_py() == 0
                    if is_empty and population != "source" and population not in without:
                        without.append(population)
    unique = pc.unique(pa.chunked_array(found))
    return References(indices=unique.take(pc.sort_indices(unique)), without=without)


def ledger_indices(populations: Path) -> list[int]:
    """Return the index of every ledger entry that a row was made from, ascending, each once."""
    indices: list[int] = ledger_references(populations).indices.to_pylist()
    return indices
