# SPDX-License-Identifier: Apache-2.0

"""The one query that asks each item of a population what several metrics take of it.

In:  definitions of metrics of one population and one kind of item, what stands after FROM, months. Out: SQL whose rows
     are narrow: a month, and per metric a state, what it takes, and by what it is broken down. Pure; nothing runs here.
What several metrics ask alike is one column.
"""

# ruff: noqa: S608 - Names come from our structs and are quoted; numbers are numbers.

from collections.abc import Sequence
from pathlib import Path

import msgspec

from app.cel.expression import CheckedExpression
from app.cel.schema import ListType, ScalarType, Type, ViewType, view_type
from app.cel.sql import Compiler
from app.cel.sqltext import quote_name
from app.controls.metrics import EACH
from app.evaluation.metric_definition import MetricDefinition
from app.evaluation.model import ItemOutcome
from app.evaluation.months import Month
from app.evaluation.questions import missing_sql, segments_sql

OUT, MEASURED, UNKNOWN, ERRED = 0, 1, 2, 3
"""What an item is to a metric: not one it speaks of, one with a value, one that lacks something, one that errs."""
_MONTH, _ITEM, _UNTIL = "snapshot_month", "outcome_item", "snapshot_end"
Instant = tuple[int | None, int]
"""The number of a month, or None for the whole period; and the end of it, epoch ms."""


class Key(msgspec.Struct, frozen=True):
    """A column by which items are told apart; ``several`` if it holds a list of values."""

    column: str
    several: bool


class Asked(msgspec.Struct, frozen=True):
    """The columns that hold what one metric takes of each item."""

    state: str
    value: str
    out_of: str
    keys: tuple[Key, ...]


def scan_sql(
    definitions: Sequence[MetricDefinition], source: str, months: Sequence[Month] | None, vector: Path
) -> tuple[str, list[Asked]]:
    """Return a query with a column ``month`` and those that it says of each metric; items of no metric are left out.

    Args:
        definitions: metrics of one population that agree on ``each``.
        source: what stands after FROM: rows of the population, with whatever ``with_*`` of this file the metrics need.
        months: by which to tell items apart; None if the rows come from ``with_instants``.
        vector: file with the population's outcomes; read only if a metric is about a test.

    Raises:
        CelError: an expression is too complex.
    """
    inner = _Columns()
    states, asked = [], []
    for number, definition in enumerate(definitions):
        states.append(f"{_state(definition, inner)} AS s{number}")
        keys = tuple(_key(definition, path, inner) for path in definition.metric.by)
        asked.append(Asked(f"s{number}", _taken(definition, inner), inner.add(_compile(definition.out_of)), keys))
    kept = {name for one, definition in zip(asked, definitions, strict=True) for name in _kept(one, definition)}
    month = _MONTH if months is None else _month(months)
    # Only what is narrow goes through the join.
    rows = f"(SELECT item_id, {month} AS month, {inner.sql()}\nFROM {source})"
    if told := _outcomes(definitions, vector):
        rows = f"{rows}\nLEFT JOIN {told} ON item_id = {_ITEM}"
    answers = f"SELECT {', '.join(['month', *sorted(kept), *states])}\nFROM {rows}"
    return f"FROM ({answers})\nWHERE {' OR '.join(f'{one.state} <> {OUT}' for one in asked)}", asked


def _kept(asked: Asked, definition: MetricDefinition) -> list[str]:
    """Return the columns, beside the state, from which a metric's figures are made."""
    numbers = {"count": [], "quotient": [asked.value, asked.out_of]}.get(definition.measure, [asked.value])
    return [*numbers, *(key.column for key in asked.keys)]


def with_each(source: str, name: str) -> str:
    """Return one row for each element of a list, which is then its column ``each``."""
    return f"(SELECT *, unnest({quote_name(name)}) AS {quote_name(EACH)} FROM {source})"


def with_instants(source: str, instants: Sequence[Instant]) -> str:
    """Return each row once for each instant, which then is the end of its period."""
    ends = ", ".join(f"({'NULL' if number is None else number}::INTEGER, {end}::BIGINT)" for number, end in instants)
    period = f"{{'start': period.\"start\", 'end': {_UNTIL}, 'as_of': period.as_of}}"
    rows = f"{source} CROSS JOIN (VALUES {ends}) AS instants({_MONTH}, {_UNTIL})"
    return f"(SELECT * REPLACE ({period} AS period) FROM {rows})"


