# SPDX-License-Identifier: Apache-2.0

"""Metrics: two engines that share no code agree, figures are right by hand, and what is missing is never hidden."""

import datetime
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.controls.loader import Controls
from app.controls.metrics import Metric
from app.controls.model import Requires
from app.evaluation.definition import define
from app.evaluation.engine import judge
from app.evaluation.metric_definition import define_metric
from app.evaluation.metric_model import MetricResult, MetricState
from app.evaluation.metric_oracle import measure_by_hand
from app.evaluation.metric_sheets import measured
from app.evaluation.metrics import measure
from app.evaluation.model import ControlTestResult, Evaluation, Period, TestOutcomeWord
from app.evaluation.months import months_of, previous_period
from app.records.times import parse_instant
from app.trails.example import AS_OF, PERIOD_END, PERIOD_START, example_row
from app.trails.populations import Row
from app.trails.segments import freeze

HOUR = 3_600_000
PERIOD = Period(start=PERIOD_START, end=PERIOD_END)
SPAN = "session.ended_at - session.started_at"
ENDS = Requires(fields=("session.started_at", "session.ended_at"))
SOURCE = {"collected": {"id": "broker", "record_types": ["grant", "session", "session_event"]}}


def metric(metric_id: str, measure_: str, **fields: Any) -> Metric:
    """Return a metric over sessions; what is not given is neutral."""
    given = {"population": "session", "family": "governance", "title": metric_id, "question": "?", **fields}
    return Metric(id=metric_id, measure=measure_, **given)


METRICS = [
    metric("MA-01", "count", where="session.privileged", by=("session.protocol", "target.env")),
    metric("MA-02", "distinct", of="identity.person_id"),
    metric("MA-03", "sum", of=SPAN, requires=ENDS, unit="duration", by=("session.interactive",)),
    metric("MA-04", "ratio", of="session.mfa", requires=Requires(fields=("session.mfa",)), unit="ratio"),
    metric("MA-05", "quotient", of="size(events.filter(e, size(e.flags) > 0))", out_of="1", unit="per_100"),
    metric("MA-06", "quantiles", of=SPAN, requires=ENDS, unit="duration", by=("session.protocol",)),
    metric("MA-07", "outcome_ratio", test="TST-01", counted=("pass",), among=("pass", "fail", "waived"), unit="ratio"),
    metric("MA-08", "count", each="events", where="size(each.flags) > 0", by=("each.flags.family", "each.outcome")),
    metric("MA-09", "count", where="session.started_at == null || session.started_at < period.end", trend="snapshot"),
    metric("MA-10", "ratio", requires=Requires(records=("recording",)), of="size(recordings) > 0", unit="ratio"),
    metric("MA-11", "sum", of=f"{SPAN} + p.much", requires=ENDS, unit="duration", parameters={"much": "36500d"}),
    metric("MA-12", "count", by=("target.data_classes",)),
]


def evaluation_of(segments: Path, sizes: dict[str, int]) -> Evaluation:
    """Return an evaluation in which the one test was run."""
    result = ControlTestResult(
        test_id="TST-01",
        title="",
        severity="high",
        population="session",
        outcome=TestOutcomeWord.PASSED,
        counts={},
        incomplete=(),
        parameters={},
        definition_sha256="",
    )
    return Evaluation(
        framework="x",
        framework_title="X",
        period=PERIOD,
        as_of=AS_OF,
        ledger_size=1,
        segments={},
        controls_sha256="",
        population_sizes=sizes,
        tests=(result,),
        controls=(),
    )


@pytest.fixture
def both(tmp_path: Path, control_test):
    """Return what computes metrics over rows by both engines, checks that they agree, and gives them by id."""

    def compute(sessions: Sequence[Row], metrics: Sequence[Metric] = METRICS, source: Any = SOURCE):
        sources = [] if source is None else [example_row("source", {"item_id": "broker", "at": AS_OF, **source})]
        freeze({"session": sessions, "source": sources}, tmp_path / "populations")
        test = control_test("TST-01", "session.mfa", fields=("session.mfa",), applies_when="session.privileged")
        judge([define(test)], tmp_path / "populations", tmp_path / "results")
        controls = Controls(
            tests={}, catalogs={}, mappings={}, files={}, metrics={one.id: one for one in metrics}, rules={"a.b": None}
        )
        evaluation = evaluation_of(tmp_path, {"session": len(sessions)})
        folders = (tmp_path / "populations", tmp_path / "results")
        found = {one.metric_id: one for one in measure(controls, evaluation, *folders)}
        assert measure_by_hand(controls, evaluation, *folders, 2_000) == found
        definitions = [define_metric(one) for one in metrics]
        little = measured(definitions, evaluation, *folders, most=1)
        assert little == measured(definitions, evaluation, *folders)
        return found

    return compute


