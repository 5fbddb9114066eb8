# SPDX-License-Identifier: Apache-2.0

"""The examples of the shipped tests hold on both engines, and both agree on all tests over all examples' rows."""

from pathlib import Path

import msgspec
import pyarrow.parquet as pq
import pytest

from app.controls.loader import Controls, load
from app.evaluation.definition import define
from app.evaluation.engine import judge
from app.evaluation.examples import run_examples
from app.evaluation.model import ItemOutcome
from app.evaluation.oracle import outcomes
from app.trails.example import example_row
from app.trails.populations import POPULATIONS, Row
from app.trails.segments import freeze

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def controls() -> Controls:
    return load(ROOT / "controls")


def test_every_example_holds_on_both_engines(controls: Controls) -> None:
    assert [str(failure) for failure in run_examples(controls)] == []


def test_an_example_that_does_not_hold_is_named_on_both_engines(controls: Controls) -> None:
    test = controls.tests["SES-02"]
    wrong = msgspec.structs.replace(test.examples[0], expect="fail")
    broken = msgspec.structs.replace(test, examples=(wrong, *test.examples[1:]))
    given = Controls(tests={test.id: broken}, catalogs={}, mappings={}, files={})
    found = [str(failure) for failure in run_examples(given)]
    assert len(found) == 2
    assert all("SES-02" in line and "a session explains it" in line and "pass" in line for line in found)


@pytest.mark.parametrize("population", sorted(POPULATIONS))
def test_both_engines_agree_on_all_tests_over_all_rows(controls: Controls, population: str, tmp_path: Path) -> None:
    tests = [test for test in controls.tests.values() if test.population == population]
    rows: list[Row] = [
        msgspec.structs.replace(example_row(population, example.given), item_id=f"{test.id}/{number:03}")
        for test in tests
        for number, example in enumerate(test.examples)
    ]
    by_sql: dict[str, dict[str, ItemOutcome]] = {}
    for number, period in enumerate({row.period for row in rows}):
        folder = tmp_path / str(number)
        freeze({population: [row for row in rows if row.period == period]}, folder / "segments")
        judge([define(test) for test in tests], folder / "segments", folder / "results")
        vector = pq.read_table(folder / "results" / f"{population}.parquet").to_pylist()
        by_sql |= {row.pop("item_id"): {name: ItemOutcome(code) for name, code in row.items()} for row in vector}
    assert by_sql == {row.item_id: outcomes(tests, row) for row in rows}
    words = {outcome.word for found in by_sql.values() for outcome in found.values()}
    assert "error" not in words
    assert {"pass", "fail", "no_evidence"} <= words
