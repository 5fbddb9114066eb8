# SPDX-License-Identifier: Apache-2.0

"""Judge one item with Google's CEL evaluator: the oracle, and the re-performance of the SQL engine's outcomes.

In:  tests and rows. Out: item outcomes. It shares no code with the SQL compiler.
"""

from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from functools import lru_cache

import msgspec

from app.cel.errors import BeyondLimit, CelError, CelRuntimeError
from app.cel.expression import CheckedExpression
from app.cel.interpreter import Interpreter
from app.cel.schema import Parameter
from app.controls.model import ControlTest
from app.controls.overlays import Slice
from app.evaluation.definition import Definition, define
from app.evaluation.model import ItemOutcome
from app.trails.populations import Row


def item_outcome(test: ControlTest, row: Row, slices: Sequence[Slice] = ()) -> ItemOutcome:
    """Return what a test says of one row of its population.

    Raises:
        CelError: an expression of the test cannot be used, or the interpreter gives up on this row.
    """
    told = outcomes([test], row, {test.id: slices})
    if test.id not in told:
        raise CelError("the lists of this item are too long for the interpreter")
    return told[test.id]


def outcomes(
    tests: Iterable[ControlTest], row: Row, slices: Mapping[str, Sequence[Slice]] | None = None
) -> dict[str, ItemOutcome]:
    """Return what several tests of one population say of one row, as ``judge`` does.

    Args:
        tests: the tests.
        row: the item.
        slices: test id to what overlays change of it.

    Raises:
        CelError: an expression of a test cannot be used.
    """
    changed = slices or {}
    return judge([define(test, changed.get(test.id, ())) for test in tests], row)


def judge(definitions: Sequence[Definition], row: Row) -> dict[str, ItemOutcome]:
    """Return what tests that were defined before say of one row; for many rows this is cheaper still.

    A test on which the interpreter gives up, because lists of the row are too long for it, is left out.
    """
    interpreter = _interpreter(type(row))
    values = interpreter.values(row, [asked for definition in definitions for asked in definition.expressions])
    told: dict[str, ItemOutcome] = {}
    for definition in definitions:
        with suppress(BeyondLimit):
            told[definition.id] = _judge(definition, row, interpreter, values)
    return told


@lru_cache(maxsize=16)
def _interpreter(row: type[Row]) -> Interpreter:
    return Interpreter(row)


def _judge(definition: Definition, row: Row, interpreter: Interpreter, values: Mapping[str, object]) -> ItemOutcome:
    choice = _choose(definition, row, interpreter, values)

    def ask(expression: CheckedExpression) -> bool | None:
        if choice.parameters:
            expression = msgspec.structs.replace(expression, parameters=expression.parameters | choice.parameters)
        answer = interpreter.evaluate(expression, values)
        return None if isinstance(answer, CelRuntimeError) else answer

    applies = None if choice.erred else ask(definition.applies)
    if not applies:
        return ItemOutcome.ERROR if applies is None else ItemOutcome.NOT_APPLICABLE
    if choice.undated or not all(getattr(row.evidence, kind) for kind in definition.records):
        return ItemOutcome.NO_EVIDENCE
    if any(is_missing(row, path.split(".")) for path in definition.fields):
        return ItemOutcome.NO_EVIDENCE
    undecidable = ask(definition.undecidable)
    if undecidable is not False:
        return ItemOutcome.ERROR if undecidable is None else ItemOutcome.NO_EVIDENCE
    holds = ask(definition.holds)
    if holds is not False:
        return ItemOutcome.ERROR if holds is None else ItemOutcome.PASS
    waived = any(definition.id in waiver.test_ids for waiver in row.waivers)
    return ItemOutcome.WAIVED if waived else ItemOutcome.FAIL


class _Choice(msgspec.Struct):
    """The values that overlays give for one item; whether a scope erred, or the item's day is not known."""

    parameters: dict[str, Parameter] = {}
    erred: bool = False
    undated: bool = False


def _choose(definition: Definition, row: Row, interpreter: Interpreter, values: Mapping[str, object]) -> _Choice:
    choice = _Choice()
    for each in definition.slices:
        if row.at is not None and (row.at < each.start or (each.end is not None and row.at >= each.end)):
            continue
        inside = interpreter.evaluate(each.scope, values)
        if inside is False:
            continue
        if row.at is None:
            choice.undated = True
        elif isinstance(inside, CelRuntimeError):
            choice.erred = True
        else:
            choice.parameters = choice.parameters | each.parameters
    return choice


def is_missing(value: object, words: list[str]) -> bool:
    """Tell whether a path ends at, or breaks at, something missing; of a list, whether it does in any element."""
    if value is None:
        return True
    if not words:
        return False
    if isinstance(value, list):
        return any(is_missing(element, words) for element in value)
    return is_missing(getattr(value, words[0]), words[1:])
