# SPDX-License-Identifier: Apache-2.0

"""``/metrics``: how much privileged access there is, what was done with it, how it is governed."""

from typing import Literal

import msgspec
from fastapi import APIRouter
from pydantic import BaseModel

from app.api.deps import PeriodDep, Reader, ServicesDep
from app.api.problem import RESPONSES
from app.evaluation.metric_model import MetricState

router = APIRouter(tags=["results"], responses=RESPONSES)


class FiguresOut(BaseModel):
    """The numbers of a metric: whole numbers; a ratio is its two sides, a duration is milliseconds."""

    items: int
    unknown: int
    errors: int
    numerator: int | None
    denominator: int | None
    p50: int | None
    p95: int | None
    maximum: int | None


class MonthOut(BaseModel):
    """One calendar month (UTC) of the period; ``partial`` if it is not whole."""

    month: str
    partial: bool
    figures: FiguresOut


class GroupOut(BaseModel):
    """The items with one value; ``value`` is null where the record does not tell."""

    value: str | None
    figures: FiguresOut


class BreakdownOut(BaseModel):
    """A metric by the values at one path; ``left_out`` counts values that are not listed."""

    path: str
    groups: list[GroupOut]
    left_out: int


class MetricOut(BaseModel):
    """One metric for one period. Without ``figures``, ``reasons`` say why; ``warnings`` say what is missing."""

    metric_id: str
    title: str
    family: Literal["access_volume", "risk_actions", "governance"]
    question: str
    population: str | None
    measure: str | None
    test_id: str | None
    unit: Literal["items", "ratio", "per_100", "duration"]
    direction: Literal["higher", "lower", "none"]
    milliseconds: bool
    state: MetricState
    reasons: list[str]
    warnings: list[str]
    figures: FiguresOut | None
    trend: list[MonthOut]
    breakdowns: list[BreakdownOut]
    limits: str
    definition_sha256: str


@router.get("/metrics")
def list_metrics(framework: str, period: PeriodDep, services: ServicesDep, _caller: Reader) -> list[MetricOut]:
    """List the metrics of a period. The framework decides which tests were run, so which outcomes can be counted."""
    found = services.evaluator.evaluate(framework, period).metrics
    return [MetricOut.model_validate(msgspec.to_builtins(metric)) for metric in found]
