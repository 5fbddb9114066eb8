# SPDX-License-Identifier: Apache-2.0

"""Steps that test every item again: by the SQL engine over whole populations, and one by one by the interpreter."""

from collections.abc import Iterable, Iterator
from pathlib import Path

import pyarrow.parquet as pq

from app.controls.model import ControlTest
from app.evaluation.model import Evaluation, ItemOutcome
from app.evaluation.oracle import outcomes
from app.evaluation.service import evaluate
from app.packs.deviations import DEVIATING
from app.packs.report import Folders
from app.packs.rows import items_with, select_rows
from app.trails.populations import POPULATIONS, Row
from app.trails.segments import read_rows
from app.verification.case import Case, need
from app.verification.outcome import Failed, fail_if_any

WHOLE_UP_TO = 2_000
"""Populations of at most so many items are interpreted whole; of larger ones, deviations and sampled items."""
ALWAYS_INTERPRETED = 2_000
"""Deviating items a test that are interpreted at most; the first by id."""
_MAX_PROBLEMS = 20


def by_engine(case: Case) -> str:
    """Test every item of every population again and compare outcomes, counts and conclusions."""
    controls = need(case.controls, 13)
    stated = case.report().evaluation
    folders = case.folders_of_pack()
    results = case.work / "results"
    again = evaluate(
        controls=controls,
        catalog=controls.resolve_framework(stated.framework),
        period=stated.period,
        as_of=stated.as_of,
        ledger_size=stated.ledger_size,
        segments=folders.populations,
        results=results,
    )
    problems = _vector_problems(folders.results, results)
    problems += _conclusion_problems(stated, again)
    fail_if_any(problems)
    case.reperformed = Folders(populations=folders.populations, results=results)
    items = sum(sum(test.counts.values()) for test in again.tests)
    return f"{len(again.tests)} tests, {items:,} outcomes"


def by_interpreter(case: Case) -> str:
    """Ask the interpreter, which shares no code with the SQL engine, about deviations and sampled items."""
    controls, folders = need(case.controls, 13), need(case.reperformed, 15)
    report = case.report()
    period = report.evaluation.period
    slices = {test_id: controls.slices_in(test_id, period.start, period.end) for test_id in controls.slices}
    sampled: dict[str, set[str]] = {population: set() for population in POPULATIONS}
    for sample in report.samples:
        sampled[sample.population].update(sample.items)
    for chosen in report.judgemental:
        sampled[chosen.population].add(chosen.item_id)
    problems: list[str] = []
    asked = 0
    for population in POPULATIONS:
        results = [result for result in report.evaluation.tests if result.population == population]
        tests = [controls.tests[result.test_id] for result in results]
        rows = _rows(folders, population, tests, report.evaluation.population_sizes[population], sampled)
        recorded = {test.id: items_with(folders.results, population, test.id, tuple(ItemOutcome)) for test in tests}
        for row in rows:
            for test_id, outcome in outcomes(tests, row, slices).items():
                asked += 1
                if outcome != recorded[test_id][row.item_id]:
                    problems.append(f"{test_id} on {row.item_id}: the interpreter gives another outcome")
            if len(problems) >= _MAX_PROBLEMS:
                raise Failed(problems)
    fail_if_any(problems)
    return f"{asked:,} outcomes"


def _vector_problems(recorded: Path, again: Path) -> list[str]:
    problems = []
    for population in POPULATIONS:
        ours, theirs = (folder / f"{population}.parquet" for folder in (again, recorded))
        if ours.is_file() != theirs.is_file():
            problems.append(f"the recorded outcomes of {population} are missing, or there should be none")
        elif ours.is_file() and not pq.read_table(ours).equals(pq.read_table(theirs)):
            problems.append(f"the recorded outcomes of {population} are not what its items give")
    return problems


def _conclusion_problems(stated: Evaluation, again: Evaluation) -> list[str]:
    ours = {test.test_id: test for test in again.tests}
    problems = [f"test {test.test_id} gives another result" for test in stated.tests if ours.get(test.test_id) != test]
    statuses = {control.control_id: control for control in again.controls}
    problems += [
        f"control {control.control_id} has another status"
        for control in stated.controls
        if statuses.get(control.control_id) != control
    ]
    return problems or ([] if stated == again else ["the evaluation is not what the items and controls give"])


def _rows(
    folders: Folders, population: str, tests: Iterable[ControlTest], size: int, sampled: dict[str, set[str]]
) -> Iterator[Row]:
    if size <= WHOLE_UP_TO:
        return read_rows(folders.populations, population)
    wanted = set(sampled[population])
    for test in tests:
        wanted |= set(sorted(items_with(folders.results, population, test.id, DEVIATING))[:ALWAYS_INTERPRETED])
    return select_rows(folders.populations, population, wanted)
