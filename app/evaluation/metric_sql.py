# SPDX-License-Identifier: Apache-2.0

"""The query that adds up a metric: over all items, by month, and by each of its breakdowns.

In:  a definition, and a table that ``metric_scan`` has made. Out: SQL. Pure; nothing runs here.
"""

# ruff: noqa: S608 - Names are made by us; numbers are numbers.

from app.evaluation.metric_definition import MetricDefinition
from app.evaluation.metric_scan import ERRED, MEASURED, OUT, UNKNOWN, Asked, codes_sql

ALL, MONTH, GROUP = "all", "month", "group"
"""What a line of the answer is about; a group's is followed by the number of its breakdown."""


def metric_sql(definition: MetricDefinition, asked: Asked, table: str) -> str:
    """Return a query with columns part, month (number), value, items, unknown, errors, and the six figures.

    Args:
        definition: the metric.
        asked: which columns of the table are the metric's.
        table: has a row for each item, and for a snapshot for each item and month.
    """
    trend, figures = definition.metric.trend, _figures(definition, asked)
    mine = f"FROM {table} WHERE {asked.state} <> {OUT}"
    whole = f"{mine} AND month IS NULL" if trend == "snapshot" else mine
    parts = [f"SELECT '{ALL}' AS part, NULL::INTEGER AS month, NULL::VARCHAR AS value, {figures} {whole}"]
    if trend != "none":
        parts.append(f"SELECT '{MONTH}', month, NULL, {figures} {mine} AND month IS NOT NULL GROUP BY month")
    for number, key in enumerate(asked.keys):
        value = f"unnest({key.column})" if key.several else key.column
        each = f"(SELECT *, {value} AS value {whole})"
        parts.append(f"SELECT '{GROUP}{number}', NULL, value, {figures} FROM {each} GROUP BY value")
    return "\nUNION ALL ".join(parts)


def _figures(definition: MetricDefinition, asked: Asked) -> str:
    state, value = asked.state, asked.value
    measured = f"FILTER ({state} = {MEASURED})"
    numerator, denominator, ranks = "NULL::HUGEINT", "NULL::HUGEINT", ["NULL::BIGINT"] * 3
    match definition.measure:
        case "count":
            numerator = f"count(*) {measured}"
        case "distinct":
            numerator = f"count(DISTINCT {value}) {measured}"
        case "sum":
            numerator = f"coalesce(sum({value}) {measured}, 0)"
        case "ratio":
            numerator, denominator = f"count(*) FILTER ({state} = {MEASURED} AND {value})", f"count(*) {measured}"
        case "outcome_ratio":
            counted = f"{value} IN ({codes_sql(definition.metric.counted)})"
            numerator, denominator = f"count(*) FILTER ({state} = {MEASURED} AND {counted})", f"count(*) {measured}"
        case "quotient":
            numerator, denominator = (f"coalesce(sum({each}) {measured}, 0)" for each in (value, asked.out_of))
        case "quantiles":
            ranks = [_rank(value, measured, percent) for percent in (50, 95, 100)]
    counts = [f"count(*) FILTER ({state} = {each})" for each in (MEASURED, UNKNOWN, ERRED)]
    return ", ".join([*counts, f"({numerator})::HUGEINT", f"({denominator})::HUGEINT", *ranks])


def _rank(value: str, measured: str, percent: int) -> str:
    """Return the value of nearest rank: the smallest that at least so many per cent do not exceed."""
    return f"list_sort(list({value}) {measured})[(count(*) {measured} * {percent} + 99) // 100]"
