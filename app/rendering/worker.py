# SPDX-License-Identifier: Apache-2.0

"""The render process: one job on standard input, one PDF on standard output, then it ends.

A process of its own gives back all memory, keeps a hostile document away from the service, and has an environment that
does not depend on the machine: its own font configuration, no home, UTC. Started by ``app.rendering.pdf`` only.
"""

import gc
import logging
import mimetypes
import sys
from collections.abc import Set as AbstractSet
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
import weasyprint
from fontTools.ttLib import TTFont
from weasyprint.urls import FatalURLFetchingError

from app.rendering.conformance import identify, repair
from app.rendering.fetching import SHIPPED, ShippedFetcher
from app.rendering.job import RenderJob, RenderReply
from app.rendering.visible import spell

_COVERAGE = ("IBMPlexSans-Regular.woff2", "IBMPlexMono-Regular.woff2")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class _Complaints(logging.Handler):
    """Collects what WeasyPrint would print."""

    def __init__(self) -> None:
        super().__init__(level=logging.WARNING)
        self.messages: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.messages.append(record.getMessage())


def main() -> None:
    """Answer one job."""
    job = msgspec.msgpack.decode(sys.stdin.buffer.read(), type=RenderJob)
    # The machine's list of media types must not show in the document.
    mimetypes.init(files=())
    # Layout makes millions of objects and frees none: collecting takes half of the time (measured).
    gc.disable()
    sys.stdout.buffer.write(msgspec.msgpack.encode(render(job)))


def render(job: RenderJob) -> RenderReply:
    """Return the PDF of a job, or say why there is none."""
    complaints = _Complaints()
    logging.getLogger("weasyprint").handlers = [complaints]
    fonts = Path(job.fonts)
    moment = _EPOCH + timedelta(milliseconds=job.created)
    attachments = [
        weasyprint.Attachment(
            string=file.content, name=file.name, relationship=file.relationship, created=moment, modified=moment
        )
        for file in job.attachments
    ]
    html = weasyprint.HTML(
        string=within(job.html, coverage(fonts)), base_url=SHIPPED, url_fetcher=ShippedFetcher(fonts)
    )
    try:
        content = html.write_pdf(pdf_variant="pdf/a-3a", finisher=identify, attachments=attachments)
    except FatalURLFetchingError as error:
        return RenderReply(problem=str(error))
    return RenderReply(pdf=repair(content), warnings=tuple(complaints.messages))


def coverage(fonts: Path) -> frozenset[str]:
    """Return the characters that the shipped fonts can draw."""
    points: set[int] = {0x0A, 0x09}
    for name in _COVERAGE:
        with TTFont(fonts / name, lazy=True) as font:
            points.update(font.getBestCmap())
    return frozenset(map(chr, points))


def within(text: str, drawable: AbstractSet[str]) -> str:
    """Spell every character that no shipped font can draw as its code point.

    PDF/A forbids the box that fonts draw for a missing glyph (ISO 19005-3, 6.2.11.8), and two names that are both rows
    of boxes could not be told apart.
    """
    missing = set(text) - drawable
    return text.translate({ord(character): spell(character) for character in missing}) if missing else text


if __name__ == "__main__":
    main()
