# SPDX-License-Identifier: Apache-2.0

"""The two engines give the same answer to random expressions over random rows.

``PROOFROOM_FUZZ_EXAMPLES`` raises the number of expressions; each is asked of 60 rows.
"""

import importlib.util
import os
import sys
from functools import cache
from pathlib import Path

import duckdb
import msgspec
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, assume, find, given, settings
from hypothesis.errors import NoSuchExample

from app.cel.ast import And, Not, Or, Present, Quantifier
from app.cel.check import CelError, check, check_types
from app.cel.errors import CelRuntimeError
from app.cel.interpreter import Interpreter
from app.cel.schema import ScalarType
from app.cel.sql import Compiler, to_sql
from app.trails.arrow import arrow_schema

_SPEC = importlib.util.spec_from_file_location("cel_fuzz", Path(__file__).with_name("fuzz.py"))
fuzz = importlib.util.module_from_spec(_SPEC)
sys.modules["cel_fuzz"] = fuzz
_SPEC.loader.exec_module(fuzz)

EXAMPLES = int(os.environ.get("PROOFROOM_FUZZ_EXAMPLES", "400"))
SLOW = settings(
    max_examples=EXAMPLES,
    deadline=None,
    derandomize="PROOFROOM_FUZZ_EXAMPLES" not in os.environ,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much, HealthCheck.data_too_large],
)
REQUIRED = ("side.end", "main.rank", "first.at", "first.mode")


class Engines:
    """Both engines over the same rows."""

    def __init__(self) -> None:
        self.rows = fuzz.rows(60, seed=1)
        self.connection = duckdb.connect(config={"threads": 1})
        table = pa.Table.from_pylist(msgspec.to_builtins(self.rows), schema=arrow_schema(fuzz.Row))
        self.connection.register("given", table)
        self.connection.execute("CREATE TABLE rows AS SELECT * FROM given")
        self.interpreter = Interpreter(fuzz.Row)
        self.values = [self.interpreter.values(row) for row in self.rows]

    def by_sql(self, sql):
        # The order of rows must be the table's; a table of this size is one row group.
        return [answer for (answer,) in self.connection.execute(f"SELECT {sql} FROM rows").fetchall()]

    def by_oracle(self, checked):
        return [self.interpreter.evaluate(checked, values) for values in self.values]


@cache
def engines():
    return Engines()


def three_valued(answer):
    return None if isinstance(answer, CelRuntimeError) else answer


@SLOW
@given(fuzz.expressions(guarded=1))
def test_the_engines_agree_even_where_missing_fields_are_read(expression):
    checked = check_types(expression, row=fuzz.Row, parameters=fuzz.PARAMETERS)
    expected = [three_valued(answer) for answer in engines().by_oracle(checked)]
    assert engines().by_sql(to_sql(checked)) == expected


@SLOW
@given(fuzz.expressions(guarded=4))
def test_the_engines_agree_and_nothing_but_overflow_errs_where_null_safety_is_proved(expression):
    try:
        checked = check(expression, row=fuzz.Row, parameters=fuzz.PARAMETERS, required=REQUIRED)
    except CelError as error:
        assume("may be missing" not in error.message)
        raise
    answers = engines().by_oracle(checked)
    for row, answer, by_sql in zip(engines().rows, answers, engines().by_sql(to_sql(checked)), strict=True):
        if not _has_required(row):
            continue
        assert by_sql == three_valued(answer), row
        if isinstance(answer, CelRuntimeError):
            assert "overflow" in answer.message


def _has_required(row):
    children = all(child.at is not None and child.mode is not None for child in row.first)
    return children and row.side is not None and row.side.end is not None and row.main.rank is not None


class _AndSwallowsErrors(Compiler):
    def compile(self, node):
        if isinstance(node, And):
            return f"coalesce({self.compile(node.left)} AND {self.compile(node.right)}, false)"
        return super().compile(node)


class _OrSwallowsErrors(Compiler):
    def compile(self, node):
        if isinstance(node, Or):
            return f"(coalesce({self.compile(node.left)}, false) OR {self.compile(node.right)})"
        return super().compile(node)


class _NotOfErrorIsTrue(Compiler):
    def compile(self, node):
        if isinstance(node, Not):
            return f"(({self.compile(node.operand)}) IS NOT TRUE)"
        return super().compile(node)


class _EqualityIsNullBlind(Compiler):
    def _may_be_null(self, node):  # noqa: ARG002
        return False


class _QuantifierForgetsErrors(Compiler):
    def _may_err(self, node):  # noqa: ARG002
        return False


class _ArithmeticIsUnbounded(Compiler):
    def _arithmetic(self, node):
        if node.type == ScalarType.STRING:
            return super()._arithmetic(node)
        return f"TRY({self.compile(node.left)} {'-' if node.minus else '+'} {self.compile(node.right)})"


class _ClockOfOldInstantsIsNegative(Compiler):
    def _clock(self, node):
        return super()._clock(node).replace(" + 86400000)", ")").replace(" + 604800000)", ")")


class _AllIsExists(Compiler):
    def compile(self, node):
        if isinstance(node, Quantifier) and node.every:
            node = msgspec.structs.replace(node, every=False)
        return super().compile(node)


class _MissingViewsAreThere(Compiler):
    def compile(self, node):
        return "true" if isinstance(node, Present) else super().compile(node)


class _ReachingThroughAMissingViewIsNull(Compiler):
    def _unreachable(self, node):  # noqa: ARG002
        return []


@pytest.mark.parametrize(
    "wrong",
    [
        _AndSwallowsErrors,
        _OrSwallowsErrors,
        _NotOfErrorIsTrue,
        _EqualityIsNullBlind,
        _QuantifierForgetsErrors,
        _ArithmeticIsUnbounded,
        _ClockOfOldInstantsIsNegative,
        _AllIsExists,
        _MissingViewsAreThere,
        _ReachingThroughAMissingViewIsNull,
    ],
)
def test_a_wrong_compiler_would_be_caught(wrong):
    def differs(expression):
        checked = check_types(expression, row=fuzz.Row, parameters=fuzz.PARAMETERS)
        expected = [three_valued(answer) for answer in engines().by_oracle(checked)]
        return engines().by_sql(wrong(null_safe=False).compile(checked.tree)) != expected

    try:
        find(
            fuzz.expressions(guarded=1),
            differs,
            settings=settings(SLOW, max_examples=400, phases=[p for p in SLOW.phases if p.name == "generate"]),
        )
    except NoSuchExample:
        pytest.fail("400 random expressions did not tell this compiler from the right one")
