# SPDX-License-Identifier: Apache-2.0

"""Compute the metrics of an evaluated period.

In:  controls, an evaluation, its frozen populations and its result vectors. Out: one result per metric, in their order.
Equal inputs give equal values. A metric that cannot be computed is still there, with the reason.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path

import msgspec

from app.cel.ast import type_of
from app.cel.schema import ScalarType
from app.controls.loader import Controls
from app.controls.metrics import Metric
from app.evaluation.conclude import incompleteness
from app.evaluation.metric_definition import MetricDefinition, define_metric, metric_sha256
from app.evaluation.metric_model import (
    Breakdown,
    Figures,
    GroupFigures,
    MetricResult,
    MetricState,
    MonthFigures,
)
from app.evaluation.metric_sheets import Cell, measured
from app.evaluation.metric_sql import ALL, GROUP, MONTH
from app.evaluation.model import Evaluation
from app.evaluation.months import months_of
from app.trails.populations import SourceRow
from app.trails.segments import read_rows

MOST_GROUPS = 20
"""Values of a breakdown that are kept; the others are only counted."""
LARGEST = 2**53 - 1
"""Beyond this, programs that read JSON no longer agree on a number (RFC 8259, section 6)."""
NO_FIGURES = Figures(items=0, unknown=0, errors=0)


def measure(controls: Controls, evaluation: Evaluation, segments: Path, results: Path) -> tuple[MetricResult, ...]:
    """Return every metric of the controls over an evaluated period.

    Args:
        controls: what was loaded.
        evaluation: what was concluded; an outcome ratio takes its test's outcomes from there.
        segments: folder of the frozen populations.
        results: folder of the result vectors.

    Raises:
        NotFound: a population was not frozen.
        InvalidInput: a segment cannot be used.
        CelError: an expression cannot be used.
    """
    sources = [row for row in read_rows(segments, "source") if isinstance(row, SourceRow)]
    reasons = {metric.id: unmeasurable(metric, controls, evaluation) for metric in controls.metrics.values()}
    definitions = {
        metric.id: define_metric(metric) for metric in controls.metrics.values() if reasons[metric.id] is None
    }
    sheets = measured(list(definitions.values()), evaluation, segments, results)
    return tuple(
        not_measured(metric, reason)
        if (reason := reasons[metric.id])
        else concluded(definitions[metric.id], sheets[metric.id], evaluation, sources)
        for metric in controls.metrics.values()
    )


def unmeasurable(metric: Metric, controls: Controls, evaluation: Evaluation) -> str | None:
    """Return why a metric has no number here, whatever the records say."""
    if metric.not_measured_because is not None:
        return metric.not_measured_because
    if not controls.rules and "flags" in f"{metric.where} {metric.of} {' '.join(metric.by)}":
        return "there are no risk rules, so nothing could be flagged"
    if metric.test is not None and all(test.test_id != metric.test for test in evaluation.tests):
        return f"the test {metric.test}, whose outcomes it counts, does not bear on {evaluation.framework_title}"
    return None


def not_measured(metric: Metric, reason: str) -> MetricResult:
    """Return the result of a metric that cannot be computed."""
    return _result(metric, state=MetricState.NOT_MEASURED, milliseconds=metric.unit == "duration", reasons=(reason,))


def concluded(
    definition: MetricDefinition, sheet: Mapping[Cell, Figures], evaluation: Evaluation, sources: Sequence[SourceRow]
) -> MetricResult:
    """Put a metric's figures together and say what is known to be missing.

    Args:
        definition: the metric.
        sheet: its figures.
        evaluation: whose period and judgment instant count.
        sources: the rows of the population ``source``.
    """
    metric, whole = definition.metric, sheet.get((ALL, None), NO_FIGURES)
    incomplete = incompleteness(definition.population, metric.requires.complete, sources)
    state = _state(whole, incomplete)
    spans = type_of(definition.of.tree) == ScalarType.SPAN
    trend = _trend(definition, sheet, evaluation)
    if state != MetricState.MEASURED:
        # A snapshot may have none at the period's end and some before.
        seen = trend if any(month.figures.items for month in trend) and state == MetricState.NO_OCCURRENCES else ()
        reasons = _reasons(metric, whole, incomplete, state)
        return _result(metric, state=state, milliseconds=spans, reasons=reasons, trend=seen)
    return _result(
        metric,
        state=state,
        milliseconds=spans,
        warnings=(*_uncertain(metric, whole), *incomplete),
        figures=whole,
        trend=trend,
        breakdowns=tuple(_breakdown(sheet, number, path) for number, path in enumerate(metric.by)),
    )


def _result(
    metric: Metric,
    *,
    state: MetricState,
    milliseconds: bool,
    reasons: tuple[str, ...] = (),
    warnings: tuple[str, ...] = (),
    figures: Figures | None = None,
    trend: tuple[MonthFigures, ...] = (),
    breakdowns: tuple[Breakdown, ...] = (),
) -> MetricResult:
    return MetricResult(
        metric_id=metric.id,
        title=metric.title,
        family=metric.family,
        question=metric.question,
        population=metric.population,
        measure=metric.measure,
        test_id=metric.test,
        unit=metric.unit,
        direction=metric.direction,
        milliseconds=milliseconds,
        state=state,
        reasons=reasons,
        warnings=warnings,
        figures=figures,
        trend=trend,
        breakdowns=breakdowns,
        limits=metric.limits,
        definition_sha256=metric_sha256(metric),
    )


def _state(whole: Figures, incomplete: Sequence[str]) -> MetricState:
    sides = (whole.numerator, whole.denominator, whole.p50, whole.p95, whole.maximum)
    if any(side is not None and abs(side) > LARGEST for side in sides):
        return MetricState.ERROR
    if whole.items and whole.denominator != 0:
        return MetricState.MEASURED
    if whole.errors:
        return MetricState.ERROR
    return MetricState.NO_EVIDENCE if whole.unknown or incomplete else MetricState.NO_OCCURRENCES


def _reasons(metric: Metric, whole: Figures, incomplete: tuple[str, ...], state: MetricState) -> tuple[str, ...]:
    if state == MetricState.NO_OCCURRENCES:
        return ("no item of the period is one it speaks of",)
    if state == MetricState.ERROR and whole.items:
        return ("the number is too large to be exact",)
    return (*_uncertain(metric, whole), *incomplete)


def _uncertain(metric: Metric, whole: Figures) -> tuple[str, ...]:
    """Say how many items have no part in the number, and what they lack."""
    total = whole.items + whole.unknown + whole.errors
    needs = [*(f"records of type {kind}" for kind in metric.requires.records), *metric.requires.fields]
    if metric.measure == "distinct" and metric.of is not None:
        needs.append(metric.of)
    lacking = f"have no evidence for test {metric.test}" if metric.test else f"lack {' or '.join(needs)}"
    said = ((whole.unknown, lacking), (whole.errors, "could not be computed"))
    return tuple(f"{count} of {total} item(s) {what}" for count, what in said if count)


def _trend(
    definition: MetricDefinition, sheet: Mapping[Cell, Figures], evaluation: Evaluation
) -> tuple[MonthFigures, ...]:
    if definition.metric.trend == "none":
        return ()
    return tuple(
        MonthFigures(month=month.name, partial=month.partial, figures=_bounded(sheet.get((MONTH, number)), definition))
        for number, month in enumerate(months_of(evaluation.period, evaluation.as_of))
    )


def _bounded(found: Figures | None, definition: MetricDefinition) -> Figures:
    """Return a month's figures; those of a month without items are those of nothing."""
    if found is not None:
        return found
    countable = definition.measure in {"count", "distinct", "sum"}
    divided = definition.measure in {"ratio", "outcome_ratio", "quotient"}
    zero, none = (0 if countable or divided else None), (0 if divided else None)
    return msgspec.structs.replace(NO_FIGURES, numerator=zero, denominator=none)


def _breakdown(sheet: Mapping[Cell, Figures], number: int, path: str) -> Breakdown:
    groups = [
        GroupFigures(value=None if value is None else str(value), figures=figures)
        for (part, value), figures in sheet.items()
        if part == f"{GROUP}{number}" and figures.items + figures.unknown + figures.errors
    ]
    groups.sort(key=lambda group: (-group.figures.items, group.value is None, group.value or ""))
    return Breakdown(path=path, groups=tuple(groups[:MOST_GROUPS]), left_out=max(0, len(groups) - MOST_GROUPS))
