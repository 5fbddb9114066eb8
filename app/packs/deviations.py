# SPDX-License-Identifier: Apache-2.0

"""List the items that deviate, test by test, with the columns the test wants shown.

In:  frozen populations, result vectors and the tests.
Out: a short table a test for reports, and a CSV a test with every deviating item, waived ones included.
"""

import csv
import io
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path

from app.controls.model import ControlTest
from app.evaluation.model import ControlTestResult, DeviationTable, ItemOutcome
from app.packs.rows import items_with, select_rows
from app.packs.values import text_at
from app.records.spreadsheet import plain_cell
from app.trails.populations import Row

SHOWN = 50
"""Rows of a test that a report prints; the CSV has all of them."""
DEVIATING = (ItemOutcome.FAIL, ItemOutcome.WAIVED)


class _Listing:
    """The deviations of one test while they are collected: all to the CSV, the first to the report."""

    def __init__(self, test: ControlTest, items: Mapping[str, ItemOutcome], output: io.TextIOBase) -> None:
        self._test = test
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
        return DeviationTable(
            test_id=self._test.id, columns=self.columns, rows=tuple(self._rows), total=len(self.items)
        )


def write_deviations(
    results: Sequence[ControlTestResult],
    tests: Mapping[str, ControlTest],
    folders: tuple[Path, Path],
    output: Path,
) -> tuple[DeviationTable, ...]:
    """Write ``<output>/<TEST-ID>.csv`` for every test with deviations and return the tables, in order of ``results``.

    Args:
        results: the results of the tests that were run.
        tests: their definitions.
        folders: the populations and the result vectors.
        output: an existing folder.
    """
    tables: dict[str, DeviationTable] = {}
    for population in dict.fromkeys(result.population for result in results):
        failed = [result for result in results if result.population == population and _deviates(result)]
        tables |= _of_population(population, [tests[result.test_id] for result in failed], folders, output)
    return tuple(tables[result.test_id] for result in results if result.test_id in tables)


def _deviates(result: ControlTestResult) -> bool:
    return any(result.counts[outcome.word] for outcome in DEVIATING)


def _of_population(
    population: str, tests: Sequence[ControlTest], folders: tuple[Path, Path], output: Path
) -> dict[str, DeviationTable]:
    populations, results = folders
    with ExitStack() as stack:
        listings: dict[str, _Listing] = {}
        for test in tests:
            file = stack.enter_context((output / f"{test.id}.csv").open("w", encoding="utf-8", newline=""))
            listings[test.id] = _Listing(test, items_with(results, population, test.id, DEVIATING), file)
        wanted = {item for listing in listings.values() for item in listing.items}
        for row in select_rows(populations, population, wanted):
            for listing in listings.values():
                if row.item_id in listing.items:
                    listing.add(row)
    return {test_id: listing.table() for test_id, listing in listings.items()}