def session(number: int, started: str | None = "2026-01-10T10:00:00Z", hours: int | None = 1, **fields: Any) -> Row:
    """Return a session; ``fields`` are parts of the row."""
    at = None if started is None else parse_instant(started)
    said = {"started_at": at, "ended_at": None if at is None or hours is None else at + hours * HOUR}
    own = {"privileged": True, **said, **fields.pop("session", {})}
    return example_row("session", {"item_id": f"broker/session/{number:03}", "at": at, "session": own, **fields})


def test_figures_by_hand(both) -> None:
    rows = [
        session(1, hours=1, session={"protocol": "ssh", "mfa": True}, identity={"person_id": "p-1"}),
        session(2, "2026-02-10T10:00:00Z", 2, session={"protocol": "ssh", "mfa": False}, identity={"person_id": "p-1"}),
        session(3, "2026-02-11T10:00:00Z", 30, session={"protocol": "kube"}, identity={"person_id": "p-2"}),
        session(4, "2026-03-11T10:00:00Z", None, session={"privileged": False, "mfa": True}),
    ]
    found = both(rows)
    assert _numbers(found["MA-01"]) == (3, 3, None)
    assert [month.figures.numerator for month in found["MA-01"].trend] == [1, 2, 0]
    assert [(g.value, g.figures.numerator) for g in found["MA-01"].breakdowns[0].groups] == [("ssh", 2), ("kube", 1)]
    assert _numbers(found["MA-02"]) == (3, 2, None)
    assert found["MA-02"].warnings == ("1 of 4 item(s) lack identity.person_id",)
    assert _numbers(found["MA-03"]) == (3, 33 * HOUR, None)
    assert _numbers(found["MA-04"]) == (3, 2, 3)
    figures = found["MA-06"].figures
    assert figures is not None
    assert (figures.p50, figures.p95, figures.maximum) == (2 * HOUR, 30 * HOUR, 30 * HOUR)
    assert _numbers(found["MA-07"]) == (2, 1, 2)
    assert found["MA-07"].warnings == ("1 of 3 item(s) have no evidence for test TST-01",)


def test_a_snapshot_asks_as_of_each_months_end(both) -> None:
    rows = [session(1), session(2, "2026-02-10T10:00:00Z"), session(3, "2026-03-30T10:00:00Z")]
    assert [month.figures.numerator for month in both(rows)["MA-09"].trend] == [1, 2, 3]


def test_elements_of_a_list_are_items_and_several_values_count_each(both) -> None:
    flags = [{"rule": "a.b", "family": "a", "severity": "high"}, {"rule": "c.d", "family": "c", "severity": "low"}]
    events = [{"id": "1", "flags": flags, "outcome": "ok"}, {"id": "2", "flags": flags[:1]}, {"id": "3"}]
    found = both([session(1, events=events), session(2)])
    assert _numbers(found["MA-08"]) == (2, 2, None)
    families, outcomes = found["MA-08"].breakdowns
    assert [(g.value, g.figures.items) for g in families.groups] == [("a", 2), ("c", 1)]
    assert {(g.value, g.figures.items) for g in outcomes.groups} == {("ok", 1), (None, 1)}
    assert _numbers(found["MA-05"]) == (2, 2, 2)


def test_nothing_collected_is_no_evidence_and_nothing_there_is_no_occurrences(both) -> None:
    assert both([], source=None)["MA-01"].state == MetricState.NO_EVIDENCE
    assert both([], source=None)["MA-01"].reasons == ("no collected source yields records of type session",)
    found = both([])["MA-01"]
    assert (found.state, found.figures) == (MetricState.NO_OCCURRENCES, None)


def test_items_that_all_lack_something_are_no_evidence(both) -> None:
    found = both([session(1, hours=None)])
    assert found["MA-03"].state == MetricState.NO_EVIDENCE
    assert found["MA-03"].reasons == ("1 of 1 item(s) lack session.started_at or session.ended_at",)
    unseen = both([session(1, evidence={"recording": False})])["MA-10"]
    assert unseen.reasons == ("1 of 1 item(s) lack records of type recording",)


def test_a_population_that_is_not_whole_warns_and_the_number_stays(both) -> None:
    broken = {"collected": {**SOURCE["collected"], "rejected": 3}}
    found = both([session(1)], source=broken)["MA-01"]
    assert _numbers(found) == (1, 1, None)
    assert found.warnings == ("broker: 3 record(s) could not be used",)


def test_an_expression_that_errs_is_an_error_not_a_zero(both) -> None:
    far = metric(
        "MA-01", "sum", of=f"{SPAN} + p.a + p.a + p.a", requires=ENDS, parameters={"a": "36500d"}, unit="duration"
    )
    found = both([session(1)], [far])["MA-01"]
    assert (found.state, found.reasons) == (MetricState.ERROR, ("1 of 1 item(s) could not be computed",))


