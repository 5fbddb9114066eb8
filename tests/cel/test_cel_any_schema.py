# SPDX-License-Identifier: Apache-2.0

"""The two engines give the same answer whatever a row looks like: random row classes, and those of all populations.

One case is one expression asked of one row. There are about 40,000, in equal parts over 120 random row classes (nine
expressions, 20 rows) and 200 times one of the populations (three expressions, 40 rows). ``PROOFROOM_FUZZ_EXAMPLES``
says how many row classes, and how many times, instead.
"""

import os
from functools import cache

import msgspec
import pytest
from hypothesis import HealthCheck, Phase, find, given, settings
from hypothesis import strategies as st
from hypothesis.errors import NoSuchExample

from app.cel import nullsafety
from app.cel.ast import And, Filter, Or
from app.cel.check import CelError, check, check_types
from app.cel.errors import CelRuntimeError
from app.cel.schema import ViewType
from app.cel.sql import Compiler, to_sql
from app.evaluation.oracle import is_missing
from app.evaluation.questions import missing_sql
from app.trails.populations import POPULATIONS
from tests.cel import fuzz
from tests.cel.schemas import Child, Engines, Row, row_classes, three_valued
from tests.cel.schemas import engines as engines_of

EXAMPLES = os.environ.get("PROOFROOM_FUZZ_EXAMPLES")


ROW_HAS = ("side.end", "main.rank", "first.at", "first.mode")


def examples(count):
    """Return settings with so many examples, or as many as were asked for."""
    return settings(
        max_examples=int(EXAMPLES or count),
        deadline=None,
        derandomize=EXAMPLES is None,
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much, HealthCheck.data_too_large],
    )


def agree(engines, expression):
    """Ask both engines, also where a missing field is read."""
    checked = check_types(expression, row=engines.row, parameters=fuzz.PARAMETERS)
    assert engines.by_sql(to_sql(checked)) == [three_valued(answer) for answer in engines.by_oracle(checked)]


def agree_where_proved(engines, expression, required):
    """Ask both engines of the rows that have what is required; return whether null safety could be proved."""
    try:
        checked = check(expression, row=engines.row, parameters=fuzz.PARAMETERS, required=required)
    except CelError as error:
        if "may be missing" in error.message:
            return False
        raise
    answers = engines.by_oracle(checked)
    for row, answer, by_sql in zip(engines.rows, answers, engines.by_shared_sql(checked), strict=True):
        if any(is_missing(row, path.split(".")) for path in required):
            continue
        assert by_sql == three_valued(answer), row
        if isinstance(answer, CelRuntimeError):
            assert "overflow" in answer.message
    return True


@st.composite
def requirements(draw, row):
    """Draw what ``requires.fields`` could say: seldom more than one path, or no row would have all of them."""
    may = fuzz.requirable(row)
    return tuple(draw(st.lists(st.sampled_from(may), max_size=2, unique=True))) if may else ()


def ask(data, engines, times):
    """Ask expressions of each sort: guarded seldom, guarded always, guarded so that only some of them can be proved."""
    required = data.draw(requirements(engines.row))
    for _ in range(times):
        agree(engines, data.draw(fuzz.expressions(engines.row)))
        agree_where_proved(engines, data.draw(fuzz.expressions(engines.row, fuzz.ALWAYS, required)), required)
        agree_where_proved(engines, data.draw(fuzz.expressions(engines.row, fuzz.ALWAYS - 1, required)), required)
    return required


@examples(120)
@given(st.data())
def test_the_engines_agree_over_random_row_classes(data):
    engines = Engines(data.draw(row_classes()), 20, seed=1)
    for path in ask(data, engines, times=3):
        missing = [is_missing(row, path.split(".")) for row in engines.rows]
        assert engines.by_sql(missing_sql(engines.row, path)) == missing


@cache
def population(name):
    """Return the engines over rows of a population: whatever fits its types, not what connectors make of it."""
    return Engines(POPULATIONS[name], 40, seed=1)


@examples(200)
@given(st.data())
def test_the_engines_agree_over_the_rows_of_all_populations(data):
    ask(data, population(data.draw(st.sampled_from(sorted(POPULATIONS)))), times=1)


@examples(150)
@given(st.data())
def test_the_engines_agree_where_macros_share_what_they_find(data):
    engines = engines_of(Row)
    for _ in range(3):
        agree_where_proved(engines, data.draw(fuzz.related(engines.row, required=ROW_HAS)), ROW_HAS)


