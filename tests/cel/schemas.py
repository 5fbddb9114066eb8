# SPDX-License-Identifier: Apache-2.0

"""Rows for expressions: a small row class that has one of everything, random row classes, and random rows of any class.

A row class is anything that ``app.cel.schema.view_type`` takes. ``Engines`` holds rows for both engines.
"""

import random
from functools import cache
from typing import Annotated

import duckdb
import msgspec
import pyarrow as pa
from hypothesis import strategies as st

from app.cel.errors import CelRuntimeError
from app.cel.expression import words_of
from app.cel.interpreter import Interpreter
from app.cel.schema import ListType, ScalarType, ViewType, view_type
from app.cel.shared import Shared
from app.cel.sql import to_sql
from app.trails.arrow import arrow_schema

Instant = Annotated[int, msgspec.Meta(extra={"cel": "timestamp"})]
Span = Annotated[int, msgspec.Meta(extra={"cel": "duration"})]

DAY = 86_400_000
JANUARY = 1_767_225_600_000
LAST_INSTANT = 253_402_300_799_999
FIRST_INSTANT = -62_135_596_800_000
VALUES = {
    ScalarType.BOOL: [True, False],
    ScalarType.INT: [0, 1, 2, 3, -7, 2**63 - 1, -(2**63), 2**62],
    ScalarType.DOUBLE: [0.0, -0.0, 0.5, 0.99, 1.0, float("nan"), float("inf"), -1e300],
    ScalarType.STRING: [
        *("", "a", "b", "ab", "it's", 'q"x', "é", "e\u0301"),
        *("\U0001f600z", "null", "back\\slash", "\n"),
    ],
    ScalarType.INSTANT: [
        *(-1, JANUARY, JANUARY + DAY, JANUARY + 2 * DAY),
        *(0, LAST_INSTANT, LAST_INSTANT - DAY, FIRST_INSTANT),
    ],
    # Not within a second of the limit of a span, 292 years: see LONGEST_SPAN in app/cel/sql.py.
    ScalarType.SPAN: [0, 1, 60_000, DAY, -DAY, 4_611_686_000_000, 9_223_300_000_000],
}


class Child(msgspec.Struct, frozen=True, kw_only=True):
    """An element of a list."""

    id: str
    mode: str | None
    at: Instant | None
    wait: Span | None
    score: float | None
    seq: int | None
    good: bool
    maybe: bool | None
    tags: list[str]


class View(msgspec.Struct, frozen=True, kw_only=True):
    """A nested view."""

    id: str
    role: str | None
    begin: Instant
    end: Instant | None
    span: Span
    limit: Span | None
    count: int
    rank: int | None
    ratio: float
    share: float | None
    on: bool
    maybe: bool | None
    names: list[str]
    others: list[str] | None


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """One of everything."""

    key: str
    when: Instant | None
    numbers: list[int]
    main: View
    side: View | None
    first: list[Child]
    second: list[Child]


def rows(row, count, seed):
    """Return random rows of a class: a seventh of what may be missing is missing, a third of the lists are empty."""
    pick = random.Random(seed)  # noqa: S311 - Rows for a test are no secret.

    def view(kind):
        return {name: field(each) for name, each in kind.fields.items()}

    def field(each):
        return None if each.nullable and pick.random() < 0.15 else value(each.type)

    def value(kind):
        match kind:
            case ViewType():
                return view(kind)
            case ListType():
                return [value(kind.element) for _ in range(pick.choice([0, 1, 3]))]
            case ScalarType():
                return pick.choice(VALUES[kind])

    return msgspec.convert([view(view_type(row)) for _ in range(count)], list[row])


_SCALARS = [bool, int, float, str, Instant, Span]
# Among them words of SQL, and such as CEL has functions of.
_NAMES = ["a", "b", "c", "d", "order", "group", "end", "when", "limit", "select", "key", "value", "row", "offset", "at"]


@st.composite
def row_classes(draw):
    """Draw a row class: fields of every kind, missing or not, views in views, lists of views and of scalars."""
    made = 0

    def struct(depth):
        nonlocal made
        made += 1
        name = f"Struct{made}"
        least, most = (1, 7) if depth else (4, 9)
        names = draw(st.lists(st.sampled_from(_NAMES), unique=True, min_size=least, max_size=most))
        # Classes are apart from each other by name: to Google's checker they are messages of one package.
        return msgspec.defstruct(name, [(each, field(depth)) for each in names], frozen=True, kw_only=True)

    def field(depth):
        shape = draw(st.sampled_from(["scalar", "scalars", "view", "views"][: 4 if depth < 2 else 2]))
        inner = draw(st.sampled_from(_SCALARS)) if shape.startswith("scalar") else struct(depth + 1)
        kind = list[inner] if shape.endswith("s") else inner
        return kind | None if draw(st.booleans()) else kind

    return struct(0)


class Engines:
    """Both engines over the same rows."""

    def __init__(self, row, count, seed):
        self.row = row
        self.rows = rows(row, count, seed)
        self.connection = duckdb.connect(config={"threads": 1})
        table = pa.Table.from_pylist(msgspec.to_builtins(self.rows), schema=arrow_schema(row))
        self.connection.register("given", table)
        self.connection.execute("CREATE TABLE rows AS SELECT * FROM given")
        self.interpreter = Interpreter(row)
        self.values = [self.interpreter.values(each) for each in self.rows]

    def by_sql(self, sql):
        # The order of rows must be the table's; a table of this size is one row group.
        return [answer for (answer,) in self.connection.execute(f"SELECT {sql} FROM rows").fetchall()]

    def by_shared_sql(self, checked):
        """Ask as the judging query does: with columns for what macros inside macros share."""
        shared = Shared()
        sql = to_sql(checked, shared)
        return [
            answer for (answer,) in self.connection.execute(f"SELECT {sql} FROM {shared.source('rows')}").fetchall()
        ]

    def by_oracle(self, checked):
        # Only what may be read: to hand over all of a large row takes longer than to evaluate.
        names = [name for name in self.row.__struct_fields__ if name in words_of(checked.source)]
        return [self.interpreter.evaluate(checked, {name: row[name] for name in names}) for row in self.values]


@cache
def engines(row=Row):
    """Return the engines over the same 60 rows of a class each time."""
    return Engines(row, 60, seed=1)


def three_valued(answer):
    """Return an answer of the interpreter as SQL gives it."""
    return None if isinstance(answer, CelRuntimeError) else answer
