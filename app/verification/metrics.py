# SPDX-License-Identifier: Apache-2.0

"""The step that computes every metric again: by the SQL engine, and from the rows one by one where they are few."""

from collections.abc import Iterable

from app.evaluation.metric_model import MetricResult, MetricState
from app.evaluation.metric_oracle import measure_by_hand
from app.packs.withholding.reads import without_withheld
from app.verification.case import Case, need
from app.verification.outcome import fail_if_any
from app.verification.second_engine import WHOLE_UP_TO


def again(case: Case) -> str:
    """Compute the metrics again from populations and outcomes, and compare every figure."""
    controls, folders = need(case.controls, 13), need(case.reperformed, 15)
    stated = case.report()
    computed = case.measured()
    by_hand = measure_by_hand(controls, stated.evaluation, folders.populations, folders.results, WHOLE_UP_TO)
    # Over commitments the two engines must agree as over anything else; what it comes to is not shown.
    found = without_withheld(computed, controls, case.withheld.fields) if case.withheld else computed
    fail_if_any([*_differences(stated.metrics, found), *_disagreements(computed, by_hand)])
    numbers = sum(metric.state == MetricState.MEASURED for metric in found)
    return f"{len(found)} metrics, {numbers} with a number, {len(by_hand)} also counted one by one"


def _differences(stated: tuple[MetricResult, ...], found: tuple[MetricResult, ...]) -> list[str]:
    ours = {metric.metric_id: metric for metric in found}
    problems = [
        f"metric {metric.metric_id} comes to something else"
        for metric in stated
        if ours.get(metric.metric_id) != metric
    ]
    return problems or ([] if stated == found else ["the metrics are not those of the controls, in their order"])


def _disagreements(found: Iterable[MetricResult], by_hand: dict[str, MetricResult]) -> list[str]:
    return [
        f"metric {metric.metric_id}: counted one by one, it comes to something else"
        for metric in found
        if metric.metric_id in by_hand and by_hand[metric.metric_id] != metric
    ]
