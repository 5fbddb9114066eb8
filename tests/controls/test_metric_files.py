# SPDX-License-Identifier: Apache-2.0

"""What is wrong with a metric is named with file, line and column; what we ship is sound."""

from collections import Counter

import pytest

from app.controls.loader import load, load_bytes
from app.errors import ControlsInvalid
from app.evaluation.metric_definition import define_metric
from app.resources import shipped

GOOD = """\
kind: Metrics
title: Sessions
metrics:
  - id: MV-90
    title: Length
    family: access_volume
    question: How long?
    population: session
    where: session.privileged
    requires: {fields: [session.started_at, session.ended_at]}
    measure: quantiles
    of: session.ended_at - session.started_at
    by: [session.protocol]
    unit: duration
"""
CASES = [
    ("population: session", "population: sesion", "8:17", "there is no population 'sesion'", "Did you mean 'session'?"),
    ("measure: quantiles", "measure: median", "11:14", "invalid enum value", "It is one of count"),
    ("    question: How long?\n", "", "4:5", "the key 'question' is missing", "Write 'question:'"),
    (
        "where: session.privileged",
        "where: session.privilege",
        "9:19",
        "SessionView has no field 'privilege'",
        "privileged",
    ),
    ("where: session.privileged", "where: session.mfa", "9:19", "'session.mfa' may be missing", "has(session.mfa)"),
    (
        "requires: {fields: [session.started_at, session.ended_at]}",
        "parameters: {a: 1}",
        "12:16",
        "may be missing",
        "has(",
    ),
    (
        "of: session.ended_at - session.started_at",
        "of: session.privileged",
        "12:9",
        "asks for a number",
        "another measure",
    ),
    ("of: session.ended_at - session.started_at", "of: session.draw", "12:9", "comes to no whole number", "Count or"),
    ("of: session.ended_at - session.started_at", "of: size(events)", "12:9", "comes in 'items'", "Change one"),
    ("of: session.ended_at - session.started_at", "out_of: '1'", "11:14", "needs 'of'", "Write 'of:'"),
    ("by: [session.protocol]", "by: [session.protocoll]", "13:10", "has no 'session.protocoll'", "'protocol'"),
    ("by: [session.protocol]", "by: [session]", "13:10", "is not a single value", "session.id"),
    ("by: [session.protocol]", "by: [session.draw]", "13:10", "too many to tell apart", "Name a text"),
    ("by: [session.protocol]", "each: sesions", "13:11", "has no list 'sesions'", "recordings, events"),
    ("by: [session.protocol]", "parameters: {unused: 1}", "13:18", "is never used", "p.unused"),
    ("by: [session.protocol]", "test: APR-01", "13:5", "takes no 'test'", "It takes of"),
    ("unit: duration", "unit: ratio", "14:11", "does not come in 'ratio'", "items, duration"),
    ("unit: duration", "unit: duration\n    trend: weekly", "15:12", "invalid enum value", "at, snapshot, none"),
    ("unit: duration", "unit: duration\n    colour: red", "15:5", "there is no key 'colour'", "Known here"),
    (
        "[session.started_at, session.ended_at]",
        "[session.started_at, session.ended_at, session.id]",
        "10:63",
        "never missing",
        "",
    ),
    ("    population: session\n", "", "4:5", "has no 'population'", "not_measured_because"),
    ("unit: duration", "not_measured_because: nobody knows", "8:5", "is not measured, but has 'population'", "Remove"),
]


def test_the_good_one_loads() -> None:
    assert list(load_bytes({"metrics/a.yaml": GOOD.encode()}).metrics) == ["MV-90"]


@pytest.mark.parametrize(
    ("old", "new", "where", "message", "hint"), CASES, ids=[case[3] + " at " + case[2] for case in CASES]
)
def test_a_mistake_is_named_at_its_place(old: str, new: str, where: str, message: str, hint: str) -> None:
    assert GOOD.count(old) == 1
    with pytest.raises(ControlsInvalid) as caught:
        load_bytes({"metrics/a.yaml": GOOD.replace(old, new).encode()})
    said = [line for line in caught.value.problems if message in line]
    assert said, caught.value.problems
    assert said[0].startswith(f"metrics/a.yaml:{where}: ")
    assert hint in said[0]


OUTCOME = """\
kind: Metrics
title: Outcomes
metrics:
  - {id: MV-91, title: A, family: governance, question: B, population: access_event, measure: outcome_ratio,
     unit: ratio, test: NOT-01, counted: [waived], among: [pass]}
"""


def test_an_outcome_ratio_names_a_test_of_its_population_and_counts_among() -> None:
    with pytest.raises(ControlsInvalid) as caught:
        load_bytes({"metrics/a.yaml": OUTCOME.encode()})
    said = "\n".join(caught.value.problems)
    assert "there is no test 'NOT-01'" in said
    assert "'waived' is counted, but not among" in said


def test_two_metrics_may_not_share_an_id() -> None:
    with pytest.raises(ControlsInvalid, match="is here a second time"):
        load_bytes({"metrics/a.yaml": GOOD.encode(), "metrics/b.yaml": GOOD.encode()})


def test_the_shipped_metrics_can_be_computed_and_say_their_limits() -> None:
    metrics = load(shipped("controls")).metrics
    for metric in metrics.values():
        if metric.not_measured_because is None:
            define_metric(metric)
            assert metric.limits, metric.id
            assert metric.question.endswith("?"), metric.id
    families = Counter(metric.family for metric in metrics.values())
    assert all(families[family] >= 10 for family in ("access_volume", "risk_actions", "governance"))
