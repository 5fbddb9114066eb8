# SPDX-License-Identifier: Apache-2.0

"""List the items that deviate, test by test, with the columns the test wants shown.

In:  the rows of frozen populations, result vectors and the tests.
Out: a short table a test for reports, and a CSV a test with every deviating item, waived ones included.
"""

import csv
import io
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Self

from app.controls.model import ControlTest
from app.evaluation.model import ControlTestResult, DeviationTable, ItemOutcome
from app.packs.rows import items_with
from app.packs.values import text_at
from app.records.spreadsheet import plain_cell
from app.trails.populations import Row

SHOWN = 50
"""Rows of a test that a report prints; the CSV has all of them."""
DEVIATING = (ItemOutcome.FAIL, ItemOutcome.WAIVED)


class _Listing:
    """The deviations of one test while they are collected: all to the CSV, the first to the report."""

    def __init__(self, test: ControlTest, items: Mapping[str, ItemOutcome], output: io.TextIOBase) -> None:
        self.test_id = test.id
        self.items = items
        self._rows: list[tuple[str, ...]] = []
        self._writer = csv.writer(output, lineterminator="\n")
        self.columns = ("item_id", "outcome", *(name for name in test.columns if name != "item_id"))
        self._writer.writerow(self.columns)

    def add(self, row: Row) -> None:
        outcome = self.items[row.item_id]
        cells = (row.item_id, outcome.word, *(text_at(row, name) for name in self.columns[2:]))
        self._writer.writerow([plain_cell(cell) for cell in cells])
        if len(self._rows) < SHOWN:
            self._rows.append(cells)

    def table(self) -> DeviationTable:
        return DeviationTable(test_id=self.test_id, columns=self.columns, rows=tuple(self._rows), total=len(self.items))


class Deviations:
    """Collects the deviations of one population's tests while its rows go by; a context manager.

    Args:
        tests: those of the population's tests that have deviations.
        population: its name.
        results: the result vectors.
        output: an existing folder that gets ``<TEST-ID>.csv``.

    Attributes:
        wanted: ids of the items to be added.
    """

    def __init__(self, tests: Sequence[ControlTest], population: str, results: Path, output: Path) -> None:
        found = items_with(results, population, [test.id for test in tests], DEVIATING) if tests else {}
        self.wanted = {item for items in found.values() for item in items}
        self._files = ExitStack()
        self._listings: list[_Listing] = []
        for test in tests:
            file = self._files.enter_context((output / f"{test.id}.csv").open("w", encoding="utf-8", newline=""))
            self._listings.append(_Listing(test, found[test.id], file))

    def __enter__(self) -> Self:
        """Return the collection."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close the files."""
        self._files.close()

    def add(self, row: Row) -> None:
        """Add an item to the tests in which it deviates, if any; items come in the order they shall have."""
        for listing in self._listings:
            if row.item_id in listing.items:
                listing.add(row)

    def tables(self) -> dict[str, DeviationTable]:
        """Return a short table a test."""
        return {listing.test_id: listing.table() for listing in self._listings}


def deviates(result: ControlTestResult) -> bool:
    """Tell whether a test found deviations."""
    return any(result.counts[outcome.word] for outcome in DEVIATING)
