# SPDX-License-Identifier: Apache-2.0

"""The one query that computes a metric: over all items, by month, and by each of its breakdowns.

In:  a definition, what stands after FROM, months. Out: SQL. Pure; nothing runs here.
The inner query asks each item once; the outer ones only add up.
"""

# ruff: noqa: S608 - Names come from our structs and are quoted; numbers are numbers.

from collections.abc import Sequence
from pathlib import Path

from app.cel.schema import ListType, ScalarType, Type, ViewType, view_type
from app.cel.sql import Compiler
from app.cel.sqltext import quote_name
from app.controls.metrics import EACH
from app.evaluation.metric_definition import MetricDefinition
from app.evaluation.model import ItemOutcome
from app.evaluation.months import Month
from app.evaluation.questions import missing_sql, segments_sql

ALL, MONTH, GROUP = "all", "month", "group"
"""What a line of the answer is about; a group's is followed by the number of its breakdown."""
MEASURED, UNKNOWN, ERRED = 1, 2, 3
_OUTCOME = "outcome_code"
_JOINED = "outcome_item"


def metric_sql(definition: MetricDefinition, source: str, months: Sequence[Month]) -> str:
    """Return a query with columns part, month (index), value, items, unknown, errors, and the six figures.

    Args:
        definition: the metric.
        source: what stands after FROM: rows of the population, for an outcome ratio joined by ``with_outcomes``.
        months: by which to tell items apart; empty for no trend.

    Raises:
        CelError: an expression is too complex.
    """
    paths = definition.metric.by
    keys = "".join(f", k{number}" for number in range(len(paths)))
    figures = _figures(definition)
    parts = [f"SELECT '{ALL}' AS part, NULL::INTEGER AS month, NULL::VARCHAR AS value, {figures} FROM base"]
    if months:
        parts.append(f"SELECT '{MONTH}', month, NULL, {figures} FROM base WHERE month IS NOT NULL GROUP BY month")
    for number in range(len(paths)):
        each = f"(SELECT state, v, w, unnest(k{number}) AS value FROM base)"
        parts.append(f"SELECT '{GROUP}{number}', NULL, value, {figures} FROM {each} GROUP BY value")
    return (
        f"WITH base AS MATERIALIZED (\n  SELECT month, {_state(definition)} AS state, v, w{keys}\n  FROM (\n"
        f"    SELECT {_asked(definition, months)}\n    FROM {source}\n  )\n  WHERE a IS NULL OR a\n)\n"
        + "\nUNION ALL ".join(parts)
    )


def with_outcomes(source: str, vector: Path, test_id: str) -> str:
    """Return rows joined with the code that a test gave each."""
    codes = f"SELECT item_id AS {_JOINED}, {quote_name(test_id)} AS {_OUTCOME} FROM {segments_sql([vector])}"
    return f"({source} JOIN ({codes}) ON item_id = {_JOINED})"


def with_each(source: str, name: str) -> str:
    """Return one row for each element of a list, which is then its column ``each``."""
    return f"(SELECT *, unnest({quote_name(name)}) AS {quote_name(EACH)} FROM {source})"


def as_of_month(source: str, month: Month) -> str:
    """Return rows whose period ends with a month, so that ``period.end`` stands for the month's end."""
    period = f"{{'start': period.\"start\", 'end': {month.end}::BIGINT, 'as_of': period.as_of}}"
    return f"(SELECT * REPLACE ({period} AS period) FROM {source})"


def _asked(definition: MetricDefinition, months: Sequence[Month]) -> str:
    compiler = Compiler(null_safe=True)
    missing = [f"NOT evidence.{quote_name(kind)}" for kind in definition.records]
    missing += [missing_sql(definition.row, path) for path in definition.fields]
    columns = [
        f"{_month(months)} AS month",
        f"{compiler.compile(definition.where.tree)} AS a",
        f"({' OR '.join(missing) or 'false'}) AS m",
        f"{_taken(definition)} AS v",
        f"{compiler.compile(definition.out_of.tree)} AS w",
        f"{_OUTCOME if definition.measure == 'outcome_ratio' else 'NULL::SMALLINT'} AS code",
    ]
    for number, path in enumerate(definition.metric.by):
        columns.append(f"{_keys(definition, path)} AS k{number}")
    return ",\n      ".join(columns)