@pytest.mark.parametrize(
    "expression",
    [
        "first.exists(o, o.seq != null && second.exists(e, e.seq != null && e.seq == o.seq + p.most))",
        "first.all(o, second.all(e, side == null || e.seq == null || e.seq != side.count - p.most))",
        "first.all(o, !second.filter(e, e.seq != null && e.good).exists(e2, main.count + p.most == e2.seq))",
        "first.exists(o, o.seq != null && size(second.filter(e, e.seq != null && e.seq < o.seq + p.most)) > 1)",
        "first.all(o, !o.good || o.seq == null || second.all(e, e.seq == null || e.seq < o.seq + p.most))",
        "size(first.filter(o, o.seq != null && second.exists(e, e.good && o.seq + p.most < main.count))) > 0",
    ],
)
def test_what_overflows_is_no_error_where_it_is_compared_with_nothing(expression):
    engines = engines_of(Row)
    checked = check(expression, row=Row, parameters={"most": 2**63 - 1})
    answers = [three_valued(answer) for answer in engines.by_oracle(checked)]
    assert None in answers
    assert engines.by_shared_sql(checked) == answers


class Elements(msgspec.Struct, frozen=True):
    """A row of nothing but a list."""

    them: list[Child]


def _either_side_teaches(node, *, truth, learned=nullsafety.learned):
    if isinstance(node, And | Or):
        return learned(node.left, truth=truth) | learned(node.right, truth=truth)
    return learned(node, truth=truth)


def _what_is_false_teaches_the_same(node, *, truth, learned=nullsafety.learned):
    return learned(node, truth=True)


def _nothing_is_on_the_way(path, facts):
    """Accept every path."""


def _a_filter_teaches_all(_, source, key):
    if isinstance(source, Filter) and isinstance(source.type.element, ViewType):
        return frozenset((key, name) for name in source.type.element.fields)
    return frozenset()


@pytest.mark.parametrize(
    ("name", "wrong", "row"),
    [
        ("learned", _either_side_teaches, Row),
        ("learned", _what_is_false_teaches_the_same, Row),
        ("_reach", _nothing_is_on_the_way, Row),
        ("_Prover._of_elements", _a_filter_teaches_all, Elements),
    ],
)
def test_a_wrong_proof_would_be_caught(monkeypatch, name, wrong, row):
    monkeypatch.setattr(f"app.cel.nullsafety.{name}", wrong)

    def differs(expression):
        try:
            agree_where_proved(engines_of(row), expression, ())
        except AssertionError:
            return True
        return False

    try:
        find(
            fuzz.expressions(row, fuzz.ALWAYS - 1),
            differs,
            settings=settings(examples(400), max_examples=400, phases=[Phase.generate]),
        )
    except NoSuchExample:
        pytest.fail("400 random expressions did not tell this proof from the right one")


class _NobodyCountsRepeats(Compiler):
    def _fixed(self, asked, own, taken, *, once):  # noqa: ARG002
        return super()._fixed(asked, own, taken, once=True)


class _OwnConditionsAreForgotten(Compiler):
    def _fixed(self, asked, own, taken, *, once):
        return super()._fixed(asked, own[1:], taken, once=once)


class _AnyMacroAsksForOneValue(Compiler):
    def _among(self, asked):
        [*_, last] = self._split(asked)[1] or [None]
        return super()._among(asked._replace(conditions=[*self._split(asked)[0], *([last] if last else [])]))


class _WhatIsDecidedIsTrue(Compiler):
    def _lazy(self, conditions):
        lazy = super()._lazy(conditions)
        return lazy and lazy.replace("ELSE false", "ELSE true")


@pytest.mark.parametrize(
    "wrong", [_NobodyCountsRepeats, _OwnConditionsAreForgotten, _AnyMacroAsksForOneValue, _WhatIsDecidedIsTrue]
)
def test_a_wrong_sharing_would_be_caught(monkeypatch, wrong):
    monkeypatch.setattr("app.cel.sql.Compiler", wrong)

    def differs(expression):
        try:
            agree_where_proved(engines_of(Row), expression, ROW_HAS)
        except AssertionError:
            return True
        return False

    try:
        find(
            fuzz.related(Row, required=ROW_HAS),
            differs,
            settings=settings(examples(800), max_examples=800, phases=[Phase.generate]),
        )
    except NoSuchExample:
        pytest.fail("800 random expressions did not tell this compiler from the right one")
