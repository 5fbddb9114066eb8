# SPDX-License-Identifier: Apache-2.0

"""The step that tests every item again by the SQL engine, over whole populations.

A test that reads what the pack withholds cannot be run again: its outcomes are taken as recorded, and the step says so.
"""

from pathlib import Path

import pyarrow.parquet as pq

from app.controls.loader import Controls
from app.evaluation.claims import Claims
from app.evaluation.model import Evaluation
from app.evaluation.service import evaluate
from app.packs.report import Folders
from app.packs.withholding.reads import tests_reading
from app.trails.populations import POPULATIONS
from app.verification.case import Case, need
from app.verification.outcome import fail_if_any


def by_engine(case: Case) -> str:
    """Test every item of every population again and compare outcomes, counts and conclusions."""
    controls = need(case.controls, 13)
    stated = case.report().evaluation
    folders = case.folders_of_pack()
    results = case.work / "results"
    claimed = tests_reading(controls, stated, case.withheld.fields) if case.withheld else ()
    again = evaluate(
        controls=controls,
        catalog=controls.resolve_framework(stated.framework),
        period=stated.period,
        as_of=stated.as_of,
        ledger_size=stated.ledger_size,
        segments=folders.populations,
        results=results,
        claims=_claims(controls, claimed, folders.results),
    )
    problems = _vector_problems(folders.results, results)
    problems += _conclusion_problems(stated, again)
    fail_if_any(problems)
    case.reperformed, case.not_reperformed = Folders(populations=folders.populations, results=results), claimed
    items = sum(sum(test.counts.values()) for test in again.tests if test.test_id not in claimed)
    return f"{len(again.tests) - len(claimed)} tests, {items:,} outcomes{not_done(claimed)}"


def not_done(claimed: tuple[str, ...]) -> str:
    """Say which tests were left out."""
    if not claimed:
        return ""
    return f"; NOT DONE for {', '.join(claimed)}: they read withheld values, so their outcomes are the signer's claim"


def _claims(controls: Controls, claimed: tuple[str, ...], recorded: Path) -> Claims | None:
    tests: dict[str, tuple[str, ...]] = {}
    for test_id in claimed:
        population = controls.tests[test_id].population
        tests[population] = (*tests.get(population, ()), test_id)
    return Claims(tests=tests, recorded=recorded) if tests else None


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
