# SPDX-License-Identifier: Apache-2.0

"""Parameters that differ from row to row: the SQL, which reads them from columns, and the interpreter agree."""

import os
from functools import cache

import duckdb
import msgspec
import pyarrow as pa
from hypothesis import HealthCheck, given, settings

from app.cel.check import check_types
from app.cel.errors import CelRuntimeError
from app.cel.interpreter import Interpreter
from app.cel.schema import parameters_of
from app.cel.sql import to_sql
from app.cel.sqltext import quote_name
from app.trails.arrow import arrow_schema
from tests.cel import fuzz
from tests.cel.schemas import Row
from tests.cel.schemas import rows as random_rows

OTHERS = {"n": -7, "f": 1.0, "text": "it's", "span": "24h", "texts": (), "none": ("b", ""), "flag": False}
"""Values of the same types, for every second row."""
COLUMNS = {name: f"TST-01 {name}" for name in fuzz.PARAMETERS}
TYPES = {"n": "BIGINT", "f": "DOUBLE", "text": "VARCHAR", "span": "BIGINT", "texts": "VARCHAR[]", "none": "VARCHAR[]"}


@cache
def rows():
    return random_rows(Row, 60, seed=2)


@cache
def connection():
    """Return a table of the rows with a column for each parameter."""
    engine = duckdb.connect(config={"threads": 1})
    table = pa.Table.from_pylist(msgspec.to_builtins(rows()), schema=arrow_schema(Row))
    kinds = {"BIGINT": pa.int64(), "DOUBLE": pa.float64(), "VARCHAR": pa.string(), "VARCHAR[]": pa.list_(pa.string())}
    sets = [parameters_of(values) for values in (fuzz.PARAMETERS, OTHERS)]
    for name, column in COLUMNS.items():
        values = [sets[number % 2][name].value for number in range(len(rows()))]
        kind = kinds[TYPES[name]] if name in TYPES else pa.bool_()
        table = table.append_column(column, pa.array(map(plain, values), type=kind))
    engine.register("given", table)
    engine.execute("CREATE TABLE rows AS SELECT * FROM given")
    return engine


def plain(value):
    return list(value) if isinstance(value, tuple) else value


@settings(
    max_examples=int(os.environ.get("PROOFROOM_FUZZ_EXAMPLES", "200")),
    deadline=None,
    derandomize="PROOFROOM_FUZZ_EXAMPLES" not in os.environ,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much, HealthCheck.data_too_large],
)
@given(fuzz.expressions(Row, guarded=1))
def test_a_parameter_from_a_column_means_what_a_constant_would(expression):
    checked = check_types(expression, row=Row, parameters=fuzz.PARAMETERS, columns=COLUMNS)
    other = msgspec.structs.replace(checked, parameters=parameters_of(OTHERS))
    interpreter = Interpreter(Row)
    expected = [
        interpreter.evaluate(other if number % 2 else checked, interpreter.values(row))
        for number, row in enumerate(rows())
    ]
    found = connection().execute(f"SELECT {to_sql(checked)} FROM rows").fetchall()
    assert [answer for (answer,) in found] == [None if isinstance(each, CelRuntimeError) else each for each in expected]


def test_the_expressions_do_read_the_columns():
    for text in ("p.n == 2", "p.f < 0.9", "p.text == 'b'", "p.span > duration('30h')", "p.flag", "size(p.texts) > 0"):
        checked = check_types(text, row=Row, parameters=fuzz.PARAMETERS, columns=COLUMNS)
        assert quote_name("TST-01 ")[:-1] in to_sql(checked)
        found = [answer for (answer,) in connection().execute(f"SELECT {to_sql(checked)} FROM rows").fetchall()]
        assert found == [True, False] * 30, text
