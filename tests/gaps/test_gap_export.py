# SPDX-License-Identifier: Apache-2.0

"""The gap report in its four forms."""

import csv
import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pikepdf
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from app.errors import UsageError
from app.evaluation.model import Evaluation, ItemOutcome
from app.gaps.derive import derive_gaps
from app.gaps.export import export, export_report
from app.gaps.items import gaps_of
from app.gaps.model import Gap, GapReport
from app.records.spreadsheet import plain_cell
from app.trails.populations import SourceRow
from app.trails.segments import freeze

COUNTS = {"APR-01": {"pass": 1, "fail": 2, "waived": 1, "no_evidence": 150}}


@pytest.fixture
def report(evaluated: Callable[..., Evaluation], controls: Any) -> GapReport:
    evaluation = evaluated(COUNTS)
    gaps = derive_gaps(evaluation, controls, (), ())
    return GapReport(organisation='=HYPERLINK("http://x")', evaluation=evaluation, gaps=gaps)


def test_json_holds_the_gaps_as_they_are(report: GapReport) -> None:
    document = msgspec.json.decode(export_report(report, "json"))
    assert document["framework"] == "small"
    assert document["period"] == {"start": "2026-04-01T00:00:00Z", "end": "2026-07-01T00:00:00Z"}
    assert msgspec.convert(document["gaps"], tuple[Gap, ...]) == report.gaps


def test_csv_has_a_line_a_gap(report: GapReport) -> None:
    lines = list(csv.DictReader(io.StringIO(export_report(report, "csv").decode(), newline="")))
    assert [line["id"] for line in lines] == [gap.id for gap in report.gaps]
    assert lines[0]["control_ids"] == "CC6.1; CC6.2"
    assert lines[-1]["test_id"] == ""


@pytest.mark.parametrize(
    ("text", "cell"),
    [
        ("plain", "plain"),
        ("a=1", "a=1"),
        ("=1+1", "'=1+1"),
        ("+1", "'+1"),
        ("-1", "'-1"),
        ("@SUM(A1)", "'@SUM(A1)"),
        ("\t=1", "'\t=1"),
        ("\r=1", "'\r=1"),
        ("\n=1", "'\n=1"),
        ("  =1", "'  =1"),
        ("\uff1d1", "'\uff1d1"),
        ("", ""),
    ],
)
def test_no_cell_is_a_formula(text: str, cell: str) -> None:
    assert plain_cell(text) == cell


def test_hostile_words_are_no_formula_in_the_file(report: GapReport) -> None:
    gap = msgspec.structs.replace(report.gaps[0], cause='=cmd|"/c calc"!A1', items=("-2+3",))
    text = export_report(msgspec.structs.replace(report, gaps=(gap,)), "csv").decode()
    assert '"\'=cmd|""/c calc""!A1"' in text
    assert '"\'-2+3"' in text


def test_html_and_pdf_say_the_same_gaps(report: GapReport) -> None:
    html = export_report(report, "html").decode()
    assert all(gap.id in html for gap in report.gaps)
    pdf = export_report(report, "pdf")
    assert pdf == export_report(report, "pdf")
    with pikepdf.open(io.BytesIO(pdf)) as opened:
        assert str(opened.docinfo.Title) == "Gap report: Small framework, 2026-04-01 to 2026-06-30 (UTC)"
        assert opened.attachments["gap-report.json"].get_file().read_bytes() == export_report(report, "json")


def test_another_form_is_refused(report: GapReport) -> None:
    with pytest.raises(UsageError, match="docx"):
        export_report(report, "docx")


class _EvaluatedPeriod(msgspec.Struct, frozen=True, kw_only=True):
    evaluation: Evaluation
    controls: Any
    segments: Path
    results: Path


def test_the_items_of_an_evaluated_period_are_found(
    tmp_path: Path, evaluated: Callable[..., Evaluation], controls: Any, source_row: Callable[..., SourceRow]
) -> None:
    freeze({"source": [source_row("idp", rejected=1)]}, tmp_path / "populations")
    outcomes = [ItemOutcome.PASS, ItemOutcome.FAIL, ItemOutcome.WAIVED, ItemOutcome.FAIL]
    outcomes += [ItemOutcome.NO_EVIDENCE] * 150
    columns = {
        "item_id": [f"s/grant/{number:03d}" for number in range(len(outcomes))],
        "APR-01": pa.array([int(outcome) for outcome in outcomes], pa.int16()),
    }
    (tmp_path / "results").mkdir()
    pq.write_table(pa.table(columns), tmp_path / "results" / "grant.parquet")
    period = _EvaluatedPeriod(
        evaluation=evaluated(COUNTS), controls=controls, segments=tmp_path / "populations", results=tmp_path / "results"
    )
    deviation, missing, source, _untested = gaps_of(period)
    assert deviation.items == ("s/grant/001", "s/grant/002", "s/grant/003")
    assert missing.items == tuple(f"s/grant/{number:03d}" for number in range(4, 104))
    assert missing.item_count == 150
    assert source.title == "Incomplete collection: idp"
    assert b"GAP-" in export(period, "csv", "Example")
