# SPDX-License-Identifier: Apache-2.0

"""The two engines give the same answer to random expressions over random rows.

``PROOFROOM_FUZZ_EXAMPLES`` raises the number of expressions; each is asked of 60 rows.
"""

import os

import msgspec
import pytest
from hypothesis import HealthCheck, assume, find, given, settings
from hypothesis.errors import NoSuchExample

from app.cel.ast import And, Not, Or, Present, Quantifier
from app.cel.check import CelError, check, check_types
from app.cel.errors import CelRuntimeError
from app.cel.schema import ScalarType
from app.cel.sql import Compiler, to_sql
from tests.cel import fuzz
from tests.cel.schemas import Row, engines, three_valued

EXAMPLES = int(os.environ.get("PROOFROOM_FUZZ_EXAMPLES", "400"))
SLOW = settings(
    max_examples=EXAMPLES,
    deadline=None,
    derandomize="PROOFROOM_FUZZ_EXAMPLES" not in os.environ,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much, HealthCheck.data_too_large],
)
REQUIRED = ("side.end", "main.rank", "first.at", "first.mode")


@SLOW
@given(fuzz.expressions(Row, guarded=1))
def test_the_engines_agree_even_where_missing_fields_are_read(expression):
    checked = check_types(expression, row=Row, parameters=fuzz.PARAMETERS)
    expected = [three_valued(answer) for answer in engines().by_oracle(checked)]
    assert engines().by_sql(to_sql(checked)) == expected


@SLOW
@given(fuzz.expressions(Row, guarded=fuzz.ALWAYS, required=REQUIRED))
def test_the_engines_agree_and_nothing_but_overflow_errs_where_null_safety_is_proved(expression):
    try:
        checked = check(expression, row=Row, parameters=fuzz.PARAMETERS, required=REQUIRED)
    except CelError as error:
        assume("may be missing" not in error.message)
        raise
    answers = engines().by_oracle(checked)
    for row, answer, by_sql in zip(engines().rows, answers, engines().by_shared_sql(checked), strict=True):
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
        checked = check_types(expression, row=Row, parameters=fuzz.PARAMETERS)
        expected = [three_valued(answer) for answer in engines().by_oracle(checked)]
        return engines().by_sql(wrong(null_safe=False).compile(checked.tree)) != expected

    try:
        find(
            fuzz.expressions(Row, guarded=1),
            differs,
            settings=settings(SLOW, max_examples=400, phases=[p for p in SLOW.phases if p.name == "generate"]),
        )
    except NoSuchExample:
        pytest.fail("400 random expressions did not tell this compiler from the right one")