def _month(months: Sequence[Month]) -> str:
    cases = "".join(
        f' WHEN "at" >= {month.start} AND "at" < {month.end} THEN {number}' for number, month in enumerate(months)
    )
    return f"(CASE{cases} END)::INTEGER" if cases else "NULL::INTEGER"


def _state(definition: MetricDefinition) -> str:
    asked = f"CASE WHEN a IS NULL THEN {ERRED} WHEN m THEN {UNKNOWN}"
    if definition.measure != "outcome_ratio":
        return f"{asked} WHEN v IS NULL OR w IS NULL THEN {ERRED} ELSE {MEASURED} END"
    return (
        f"{asked} WHEN code IN ({_codes(definition.metric.among)}) THEN {MEASURED}"
        f" WHEN code = {ItemOutcome.NO_EVIDENCE:d} THEN {UNKNOWN} WHEN code = {ItemOutcome.ERROR:d} THEN {ERRED}"
        f" ELSE 0 END"
    )


def _codes(words: Sequence[str]) -> str:
    return ", ".join(str(int(ItemOutcome[word.upper()])) for word in words)


def _taken(definition: MetricDefinition) -> str:
    if definition.path is not None:
        return _path(definition.path)
    if definition.measure == "outcome_ratio":
        return f"(CASE WHEN {_OUTCOME} IN ({_codes(definition.metric.counted)}) THEN 1 ELSE 0 END)"
    return Compiler(null_safe=True).compile(definition.of.tree)


def _figures(definition: MetricDefinition) -> str:
    measured = f"FILTER (state = {MEASURED})"
    numerator, denominator, ranks = "NULL::HUGEINT", "NULL::HUGEINT", ["NULL::BIGINT"] * 3
    match definition.measure:
        case "count":
            numerator = f"count(*) {measured}"
        case "distinct":
            numerator = f"count(DISTINCT v) {measured}"
        case "sum":
            numerator = f"coalesce(sum(v) {measured}, 0)"
        case "ratio":
            numerator, denominator = f"count(*) FILTER (state = {MEASURED} AND v)", f"count(*) {measured}"
        case "outcome_ratio":
            numerator, denominator = f"coalesce(sum(v) {measured}, 0)", f"count(*) {measured}"
        case "quotient":
            numerator, denominator = f"coalesce(sum(v) {measured}, 0)", f"coalesce(sum(w) {measured}, 0)"
        case "quantiles":
            ranks = [_rank(measured, percent) for percent in (50, 95, 100)]
    counts = [f"count(*) FILTER (state = {state})" for state in (MEASURED, UNKNOWN, ERRED)]
    return ", ".join([*counts, f"({numerator})::HUGEINT", f"({denominator})::HUGEINT", *ranks])


def _rank(measured: str, percent: int) -> str:
    """Return the value of nearest rank: the smallest that at least so many per cent do not exceed."""
    return f"list_sort(list(v) {measured})[(count(*) {measured} * {percent} + 99) // 100]"


def _path(path: str) -> str:
    first, *words = path.split(".")
    sql = ".".join([quote_name(first), *map(quote_name, words)])
    return f"CAST({sql} AS VARCHAR)"


def _keys(definition: MetricDefinition, path: str) -> str:
    """Return SQL of a list: the values at a path, each once."""
    first, *words = path.split(".")
    return _values(quote_name(first), view_type(definition.row).fields[first].type, words)


def _values(sql: str, kind: Type, words: Sequence[str]) -> str:
    match kind:
        case ListType():
            inner = "x" + "".join(f".{quote_name(word)}" for word in words)
            each = f"list_transform({sql}, lambda x: CAST({inner} AS VARCHAR))"
            return f"(CASE WHEN {sql} IS NULL THEN [NULL::VARCHAR] ELSE list_distinct({each}) END)"
        case ViewType():
            return _values(f"{sql}.{quote_name(words[0])}", kind.fields[words[0]].type, words[1:])
        case ScalarType():
            return f"[CAST({sql} AS VARCHAR)]"
