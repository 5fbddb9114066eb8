# SPDX-License-Identifier: Apache-2.0

"""Read the frozen populations and result vectors of a pack, as much as is asked for and no more.

In:  the folders ``populations/`` (Parquet segments) and ``results/`` (one vector of outcomes a population).
Out: ids, rows, outcomes. Memory is bounded by one segment and what is selected.
"""

import tempfile
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from app.evaluation.engine import MEMORY_LIMIT, open_engine
from app.evaluation.model import ItemOutcome
from app.evaluation.questions import segments_sql
from app.trails.populations import Row
from app.trails.segments import read_period, rows_of, segment_files

BATCH = 10_000
"""Rows that are read at a time."""
_FEW = 1_000
"""The same of rows that somebody asked for, who will look at each of them."""
MOST_KEPT = 1 << 26
"""64 MiB of rows are kept for another step."""


def present(populations: Path, population: str, wanted: Collection[str]) -> list[str]:
    """Return those of the wanted ids that a population has, in order."""
    ids = pa.array(sorted(wanted), pa.string())
    found: set[str] = set()
    for path in segment_files(populations, population) if wanted else ():
        column = pq.read_table(path, columns=["item_id"]).column("item_id")
        found.update(column.filter(pc.is_in(column, value_set=ids)).to_pylist())
    return sorted(found)


class KeptRows:
    """Rows that were picked out of populations, for whoever wants some of them again; none of a population too large.

    To pick a few rows of a day takes reading all columns of that day.
    """

    def __init__(self) -> None:
        self._kept: dict[str, tuple[frozenset[str], list[pa.RecordBatch]]] = {}
        self._size = 0

    def keep(self, population: str, wanted: Collection[str], batches: list[pa.RecordBatch]) -> None:
        """Keep the rows with the wanted ids, unless they and the others take too much memory."""
        size = sum(batch.nbytes for batch in batches)
        if self._size + size <= MOST_KEPT:
            self._kept[population] = (frozenset(wanted), batches)
            self._size += size

    def of(self, population: str, wanted: Collection[str]) -> list[pa.RecordBatch] | None:
        """Return batches with all rows of a population that have the wanted ids, and with others; None if unknown."""
        ids, batches = self._kept.get(population, (frozenset[str](), []))
        return batches if ids.issuperset(wanted) else None


def select_rows(
    populations: Path, population: str, wanted: Collection[str], kept: KeptRows | None = None
) -> Iterator[Row]:
    """Yield the rows with the wanted ids, in order of segments and, in a segment, of the file.

    Args:
        populations: folder of the frozen populations.
        population: which of them.
        wanted: ids of items.
        kept: gets the rows, once all of them were taken.

    Raises:
        msgspec.ValidationError: a row is not of the population's type.
    """
    if not wanted:
        return
    period = read_period(populations)
    found: list[pa.RecordBatch] = []
    size = 0
    for batch in _sought(populations, population, wanted):
        size += batch.nbytes
        if kept is not None and size <= MOST_KEPT:
            found.append(batch)
        yield from rows_of(batch, population, period)
    if kept is not None and size <= MOST_KEPT:
        kept.keep(population, wanted, found)


def _sought(populations: Path, population: str, wanted: Collection[str]) -> Iterator[pa.RecordBatch]:
    """Yield what is wanted; the SQL engine reads the two hundred columns of a segment at half of Arrow's cost."""
    files = segments_sql([path.resolve() for path in segment_files(populations, population)], named=True)
    with (
        tempfile.TemporaryDirectory(prefix="proofroom-") as scratch,
        open_engine([populations], MEMORY_LIMIT, Path(scratch)) as engine,
    ):
        engine.register("wanted", pa.table({"item_id": pa.array(wanted, pa.string())}))
        sql = f"SELECT * FROM {files} SEMI JOIN wanted USING (item_id) ORDER BY filename, item_id"  # noqa: S608
        for batch in engine.sql(sql).to_arrow_reader(_FEW):
            yield batch.drop_columns("filename")


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
