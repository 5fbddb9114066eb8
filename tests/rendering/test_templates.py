# SPDX-License-Identifier: Apache-2.0

"""The shipped templates: their samples fit the contracts, hostile text stays text, what is missing is an error."""

import re
from collections.abc import Callable
from typing import Any

import jinja2
import msgspec
import pytest

from app.errors import NotFound, ProofroomError
from app.evaluation.model import ControlStatus, ItemOutcome, TestOutcomeWord
from app.gaps.model import GapKind, GapReport
from app.packs.model import ReportData
from app.rendering import render_html
from app.rendering.html import _environment, templates
from app.rendering.preview import main
from app.rendering.words import WORDS
from app.resources import shipped

Sample = Callable[[str], dict[str, Any]]
HOSTILE = "\u202e<script>alert(1)</script>{{ 7 * 7 }}\x00'\"&"


def test_each_sample_is_what_the_code_hands_over(sample: Sample) -> None:
    report = msgspec.convert(sample("evidence_pack")["report"], ReportData)
    assert report.evaluation.tests
    gap_report = msgspec.convert(sample("gap_report")["report"], GapReport)
    assert {gap.kind for gap in gap_report.gaps} >= {GapKind.CONTROL_DEVIATION, GapKind.MISSING_EVIDENCE}


def test_every_template_has_a_sample() -> None:
    assert templates() == ["evidence_pack", "gap_report"]
    for template in templates():
        assert (shipped("report_templates") / template / "sample.json").is_file()


def test_every_state_has_a_word_an_icon_and_a_meaning() -> None:
    assert set(WORDS["control_status"]) == set(ControlStatus)
    assert set(WORDS["test_outcome"]) == set(TestOutcomeWord)
    assert set(WORDS["item_outcome"]) == {outcome.word for outcome in ItemOutcome}
    assert set(WORDS["gap_kind"]) == set(GapKind)
    css = (shipped("report_templates") / "_shared" / "report.css").read_text(encoding="utf-8")
    for words in WORDS.values():
        for word in words.values():
            assert f".{word.tone}::before {{ content:" in css
            assert word.meaning.endswith(".")


@pytest.mark.parametrize("template", ["evidence_pack", "gap_report"])
def test_html_stands_alone(template: str, sample: Sample) -> None:
    html = render_html(template, sample(template), title="A title", language="de")
    assert html.startswith('<!doctype html>\n<html lang="de">')
    assert "default-src 'none'" in html
    assert not re.search(r"<(script|link|img|iframe|object|form)\b", html)
    assert "shipped:" not in html
    assert re.findall(r'(?:src|href)="(?!#)', html) == []


@pytest.mark.parametrize("template", ["evidence_pack", "gap_report"])
def test_every_address_leads_to_a_place_in_the_document(template: str, sample: Sample) -> None:
    html = render_html(template, sample(template), title="A title")
    places = re.findall(r'\bid="([^"]+)"', html)
    assert len(places) == len(set(places))
    assert set(re.findall(r'href="#([^"]+)"', html)) <= set(places)


def test_hostile_text_stays_text(sample: Sample) -> None:
    context = sample("evidence_pack")
    _poison(context["report"])
    html = render_html("evidence_pack", context, title=HOSTILE)
    assert "<script" not in html
    assert "alert(1)" in html
    assert "{{ 7 * 7 }}" in html
    assert "\u202e" not in html
    assert "\x00" not in html
    assert "[U+202E]&lt;script&gt;" in html


def _poison(value: Any) -> None:
    """Put hostile text into every free text of a report."""
    free = {
        "organisation",
        "title",
        "label",
        "intent",
        "fails",
        "assertion",
        "reason",
        "query",
        "subject",
        "checkpoint",
    }
    free |= {
        "condition",
        "criteria",
        "cause",
        "effect",
        "recommendation",
        "name",
        "locator",
        "seed",
        "software",
        "rows",
    }
    for key, inner in value.items() if isinstance(value, dict) else enumerate(value):
        if isinstance(inner, str) and (key in free or isinstance(value, list)):
            value[key] = inner if re.fullmatch(r"[A-Z]{2,4}-?[0-9.]+", inner) else HOSTILE + inner
        elif isinstance(inner, dict | list):
            _poison(inner)


def test_a_missing_name_is_an_error(sample: Sample) -> None:
    context = sample("evidence_pack")
    del context["report"]["signer"]["subject"]
    with pytest.raises(ProofroomError, match="evidence_pack"):
        render_html("evidence_pack", context, title="A title")


def test_a_missing_value_is_an_error() -> None:
    with pytest.raises(ProofroomError, match="missing"):
        _environment().from_string("{{ nothing }}").render(nothing=None)


def test_templates_cannot_reach_into_python() -> None:
    with pytest.raises(jinja2.exceptions.SecurityError):
        _environment().from_string("{{ ''.__class__.__mro__ }}").render()


def test_no_template_switches_escaping_off() -> None:
    for path in shipped("report_templates").rglob("*.html"):
        text = path.read_text(encoding="utf-8")
        assert not re.search(r"\|\s*safe\b|autoescape|Markup", text), path


def test_deviations_and_evidence_gaps_are_listed_apart(sample: Sample) -> None:
    html = render_html("gap_report", sample("gap_report"), title="A title")
    deviations, evidence = html.split('id="missing_evidence"')
    assert 'class="state bad">Control deviation' in deviations
    assert 'class="state bad">Control deviation' not in evidence.split('id="glossary"')[0]


def test_an_empty_report_says_so(sample: Sample) -> None:
    context = sample("evidence_pack")
    report = context["report"]
    report |= {"narratives": [], "deviations": [], "gaps": [], "collections": [], "samples": [], "software": {}}
    report["evaluation"] |= {"tests": [], "controls": [], "segments": {}, "population_sizes": {}}
    html = render_html("evidence_pack", context, title="A title")
    assert "No test is mapped to this framework." in html
    assert "Nothing was collected." in html


@pytest.mark.parametrize("word", ["compliant", "certified", "effective"])
def test_no_report_concludes(word: str, sample: Sample) -> None:
    for template in templates():
        assert word not in render_html(template, sample(template), title="A title").lower()


def test_an_unknown_template_is_not_found() -> None:
    with pytest.raises(NotFound, match="no report template"):
        render_html("../etc", {}, title="A title")


def test_the_preview_says_what_is_wrong(tmp_path: Any, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["gap_report", str(tmp_path / "out.html")]) == 0
    assert "Gap report" in (tmp_path / "out.html").read_text(encoding="utf-8")
    assert main(["gap_report", str(tmp_path / "out.txt")]) == 2
    assert main([]) == 2
    assert "usage" in capsys.readouterr().err
