# SPDX-License-Identifier: Apache-2.0

"""Find the items that gaps name, and derive the gaps of an evaluated period with them.

In:  an evaluated period: its evaluation, its controls, and the folders of frozen populations and result vectors.
Out: gaps. Reads at most as much of a result vector as it takes to find the first hundred items.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

import msgspec
import pyarrow.compute as pc
import pyarrow.parquet as pq

from app.evaluation.model import ControlTestResult, Evaluation, ItemOutcome
from app.gaps.derive import ControlsLike, derive_gaps
from app.gaps.findings import MOST_ITEMS
from app.gaps.model import Gap
from app.trails.populations import SourceRow
from app.trails.segments import read_rows

_NAMED = (ItemOutcome.FAIL, ItemOutcome.WAIVED, ItemOutcome.NO_EVIDENCE, ItemOutcome.ERROR)


class Evaluated(Protocol):
    """An evaluation with the files it was made from and into."""

    @property
    def evaluation(self) -> Evaluation:
        """Return what was concluded."""
        ...

    @property
    def controls(self) -> ControlsLike:
        """Return the definitions."""
        ...

    @property
    def segments(self) -> Path:
        """Return the folder of the frozen populations."""
        ...

    @property
    def results(self) -> Path:
        """Return the folder of the result vectors."""
        ...


class NamedItems(msgspec.Struct, frozen=True, kw_only=True):
    """Items of one test: rows of item id and outcome word."""

    test_id: str
    rows: tuple[tuple[str, str], ...]


def gaps_of(evaluated: Evaluated) -> tuple[Gap, ...]:
    """Return the gaps of an evaluated period."""
    evaluation = evaluated.evaluation
    sources = [row for row in read_rows(evaluated.segments, "source") if isinstance(row, SourceRow)]
    tables = [named_items(result, evaluated.results) for result in evaluation.tests]
    return derive_gaps(evaluation, evaluated.controls, sources, tables)


def named_items(result: ControlTestResult, results: Path, most: int = MOST_ITEMS) -> NamedItems:
    """Return the first items of a test, in order of id, for each outcome that a gap can be about."""
    rows: list[tuple[str, str]] = []
    for outcome in _NAMED:
        if result.counts[outcome.word]:
            found = _first(results / f"{result.population}.parquet", result.test_id, outcome, most)
            rows += [(item, outcome.word) for item in found]
    return NamedItems(test_id=result.test_id, rows=tuple(rows))


def _first(vector: Path, test_id: str, outcome: ItemOutcome, most: int) -> list[str]:
    found: list[str] = []
    for items in _batches(vector, test_id, outcome):
        found += items
        if len(found) >= most:
            break
    return found[:most]


def _batches(vector: Path, test_id: str, outcome: ItemOutcome) -> Iterator[list[str]]:
    with pq.ParquetFile(vector) as file:
        for batch in file.iter_batches(columns=["item_id", test_id]):
            chosen = batch.filter(pc.equal(batch.column(test_id), int(outcome)))
            yield chosen.column("item_id").to_pylist()
