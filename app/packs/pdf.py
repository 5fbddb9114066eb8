# SPDX-License-Identifier: Apache-2.0

"""Render the report of a pack: the PDF that prints, and carries, the list of what it is about."""

import hashlib

import msgspec

from app.packs import layout
from app.packs.model import ReportData
from app.rendering import render_pdf
from app.signing.canonical import canonical_json

TEMPLATE = "evidence_pack"


def render_report(report: ReportData, content_manifest: bytes) -> bytes:
    """Return the unsigned PDF; the same for the same report, content manifest and software."""
    evaluation = report.evaluation
    first, last = evaluation.period.days
    return render_pdf(
        TEMPLATE,
        {"report": report, "content_manifest_sha256": hashlib.sha256(content_manifest).hexdigest()},
        title=f"Evidence pack: {evaluation.framework_title}, {first} to {last}",
        created=evaluation.as_of,
        attachments=[
            (layout.CONTENT_MANIFEST, content_manifest, "Data"),
            (layout.REPORT_JSON, canonical_json(msgspec.to_builtins(report)), "Source"),
        ],
    )
