# SPDX-License-Identifier: Apache-2.0

"""Compute a metric again, from rows, in plain Python with Google's CEL evaluator.

In:  a metric, the rows of its population, the outcomes of its test. Out: the same figures as the SQL engine's.
It shares no code with the SQL that computes metrics; the two must agree.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal

import msgspec

from app.cel.errors import BeyondLimit, CelRuntimeError
from app.cel.interpreter import Interpreter
from app.controls.loader import Controls
from app.controls.metrics import EACH
from app.evaluation.engine import outcomes_of
from app.evaluation.metric_definition import MetricDefinition, define_metric
from app.evaluation.metric_model import Figures, MetricResult
from app.evaluation.metrics import concluded, unmeasurable
from app.evaluation.model import Evaluation, ItemOutcome
from app.evaluation.months import Month, months_of
from app.evaluation.oracle import is_missing
from app.trails.populations import Row, SourceRow
from app.trails.segments import read_rows

Answer = Literal["out", "measured", "unknown", "error"]
Cell = tuple[str, int | str | None]


class _Taken(msgspec.Struct, frozen=True):
    """What a metric takes of one item."""

    answer: Answer
    value: int | str | bool = 0
    out_of: int | bool = 0


def figures_by_hand(
    definition: MetricDefinition,
    rows: Iterable[Row],
    months: Sequence[Month],
    outcomes: Mapping[str, ItemOutcome] | None = None,
) -> dict[Cell, Figures]:
    """Return a metric's figures: of all items, of each month, of each value of each breakdown.

    Args:
        definition: the metric.
        rows: the whole population.
        months: the months of the period.
        outcomes: item id to outcome, for an outcome ratio.
    """
    taken: dict[Cell, list[_Taken]] = {("all", None): []}
    for row in _items(definition, rows):
        one = _take(definition, row, outcomes)
        for cell in _cells(definition, row, months):
            taken.setdefault(cell, []).append(one)
        if definition.metric.trend == "snapshot":
            for number, month in enumerate(months):
                then = msgspec.structs.replace(row, period=msgspec.structs.replace(row.period, end=month.end))
                taken.setdefault(("month", number), []).append(_take(definition, then, outcomes))
    return {cell: _figures(definition, each) for cell, each in taken.items()}


def _items(definition: MetricDefinition, rows: Iterable[Row]) -> Iterator[Any]:
    """Yield what a metric calls an item: rows, or a row with one element of a list of it."""
    for row in rows:
        if definition.metric.each is None:
            yield row
            continue
        shared = {name: getattr(row, name) for name in row.__struct_fields__}
        for element in getattr(row, definition.metric.each):
            yield definition.row(**shared, **{EACH: element})


def _cells(definition: MetricDefinition, row: Any, months: Sequence[Month]) -> Iterator[Cell]:  # noqa: ANN401 - a row, perhaps with ``each``.
    yield "all", None
    if definition.metric.trend == "at" and row.at is not None:
        for number, month in enumerate(months):
            if month.start <= row.at < month.end:
                yield "month", number
    for number, path in enumerate(definition.metric.by):
        for value in sorted(set(_values_at(row, path.split("."))), key=str):
            yield f"group{number}", value


def _values_at(value: object, words: Sequence[str]) -> Iterator[str | None]:
    if isinstance(value, list):
        found = [each for element in value for each in _values_at(element, words)]
        yield from (each for each in found if each is not None)
    elif value is None or not words:
        yield ("true" if value else "false") if isinstance(value, bool) else None if value is None else str(value)
    else:
        yield from _values_at(getattr(value, words[0]), words[1:])


def _take(definition: MetricDefinition, row: Any, outcomes: Mapping[str, ItemOutcome] | None) -> _Taken:  # noqa: ANN401
    interpreter = _interpreter(definition.row)
    values = interpreter.values(row, (definition.where, definition.of, definition.out_of))
    where = interpreter.evaluate(definition.where, values)
    if where is not True:
        return _Taken("out" if where is False else "error")
    told = all(getattr(row.evidence, kind) for kind in definition.records)
    if not told or any(is_missing(row, path.split(".")) for path in definition.fields):
        return _Taken("unknown")
    if definition.measure == "outcome_ratio":
        return _outcome(definition, (outcomes or {})[row.item_id])
    value, out_of = (interpreter.value(each, values) for each in (definition.of, definition.out_of))
    if isinstance(value, CelRuntimeError) or isinstance(out_of, CelRuntimeError):
        return _Taken("error")
    if definition.path is not None:
        (value,) = _values_at(row, definition.path.split("."))  # type: ignore[assignment]  # Missing ones are unknown.
    return _Taken("measured", value, out_of)


def _outcome(definition: MetricDefinition, outcome: ItemOutcome) -> _Taken:
    if outcome.word in definition.metric.among:
        return _Taken("measured", int(outcome.word in definition.metric.counted))
    if outcome is ItemOutcome.NO_EVIDENCE:
        return _Taken("unknown")
    return _Taken("error" if outcome is ItemOutcome.ERROR else "out")


def _figures(definition: MetricDefinition, taken: Sequence[_Taken]) -> Figures:
    measured = [one for one in taken if one.answer == "measured"]
    counts = {
        "items": len(measured),
        "unknown": sum(one.answer == "unknown" for one in taken),
        "errors": sum(one.answer == "error" for one in taken),
    }
    if definition.measure == "count":
        return Figures(**counts, numerator=len(measured))
    if definition.measure == "distinct":
        return Figures(**counts, numerator=len({one.value for one in measured}))
    numbers = [int(one.value) for one in measured]
    match definition.measure:
        case "sum":
            return Figures(**counts, numerator=sum(numbers))
        case "ratio" | "outcome_ratio":
            return Figures(**counts, numerator=sum(numbers), denominator=len(numbers))
        case "quotient":
            return Figures(**counts, numerator=sum(numbers), denominator=sum(int(one.out_of) for one in measured))
        case "quantiles":
            p50, p95, maximum = (_rank(sorted(numbers), percent) for percent in (50, 95, 100))
            return Figures(**counts, p50=p50, p95=p95, maximum=maximum)


def _rank(ordered: Sequence[int], percent: int) -> int | None:
    """Return the smallest value that at least so many per cent of the values do not exceed."""
    return next((value for place, value in enumerate(ordered, 1) if place * 100 >= len(ordered) * percent), None)


@lru_cache(maxsize=32)
def _interpreter(row: type[msgspec.Struct]) -> Interpreter:
    return Interpreter(row)


def measure_by_hand(
    controls: Controls, evaluation: Evaluation, segments: Path, results: Path, most: int
) -> dict[str, MetricResult]:
    """Return, by id, the metrics over populations of at most so many items, computed from the rows.

    A metric on which the interpreter gives up, because lists of a row are too long for it, is left out.

    Raises:
        NotFound: a population was not frozen.
        InvalidInput: a segment cannot be used.
        CelError: an expression cannot be used.
    """
    measurable = [metric for metric in controls.metrics.values() if unmeasurable(metric, controls, evaluation) is None]
    definitions = [define_metric(metric) for metric in measurable]
    sources = [row for row in read_rows(segments, "source") if isinstance(row, SourceRow)]
    months = months_of(evaluation.period, evaluation.as_of)
    found: dict[str, MetricResult] = {}
    for population, size in evaluation.population_sizes.items():
        mine = [definition for definition in definitions if definition.population == population]
        rows = list(read_rows(segments, population)) if mine and size <= most else []
        for definition in mine if size <= most else ():
            test = definition.metric.test
            outcomes = outcomes_of(results, population, test) if test else None
            with suppress(BeyondLimit):
                sheet = figures_by_hand(definition, rows, months, outcomes)
                found[definition.metric.id] = concluded(definition, sheet, evaluation, sources)
    return found
