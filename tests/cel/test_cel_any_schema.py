# SPDX-License-Identifier: Apache-2.0

"""The two engines give the same answer whatever a row looks like: random row classes, and those of all populations.

One case is one expression asked of one row: N cases, of which HOW MANY. ``PROOFROOM_FUZZ_EXAMPLES`` raises the
number of examples; a random row class has 20 rows and 3 expressions of each sort, an expression over a population 40.
"""

import os
from functools import cache

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.cel.check import CelError, check, check_types
from app.cel.errors import CelRuntimeError
from app.cel.sql import to_sql
from app.evaluation.oracle import is_missing
from app.evaluation.questions import missing_sql
from app.trails.populations import POPULATIONS
from tests.cel import fuzz
from tests.cel.schemas import Engines, row_classes, three_valued

EXAMPLES = os.environ.get("PROOFROOM_FUZZ_EXAMPLES")


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
    for row, answer, by_sql in zip(engines.rows, answers, engines.by_sql(to_sql(checked)), strict=True):
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


@examples(120)
@given(st.data())
def test_the_engines_agree_over_random_row_classes(data):
    row = data.draw(row_classes())
    engines = Engines(row, 20, seed=1)
    for _ in range(3):
        agree(engines, data.draw(fuzz.expressions(row)))
    required = data.draw(requirements(row))
    for _ in range(3):
        agree_where_proved(engines, data.draw(fuzz.expressions(row, fuzz.ALWAYS, required)), required)
    for path in required:
        assert engines.by_sql(missing_sql(row, path)) == [is_missing(each, path.split(".")) for each in engines.rows]


@cache
def population(name):
    """Return the engines over rows of a population: whatever fits its types, not what connectors make of it."""
    return Engines(POPULATIONS[name], 40, seed=1)


@examples(200)
@given(st.data())
def test_the_engines_agree_over_the_rows_of_all_populations(data):
    engines = population(data.draw(st.sampled_from(sorted(POPULATIONS))))
    agree(engines, data.draw(fuzz.expressions(engines.row)))
    required = data.draw(requirements(engines.row))
    agree_where_proved(engines, data.draw(fuzz.expressions(engines.row, fuzz.ALWAYS, required)), required)
