# SPDX-License-Identifier: Apache-2.0

"""Write a gap report as JSON, CSV, HTML or PDF.

In:  the gaps of an evaluation. Out: bytes, the same for the same report.
CSV cells can never be taken for formulas, whoever wrote the text (OWASP, "CSV injection").
"""

import csv
import io
from typing import Final, Literal, get_args

import msgspec

from app.errors import UsageError
from app.gaps.findings import period_text
from app.gaps.items import Evaluated, gaps_of
from app.gaps.model import Gap, GapReport
from app.records.spreadsheet import plain_cell
from app.records.times import format_instant
from app.rendering import render_html, render_pdf

Form = Literal["json", "csv", "html", "pdf"]
FORMAT: Final = "urn:proofroom:gap-report:v1"
TEMPLATE: Final = "gap_report"


def export(evaluated: Evaluated, form: str, organisation: str) -> bytes:
    """Return the gap report of an evaluated period.

    Raises:
        UsageError: there is no such form.
    """
    report = GapReport(organisation=organisation, evaluation=evaluated.evaluation, gaps=gaps_of(evaluated))
    return export_report(report, form)


def export_report(report: GapReport, form: str) -> bytes:
    """Return a gap report in one form.

    Raises:
        UsageError: there is no such form.
    """
    writers = {"json": to_json, "csv": to_csv, "html": to_html, "pdf": to_pdf}
    if form not in writers:
        raise UsageError(
            f"a gap report cannot be written as '{form[:20]}'",
            where="--format",
            hint=f"Use {', '.join(get_args(Form))}.",
        )
    return writers[form](report)


def to_json(report: GapReport) -> bytes:
    """Return the report as indented JSON: what it is about, then the gaps as they stand in ``gaps.json``."""
    evaluation = report.evaluation
    document = {
        "format": FORMAT,
        "organisation": report.organisation,
        "framework": evaluation.framework,
        "framework_title": evaluation.framework_title,
        "period": {"start": format_instant(evaluation.period.start), "end": format_instant(evaluation.period.end)},
        "as_of": format_instant(evaluation.as_of),
        "ledger_size": evaluation.ledger_size,
        "controls_sha256": evaluation.controls_sha256,
        "gaps": report.gaps,
    }
    return msgspec.json.format(msgspec.json.encode(document), indent=2) + b"\n"


def to_csv(report: GapReport) -> bytes:
    """Return one line per gap, every cell quoted; lists are joined by ``; ``."""
    output = io.StringIO()
    writer = csv.writer(output, quoting=csv.QUOTE_ALL, lineterminator="\r\n")
    writer.writerow(Gap.__struct_fields__)
    for gap in report.gaps:
        writer.writerow([plain_cell(_text(getattr(gap, name))) for name in Gap.__struct_fields__])
    return output.getvalue().encode()


def to_html(report: GapReport) -> bytes:
    """Return one HTML page that needs no other file and runs no script."""
    return render_html(TEMPLATE, {"report": report}, title=_title(report)).encode()


def to_pdf(report: GapReport) -> bytes:
    """Return a PDF (PDF/A-3a, PDF/UA-1) dated as of the evaluation, with the JSON report embedded."""
    return render_pdf(
        TEMPLATE,
        {"report": report},
        title=_title(report),
        created=report.evaluation.as_of,
        attachments=[("gap-report.json", to_json(report), "Data")],
    )


def _text(value: object) -> str:
    if isinstance(value, tuple):
        return "; ".join(value)
    return "" if value is None else str(value)


def _title(report: GapReport) -> str:
    return f"Gap report: {report.evaluation.framework_title}, {period_text(report.evaluation.period)}"
