# SPDX-License-Identifier: Apache-2.0

"""Render a report template as PDF/A-3a that is also PDF/UA-1: a context in, bytes out.

Equal inputs give equal bytes on equal versions of WeasyPrint, Pango, HarfBuzz and the fonts, whatever the machine's
clock, time zone, home, locale and installed fonts: the document is made in a process whose environment we choose.
Characters outside the shipped fonts (Latin, Greek, Cyrillic) are printed as code points, such as ``[U+5F35]``.
"""

import logging
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec

from app.errors import ProofroomError
from app.records.times import format_instant
from app.rendering.html import fill
from app.rendering.job import EmbeddedFile, RenderJob, RenderReply
from app.resources import shipped

Attachment = tuple[str, bytes, str]
"""A file to embed: name, content, AFRelationship (``Data``, ``Source``, ``Alternative``, ``Supplement``)."""

_TIMEOUT_SECONDS = 900
_PASSED_ON = ("PATH", "LD_LIBRARY_PATH", "DYLD_FALLBACK_LIBRARY_PATH", "SYSTEMROOT", "WEASYPRINT_DLL_DIRECTORIES")
"""What a process needs to find its libraries; nothing else of our environment goes to it, secrets least of all."""
_LOG = logging.getLogger(__name__)


def render_pdf(
    template: str,
    context: Mapping[str, Any],
    *,
    title: str,
    created: int,
    language: str = "en",
    attachments: Sequence[Attachment] = (),
) -> bytes:
    """Return a report as PDF.

    Args:
        template: a folder of ``report_templates/``, such as ``evidence_pack``.
        context: what the template is about; structs become the plain values that JSON would hold.
        title: of the document.
        created: epoch milliseconds; the creation time the document states of itself and its attachments.
        language: BCP 47 tag of the text.
        attachments: files to embed.

    Raises:
        NotFound: there is no such template.
        ProofroomError: the context lacks what the template needs, or the document could not be made.
    """
    stamp = format_instant(created - created % 1000)
    html = fill(template, context, title=title, language=language, medium="print", created=stamp)
    files = tuple(EmbeddedFile(name=name, content=data, relationship=kind) for name, data, kind in attachments)
    reply = render_document(html, created=created - created % 1000, attachments=files)
    for warning in reply.warnings:
        _LOG.warning("WeasyPrint on template %s: %s", template, warning)
    return reply.pdf


def render_document(html: str, *, created: int, attachments: tuple[EmbeddedFile, ...] = ()) -> RenderReply:
    """Return the PDF of an HTML document, with the warnings it gave rise to.

    Raises:
        ProofroomError: the document asks for something outside, takes too long, or the process failed.
    """
    fonts = shipped("report_templates") / "_shared" / "fonts"
    job = RenderJob(html=html, fonts=str(fonts), created=created, attachments=attachments)
    with tempfile.TemporaryDirectory(prefix="proofroom-render-") as home:
        done = _run(msgspec.msgpack.encode(job), _environment(fonts, Path(home), created))
    if done.returncode != 0:
        _LOG.error("the render process failed: %s", done.stderr.decode("utf-8", "replace")[-2000:])
        last = (done.stderr.decode("utf-8", "replace").strip().splitlines() or ["no message"])[-1]
        raise ProofroomError(f"the render process ended with status {done.returncode} ({last[:200]})")
    reply = msgspec.msgpack.decode(done.stdout, type=RenderReply)
    if reply.problem is not None:
        raise ProofroomError(f"the document was not rendered: {reply.problem}")
    return reply


def _run(job: bytes, environment: dict[str, str]) -> subprocess.CompletedProcess[bytes]:
    command = [sys.executable, "-P", "-s", "-W", "ignore", "-m", "app.rendering.worker"]
    try:
        return subprocess.run(  # noqa: S603  # our own interpreter and module; no shell, no argument from outside
            command, input=job, env=environment, capture_output=True, check=False, timeout=_TIMEOUT_SECONDS
        )
    except subprocess.TimeoutExpired:
        raise ProofroomError(f"the document was not rendered within {_TIMEOUT_SECONDS} seconds") from None


def _environment(fonts: Path, home: Path, created: int) -> dict[str, str]:
    chosen = {
        "FONTCONFIG_FILE": str(fonts / "fonts.conf"),
        "HOME": str(home),
        "LANG": "C.UTF-8",
        "PYTHONHASHSEED": "0",
        "PYTHONPATH": str(Path(__file__).parent.parent.parent),
        "PYTHONUTF8": "1",
        "SOURCE_DATE_EPOCH": str(created // 1000),
        "TMPDIR": str(home),
        "TZ": "UTC",
        "XDG_CACHE_HOME": str(home),
    }
    return chosen | {name: os.environ[name] for name in _PASSED_ON if name in os.environ}
