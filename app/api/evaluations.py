# SPDX-License-Identifier: Apache-2.0

"""``/evaluations``, ``/gaps``: what the evidence shows and what is missing."""

import msgspec
from fastapi import APIRouter

from app.api.deps import PeriodDep, Reader, ServicesDep
from app.api.problem import RESPONSES
from app.api.schemas import (
    ApplicabilityOut,
    ControlResultOut,
    EvaluationOut,
    GapOut,
    ParameterSliceOut,
    TestResultOut,
)
from app.evaluation.model import Evaluation
from app.records.times import format_instant

router = APIRouter(tags=["results"], responses=RESPONSES)


@router.get("/evaluations/{framework}")
def read_evaluation(framework: str, period: PeriodDep, services: ServicesDep, _caller: Reader) -> EvaluationOut:
    """Test every item of the period and conclude. The answer is kept until the ledger grows."""
    return _evaluation_out(services.evaluator.evaluate(framework, period).evaluation)


@router.get("/gaps")
def list_gaps(framework: str, period: PeriodDep, services: ServicesDep, _caller: Reader) -> list[GapOut]:
    """List control deviations and evidence gaps, each marked as what it is."""
    return [GapOut(**msgspec.to_builtins(gap)) for gap in services.gaps(framework, period)]


def _evaluation_out(evaluation: Evaluation) -> EvaluationOut:
    return EvaluationOut(
        framework=evaluation.framework,
        framework_title=evaluation.framework_title,
        start=format_instant(evaluation.period.start),
        end=format_instant(evaluation.period.end),
        as_of=format_instant(evaluation.as_of),
        ledger_size=evaluation.ledger_size,
        controls_sha256=evaluation.controls_sha256,
        population_sizes=evaluation.population_sizes,
        tests=[
            TestResultOut(
                test_id=test.test_id,
                title=test.title,
                severity=test.severity,
                population=test.population,
                outcome=test.outcome,
                counts=test.counts,
                incomplete=list(test.incomplete),
                parameters=test.parameters,
                slices=[ParameterSliceOut(**msgspec.to_builtins(each)) for each in test.slices],
            )
            for test in evaluation.tests
        ],
        controls=[
            ControlResultOut(
                control_id=control.control_id,
                label=control.label,
                status=control.status,
                test_ids=list(control.test_ids),
                reason=control.reason,
                applicability=ApplicabilityOut(**msgspec.to_builtins(control.applicability)),
            )
            for control in evaluation.controls
        ],
    )
