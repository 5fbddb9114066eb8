# SPDX-License-Identifier: Apache-2.0

"""Metrics of the demo: by the command line and in the pack, computed again from the rows one by one."""

import zipfile
from pathlib import Path

import msgspec
import pytest

from app.__main__ import run
from app.cli.options import services
from app.evaluation.metric_model import MetricResult
from app.evaluation.metric_oracle import measure_by_hand
from app.evaluation.model import Period
from tests.e2e.conftest import Demo

OPTIONS = ["metrics", "--framework", "soc2", "--from", "2026-07-01", "--to", "2026-09-28"]
PERIOD = Period(start=1_782_864_000_000, end=1_790_640_000_000)


def printed(demo: Demo, capsys: pytest.CaptureFixture[str], *more: str) -> str:
    """Run the command and return what it prints."""
    assert run([*OPTIONS, *more, "--dir", str(demo.folder)]) == 0
    return capsys.readouterr().out


def test_both_engines_give_the_same_over_every_population_of_the_demo(demo: Demo) -> None:
    evaluated = services(demo.folder).evaluator.evaluate("soc2", PERIOD)
    by_hand = measure_by_hand(
        evaluated.controls, evaluated.evaluation, evaluated.segments, evaluated.results, most=1_000_000
    )
    assert len(by_hand) > 30
    assert by_hand == {one.metric_id: one for one in evaluated.metrics if one.metric_id in by_hand}


def test_the_command_the_pack_and_its_report_tell_the_same(demo: Demo, capsys: pytest.CaptureFixture[str]) -> None:
    told = msgspec.json.decode(printed(demo, capsys, "--json"))["metrics"]
    with zipfile.ZipFile(demo.pack) as pack:
        assert msgspec.json.decode(pack.read("metrics.json")) == told
        assert msgspec.json.decode(pack.read("report.json"))["metrics"] == told
    found = {one["metric_id"]: one for one in told}
    sessions = found["MV-01"]["figures"]["numerator"]
    assert sum(month["figures"]["numerator"] for month in found["MV-01"]["trend"]) == sessions
    assert found["MV-01"]["trend"][-1]["partial"]


def test_the_text_shows_numbers_breakdowns_and_what_is_missing(demo: Demo, capsys: pytest.CaptureFixture[str]) -> None:
    text = printed(demo, capsys)
    for words in ("Access volume", "Risk actions", "Governance", "Privileged sessions", "What is missing:"):
        assert words in text
    assert "MV-01 by session.protocol" in printed(demo, capsys, "--metric", "MV-01")
    assert run([*OPTIONS, "--metric", "MV-99", "--dir", str(demo.folder)]) == 2


def test_the_period_before_is_shown_beside(demo: Demo, capsys: pytest.CaptureFixture[str]) -> None:
    told = msgspec.json.decode(printed(demo, capsys, "--metric", "MV-01", "--compare", "--json"))
    assert told["previous_period"]["end"] == PERIOD.start
    assert len(told["previous"]) == 1
    assert "before: 2026-04-02 to 2026-06-30" in printed(demo, capsys, "--metric", "MV-01", "--compare")


def test_outcomes_of_a_test_that_does_not_bear_on_the_framework_are_not_counted(demo: Demo, tmp_path: Path) -> None:
    found = {one.metric_id: one for one in services(demo.folder).evaluator.evaluate("nist-ai-rmf-1.0", PERIOD).metrics}
    outcome: MetricResult = found["MV-13"]
    assert outcome.state == "not_measured"
    assert "SES-02" in outcome.reasons[0]
    assert found["MV-01"].figures is not None
