# SPDX-License-Identifier: Apache-2.0

"""Check the CEL expressions of a test, and report what is wrong at its line in the YAML."""

from collections.abc import Iterator

from app.cel.check import check
from app.cel.errors import CelError
from app.controls.convert import Placed
from app.controls.model import ControlTest
from app.controls.problems import Problem
from app.trails.populations import Row


def expression_problems(test: Placed[ControlTest], row: type[Row]) -> Iterator[Problem]:
    """Yield what is wrong with the three expressions of a test; null safety is part of the check."""
    required = test.item.requires.fields
    questions = (
        ("applies_when", test.item.applies_when, ()),
        ("no_evidence_when", test.item.no_evidence_when, required),
        ("assert", test.item.assertion, required),
    )
    for key, expression, guaranteed in questions:
        try:
            check(expression, row=row, parameters=test.item.parameters, required=guaranteed)
        except CelError as error:
            at = test.document.text_position((*test.path, key), error.line or 1, error.column or 1)
            yield test.document.problem(
                at, f"{key}: {error.message}", error.hint or "controls/README.md shows the language."
            )