class _Columns:
    """Expressions and the columns that they are, each once."""

    def __init__(self) -> None:
        self._names: dict[str, str] = {}

    def add(self, sql: str) -> str:
        return self._names.setdefault(sql, f"c{len(self._names)}")

    def sql(self) -> str:
        return ",\n  ".join(f"{sql} AS {name}" for sql, name in self._names.items())


def _state(definition: MetricDefinition, columns: _Columns) -> str:
    missing = [f"NOT evidence.{quote_name(kind)}" for kind in definition.records]
    missing += [missing_sql(definition.row, path) for path in definition.fields]
    where = columns.add(_compile(definition.where))
    cases = [f"WHEN {where} IS NULL THEN {ERRED}", f"WHEN NOT {where} THEN {OUT}"]
    cases += [f"WHEN {columns.add(' OR '.join(missing))} THEN {UNKNOWN}"] if missing else []
    if definition.metric.test is None:
        values = _taken(definition, columns), columns.add(_compile(definition.out_of))
        cases += [f"WHEN {value} IS NULL THEN {ERRED}" for value in values]
        return f"(CASE {' '.join(cases)} ELSE {MEASURED} END)::TINYINT"
    code = _outcome(definition.metric.test)
    cases += [
        f"WHEN {code} IN ({codes_sql(definition.metric.among)}) THEN {MEASURED}",
        f"WHEN {code} = {ItemOutcome.NO_EVIDENCE:d} THEN {UNKNOWN}",
        f"WHEN {code} = {ItemOutcome.ERROR:d} THEN {ERRED}",
    ]
    return f"(CASE {' '.join(cases)} ELSE {OUT} END)::TINYINT"


def _taken(definition: MetricDefinition, columns: _Columns) -> str:
    """Return the column of what a metric takes of an item."""
    if definition.metric.test is not None:
        return _outcome(definition.metric.test)
    if definition.path is None:
        return columns.add(_compile(definition.of))
    first, *words = definition.path.split(".")
    return columns.add(f"CAST({'.'.join(map(quote_name, (first, *words)))} AS VARCHAR)")


def _compile(checked: CheckedExpression) -> str:
    return Compiler(null_safe=True).compile(checked.tree)


def _outcomes(definitions: Sequence[MetricDefinition], vector: Path) -> str | None:
    """Return the outcomes of the items that count somewhere, if a metric is about a test."""
    asked = {one.metric.test: None for one in definitions if one.metric.test is not None}
    words = ("no_evidence", "error", *(word for one in definitions for word in one.metric.among))
    codes = ", ".join(f"{quote_name(test)} AS {_outcome(test)}" for test in asked)
    some = " OR ".join(f"{quote_name(test)} IN ({codes_sql(words)})" for test in asked)
    return f"(SELECT item_id AS {_ITEM}, {codes} FROM {segments_sql([vector])} WHERE {some})" if asked else None


def _outcome(test: str) -> str:
    return quote_name(f"outcome {test}")


def codes_sql(words: Sequence[str]) -> str:
    return ", ".join(str(code) for code in sorted({int(ItemOutcome[word.upper()]) for word in words}))


def _month(months: Sequence[Month]) -> str:
    cases = "".join(
        f' WHEN "at" >= {month.start} AND "at" < {month.end} THEN {number}' for number, month in enumerate(months)
    )
    return f"(CASE{cases} END)::INTEGER" if cases else "NULL::INTEGER"


def _key(definition: MetricDefinition, path: str, columns: _Columns) -> Key:
    first, *words = path.split(".")
    sql, several = _values(quote_name(first), view_type(definition.row).fields[first].type, words)
    return Key(columns.add(sql), several)


def _values(sql: str, kind: Type, words: Sequence[str]) -> tuple[str, bool]:
    """Return SQL of the value at a path, or of a list of the values there, each once."""
    match kind:
        case ListType():
            inner = "x" + "".join(f".{quote_name(word)}" for word in words)
            each = f"list_transform({sql}, lambda x: CAST({inner} AS VARCHAR))"
            return f"(CASE WHEN {sql} IS NULL THEN [NULL::VARCHAR] ELSE list_distinct({each}) END)", True
        case ViewType():
            return _values(f"{sql}.{quote_name(words[0])}", kind.fields[words[0]].type, words[1:])
        case ScalarType():
            return f"CAST({sql} AS VARCHAR)", False
