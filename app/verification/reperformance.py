# SPDX-License-Identifier: Apache-2.0

"""The step that tests every item again by the SQL engine, over whole populations."""

from pathlib import Path

import pyarrow.parquet as pq

from app.evaluation.model import Evaluation
from app.evaluation.service import evaluate
from app.packs.report import Folders
from app.trails.populations import POPULATIONS
from app.verification.case import Case, need
from app.verification.outcome import fail_if_any


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
