# SPDX-License-Identifier: Apache-2.0

"""Evaluations put together by hand, for what compares and keeps them."""

import datetime

from app.evaluation.conclude import conclude_control, conclude_test
from app.evaluation.model import ControlResult, ControlTestResult, Evaluation, ItemOutcome, Period

DAY = 86_400_000
CONTROLS = {"C1": ("T1",), "C2": ("T1", "T2"), "C3": ()}


def days(first: str, last: str) -> Period:
    """Return a period from its first and last day."""
    return Period.of_days(datetime.date.fromisoformat(first), datetime.date.fromisoformat(last))


QUARTER = days("2026-07-01", "2026-09-30")


def evaluation(
    size: int = 10,
    *,
    framework: str = "soc2-tsc-2017",
    period: Period = QUARTER,
    controls_sha256: str = "c" * 64,
    **tests: dict[str, int],
) -> Evaluation:
    """Return an evaluation in which tests T1, T2 ... have these item outcomes; one that is not told has passed."""
    results = tuple(_result(name, tests.get(name, {"pass": 1})) for name in sorted({"T1", "T2", *tests}))
    outcomes = {result.test_id: result.outcome for result in results}
    return Evaluation(
        framework=framework,
        framework_title="A framework",
        period=period,
        as_of=period.end,
        ledger_size=size,
        segments={},
        controls_sha256=controls_sha256,
        population_sizes={},
        tests=results,
        controls=tuple(_control(name, test_ids, outcomes) for name, test_ids in CONTROLS.items()),
    )


def _result(test_id: str, counted: dict[str, int]) -> ControlTestResult:
    counts = {outcome.word: counted.get(outcome.word, 0) for outcome in ItemOutcome}
    return ControlTestResult(
        test_id=test_id,
        title="",
        severity="high",
        population="session",
        outcome=conclude_test({outcome: counts[outcome.word] for outcome in ItemOutcome}, incomplete=()),
        counts=counts,
        incomplete=(),
        parameters={},
        definition_sha256="",
    )


def _control(control_id: str, test_ids: tuple[str, ...], outcomes: dict) -> ControlResult:
    status, reason = conclude_control({test_id: outcomes[test_id] for test_id in test_ids})
    return ControlResult(control_id=control_id, label="", status=status, test_ids=test_ids, reason=reason)
