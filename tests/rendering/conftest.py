# SPDX-License-Identifier: Apache-2.0

"""Samples of the reports, and one PDF of each, rendered once."""

from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from app.rendering.html import fill
from app.rendering.job import EmbeddedFile, RenderReply
from app.rendering.pdf import render_document
from app.resources import shipped

CREATED = 1_782_972_644_000
"""2026-07-02T06:10:44Z."""


def sample_context(template: str) -> dict[str, Any]:
    """Return a fresh copy of a template's sample."""
    path = shipped("report_templates") / template / "sample.json"
    context: dict[str, Any] = msgspec.json.decode(path.read_bytes())
    return context


@pytest.fixture(scope="session")
def sample() -> Callable[[str], dict[str, Any]]:
    """Return what gives a fresh copy of a template's sample."""
    return sample_context


@pytest.fixture(scope="session")
def rendered() -> dict[str, RenderReply]:
    """Return the reply of the render process for each template's sample, with one attachment."""
    replies = {}
    manifest = EmbeddedFile(name="content-manifest.json", content=b'{"files":[]}', relationship="Data")
    for template in ("evidence_pack", "gap_report"):
        html = fill(
            template,
            sample_context(template),
            title=f"Sample of {template}",
            language="en",
            medium="print",
            created="2026-07-02T06:10:44Z",
        )
        replies[template] = render_document(html, created=CREATED, attachments=(manifest,))
    return replies
