# SPDX-License-Identifier: Apache-2.0

"""A metric that somebody with a signing key made nicer is named by the step that computes metrics again."""

from pathlib import Path

import msgspec
import pytest

from app.evaluation.metric_model import MetricResult
from app.packs import layout
from app.packs.assemble import Draft, sign_pack, write_pack
from app.signing.canonical import canonical_json
from app.signing.keys import SigningIdentity
from app.verification.report import StepState
from app.verification.verifier import verify
from tests.packs.small import SIGNED_AT, forge

replace = msgspec.structs.replace
STEP = "every metric gives the same"


def more(metric: MetricResult) -> MetricResult:
    assert metric.figures is not None
    return replace(metric, figures=replace(metric.figures, numerator=(metric.figures.numerator or 0) + 1))


def unwarned(metric: MetricResult) -> MetricResult:
    return replace(metric, warnings=("nothing is missing",))


def flat(metric: MetricResult) -> MetricResult:
    return replace(metric, trend=metric.trend[1:])


def ungrouped(metric: MetricResult) -> MetricResult:
    return replace(metric, breakdowns=())


@pytest.mark.parametrize("change", [more, unwarned, flat, ungrouped])
def test_a_changed_metric_is_named(change, draft: Draft, identity: SigningIdentity, tmp_path: Path) -> None:
    metrics = tuple(change(metric) if metric.metric_id == "MV-01" else metric for metric in draft.report.metrics)
    assert metrics != draft.report.metrics
    assert _problems(draft, metrics, identity, tmp_path) == ("metric MV-01 comes to something else",)


def test_a_metric_left_out_is_noticed(draft: Draft, identity: SigningIdentity, tmp_path: Path) -> None:
    problems = _problems(draft, draft.report.metrics[1:], identity, tmp_path)
    assert problems == ("the metrics are not those of the controls, in their order",)


def _problems(
    draft: Draft, metrics: tuple[MetricResult, ...], identity: SigningIdentity, folder: Path
) -> tuple[str, ...]:
    report = replace(draft.report, metrics=metrics)
    forged = forge(draft, {layout.METRICS_JSON: canonical_json(msgspec.to_builtins(metrics))}, report=report)
    write_pack(sign_pack(forged, identity, SIGNED_AT), folder / "pack.zip")
    (step,) = (one for one in verify(folder / "pack.zip", identity.certificate_der).steps if one.name == STEP)
    assert step.state is StepState.FAILED
    return step.problems