def test_a_metric_that_cannot_be_computed_says_why(tmp_path: Path) -> None:
    metrics = [
        Metric(id="MA-01", title="", family="governance", question="", not_measured_because="no source tells it"),
        metric("MA-02", "outcome_ratio", test="OTH-01", counted=("pass",), among=("pass",), unit="ratio"),
        metric("MA-03", "count", each="events", where="size(each.flags) > 0"),
    ]
    controls = Controls(tests={}, catalogs={}, mappings={}, files={}, metrics={one.id: one for one in metrics})
    freeze({}, tmp_path / "populations")
    (tmp_path / "results").mkdir()
    found = measure(controls, evaluation_of(tmp_path, {}), tmp_path / "populations", tmp_path / "results")
    assert {one.state for one in found} == {MetricState.NOT_MEASURED}
    assert [one.reasons for one in found] == [
        ("no source tells it",),
        ("the test OTH-01, whose outcomes it counts, does not bear on X",),
        ("there are no risk rules, so nothing could be flagged",),
    ]


def test_many_values_are_cut_and_counted(both) -> None:
    found = both([session(n, session={"protocol": f"p{n:02}"}) for n in range(30)])["MA-01"]
    assert len(found.breakdowns[0].groups) == 20
    assert found.breakdowns[0].left_out == 10


_MAYBE = st.one_of(st.none(), st.booleans())
_DAYS = st.one_of(st.none(), st.integers(0, 89))
_EVENT = st.fixed_dictionaries(
    {"id": st.just("e"), "outcome": st.sampled_from([None, "ok", "denied"])},
    optional={
        "flags": st.lists(
            st.sampled_from(
                [{"rule": "a.b", "family": "a", "severity": "x"}, {"rule": "c.d", "family": "c", "severity": ""}]
            ),
            max_size=3,
        )
    },
)
_SESSION = st.fixed_dictionaries(
    {
        "day": _DAYS,
        "hours": st.one_of(st.none(), st.integers(-5, 2_000_000)),
        "privileged": st.booleans(),
        "protocol": st.sampled_from([None, "ssh", "kube", "", "'; --", "Ärger"]),
        "interactive": _MAYBE,
        "mfa": _MAYBE,
        "person": st.sampled_from([None, "p-1", "p-2"]),
        "classes": st.sampled_from([None, [], ["pii"], ["pii", "phi"], ["pii", "pii"]]),
        "events": st.lists(_EVENT, max_size=3),
        "recorded": st.booleans(),
    }
)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(drawn=st.lists(_SESSION, max_size=12))
def test_both_engines_agree_on_anything(both, drawn) -> None:
    rows = []
    for number, one in enumerate(drawn):
        at = None if one["day"] is None else PERIOD_START + one["day"] * 24 * HOUR
        own = {name: one[name] for name in ("privileged", "protocol", "interactive", "mfa")}
        own |= {"started_at": at, "ended_at": None if at is None or one["hours"] is None else at + one["hours"] * HOUR}
        given_ = {
            "item_id": f"broker/session/{number:03}",
            "at": at,
            "session": own,
            "identity": None if one["person"] is None else {"person_id": one["person"]},
            "target": None if one["mfa"] is None else {"data_classes": one["classes"], "env": one["person"]},
            "events": one["events"],
            "evidence": {"recording": one["recorded"]},
        }
        rows.append(example_row("session", given_))
    both(rows)


@pytest.mark.parametrize(
    ("first", "last", "expected"),
    [
        ("2026-01-01", "2026-03-31", [("2026-01", False), ("2026-02", False), ("2026-03", True)]),
        ("2026-01-15", "2026-01-20", [("2026-01", True)]),
        ("2025-12-31", "2026-01-31", [("2025-12", True), ("2026-01", False)]),
    ],
)
def test_months_of_a_period(first: str, last: str, expected: list[tuple[str, bool]]) -> None:
    found = months_of(_days(first, last), parse_instant("2026-03-30T00:00:00Z"))
    assert [(month.name, month.partial) for month in found] == expected
    assert all(before.end == after.start for before, after in pairwise(found))


def test_a_very_long_period_has_no_months() -> None:
    assert months_of(_days("1990-01-01", "2026-01-01"), AS_OF) == ()


@pytest.mark.parametrize(
    ("asked", "before"),
    [
        (("2026-07-01", "2026-09-30"), ("2026-04-01", "2026-06-30")),
        (("2026-01-01", "2026-03-31"), ("2025-10-01", "2025-12-31")),
        (("2026-02-01", "2026-02-28"), ("2026-01-01", "2026-01-31")),
        (("2026-02-03", "2026-02-12"), ("2026-01-24", "2026-02-02")),
    ],
)
def test_the_period_before(asked: tuple[str, str], before: tuple[str, str]) -> None:
    assert previous_period(_days(*asked)).days == before


def _days(first: str, last: str) -> Period:
    return Period.of_days(datetime.date.fromisoformat(first), datetime.date.fromisoformat(last))


def _numbers(result: MetricResult) -> tuple[int, int | None, int | None]:
    assert result.figures is not None
    return result.figures.items, result.figures.numerator, result.figures.denominator
