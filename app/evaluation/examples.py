# SPDX-License-Identifier: Apache-2.0

"""Run the examples that every control test carries, on both engines.

In:  controls. Out: the examples that do not hold; both engines must give the expected outcome.
"""

from collections.abc import Iterable

import duckdb
import msgspec

from app.cel.errors import CelError
from app.controls.loader import Controls
from app.controls.model import ControlTest, Example
from app.errors import InvalidInput
from app.evaluation.definition import define
from app.evaluation.engine import judge_row, open_engine
from app.evaluation.oracle import item_outcome
from app.trails.example import example_row


class ExampleFailure(msgspec.Struct, frozen=True, kw_only=True):
    """An example that does not hold, and what was found instead."""

    test_id: str
    example: str
    problem: str

    def __str__(self) -> str:
        return f"{self.test_id}, example '{self.example}': {self.problem}"


def run_examples(controls: Controls) -> list[ExampleFailure]:
    """Return the examples of all tests that do not hold on both engines, in order."""
    return example_failures(controls.tests.values())


def example_failures(tests: Iterable[ControlTest]) -> list[ExampleFailure]:
    """Return the examples of these tests that do not hold on both engines, in order."""
    with open_engine([]) as engine:
        return [
            ExampleFailure(test_id=test.id, example=example.name, problem=problem)
            for test in tests
            for example in test.examples
            for problem in _problems(engine, test, example)
        ]


def _problems(engine: duckdb.DuckDBPyConnection, test: ControlTest, example: Example) -> list[str]:
    asked = msgspec.structs.replace(test, parameters={**test.parameters, **example.parameters})
    try:
        row = example_row(test.population, example.given)
        by_sql = judge_row(engine, [define(asked)], row)[test.id]
        found = {"interpreter": item_outcome(asked, row), "SQL engine": by_sql}
    except (InvalidInput, CelError) as error:
        return [str(error)]
    return [
        f"expected {example.expect}, but the {engine_name} says {outcome.word}"
        for engine_name, outcome in found.items()
        if outcome.word != example.expect
    ]
