# SPDX-License-Identifier: Apache-2.0

"""The step that asks the interpreter, which shares no code with the SQL engine, about items one by one.

In:  the populations, what the SQL engine said of every item, the tests as overlays changed them, the samples.
Out: how many outcomes agree; or the items of which the two engines say different things.
Every deviation and every sampled item is asked, however many there are; of small populations every item.
"""

from collections.abc import Mapping, Sequence

import msgspec
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from app.controls.loader import Controls
from app.evaluation.definition import Definition, define
from app.evaluation.model import ItemOutcome
from app.evaluation.oracle import judge
from app.packs.deviations import DEVIATING
from app.packs.model import ReportData
from app.packs.report import Folders
from app.packs.rows import KeptRows, select_rows
from app.trails.populations import POPULATIONS, Row
from app.verification.case import Case, need
from app.verification.outcome import Failed, fail_if_any
from app.verification.reperformance import not_done

WHOLE_UP_TO = 2_000
"""Populations of at most so many items are interpreted whole; of larger ones, deviations and sampled items."""
_MAX_PROBLEMS = 20
_CODES = {int(outcome) for outcome in DEVIATING}


class Asked(msgspec.Struct):
    """How much the interpreter was asked: outcomes in all, deviations among them, sampled items, whole populations.

    ``beyond`` is how many outcomes it gave none for, because lists of their items are too long for it;
    ``deviations_beyond`` is how many of these are deviations.
    """

    outcomes: int = 0
    deviations: int = 0
    sampled: int = 0
    whole: int = 0
    beyond: int = 0
    deviations_beyond: int = 0

    def __str__(self) -> str:
        """Return one line for people."""
        deviations = f"all {self.deviations:,} deviations"
        if self.deviations_beyond:
            deviations = f"{self.deviations:,} of {self.deviations + self.deviations_beyond:,} deviations"
        asked = (
            f"{self.outcomes:,} outcomes: {deviations}, all {self.sampled:,} sampled items, "
            f"and every item of {self.whole} of {len(POPULATIONS)} populations"
        )
        if not self.beyond:
            return asked
        return f"{asked}; but for {self.beyond:,} outcomes of items whose lists are too long for the interpreter"


def by_interpreter(case: Case) -> str:
    """Interpret all deviations and sampled items, and whole populations where they are small."""
    folders, report = need(case.reperformed, 15), case.report()
    kept = tuple(test for test in report.evaluation.tests if test.test_id not in case.not_reperformed)
    asked = msgspec.structs.replace(report, evaluation=msgspec.structs.replace(report.evaluation, tests=kept))
    return f"{interpret(need(case.controls, 13), asked, folders, kept=case.kept)}{not_done(case.not_reperformed)}"


def interpret(
    controls: Controls,
    report: ReportData,
    folders: Folders,
    whole_up_to: int = WHOLE_UP_TO,
    kept: KeptRows | None = None,
) -> Asked:
    """Compare what the interpreter says of items with the result vectors.

    Args:
        controls: tests and overlays.
        report: which tests were run, for which period, and what was drawn or chosen.
        folders: the populations, and the result vectors to compare with.
        whole_up_to: populations of at most so many items are asked about whole.
        kept: gets the rows that were asked about.

    Raises:
        Failed: an outcome differs, or an item of a result vector is not in its population.
    """
    asked, problems = Asked(), list[str]()
    sampled = _sampled(report)
    for population in POPULATIONS:
        is_whole = report.evaluation.population_sizes[population] <= whole_up_to
        asked.whole += is_whole
        definitions = _definitions(controls, report, population)
        if definitions:
            found = _Population(folders, population, definitions, sampled[population], is_whole=is_whole)
            problems += found.compare(asked, _MAX_PROBLEMS - len(problems), kept)
        if len(problems) >= _MAX_PROBLEMS:
            raise Failed(problems)
    fail_if_any(problems)
    return asked


def _sampled(report: ReportData) -> dict[str, set[str]]:
    """Return the items that were drawn for a test or chosen by somebody, by population."""
    sampled: dict[str, set[str]] = {population: set() for population in POPULATIONS}
    for draw in report.samples:
        sampled[draw.population].update(draw.items)
    for chosen in report.judgemental:
        sampled[chosen.population].add(chosen.item_id)
    return sampled


def _definitions(controls: Controls, report: ReportData, population: str) -> list[Definition]:
    """Return the tests of a population with everything that overlays changed of them in the period."""
    period = report.evaluation.period
    return [
        define(controls.tests[result.test_id], controls.slices_in(result.test_id, period.start, period.end))
        for result in report.evaluation.tests
        if result.population == population
    ]


class _Population:
    """One population, its tests, what the SQL engine said, and the items that were sampled."""

    def __init__(
        self,
        folders: Folders,
        population: str,
        definitions: Sequence[Definition],
        sampled: set[str],
        *,
        is_whole: bool,
    ) -> None:
        self._folders = folders
        self._population = population
        self._definitions = definitions
        self._sampled = sampled
        self._is_whole = is_whole

    def compare(self, asked: Asked, most: int, kept: KeptRows | None) -> list[str]:
        """Return how the interpreter differs on deviations and sampled items, or on all items."""
        recorded = self._recorded()
        problems: list[str] = []
        missing = recorded.keys() | self._sampled
        for row in select_rows(self._folders.populations, self._population, recorded, kept):
            missing.discard(row.item_id)
            problems += self._of_one(row, recorded[row.item_id], asked)
            if len(problems) >= most:
                return problems[:most]
        return [*problems, *(f"{item} is not in population {self._population}" for item in sorted(missing)[:most])]

    def _of_one(self, row: Row, codes: bytes, asked: Asked) -> list[str]:
        is_sampled = row.item_id in self._sampled
        every = self._is_whole or is_sampled
        tests = [each for place, each in enumerate(self._definitions) if every or codes[place] in _CODES]
        answers = judge(tests, row)
        asked.outcomes += len(answers)
        asked.beyond += len(tests) - len(answers)
        deviating = [each.id for each, code in zip(self._definitions, codes, strict=True) if code in _CODES]
        answered = sum(name in answers for name in deviating)
        asked.deviations += answered
        asked.deviations_beyond += len(deviating) - answered
        asked.sampled += is_sampled
        return self._differences(row.item_id, codes, answers)

    def _recorded(self) -> dict[str, bytes]:
        """Return the SQL engine's outcome of every test, in order, for the items that are to be asked about."""
        names = [definition.id for definition in self._definitions]
        path = self._folders.results / f"{self._population}.parquet"
        table = pq.read_table(path, columns=["item_id", *names])
        if not self._is_whole:
            table = table.filter(_mask(table, names, self._sampled))
        columns = [table.column(name).to_pylist() for name in names]
        return dict(zip(table.column("item_id").to_pylist(), map(bytes, zip(*columns, strict=True)), strict=True))

    def _differences(self, item: str, codes: bytes, answers: Mapping[str, ItemOutcome]) -> list[str]:
        return [
            f"{definition.id} on {item}: the interpreter gives another outcome"
            for definition, code in zip(self._definitions, codes, strict=True)
            if answers.get(definition.id, code) != code
        ]


def _mask(table: pa.Table, names: Sequence[str], sampled: set[str]) -> pa.ChunkedArray:
    """Tell of every row whether it is sampled or deviates in one test."""
    mask = pc.is_in(table.column("item_id"), value_set=pa.array(sorted(sampled), pa.string()))
    for name in names:
        column = table.column(name)
        mask = pc.or_(mask, pc.is_in(column, value_set=pa.array(sorted(_CODES), column.type)))
    return mask
