# SPDX-License-Identifier: Apache-2.0

"""Render a report template with its sample, to look at it: ``python -m app.rendering.preview evidence_pack out.pdf``.

In:  the name of a template, a file to write (``.pdf`` or ``.html``), and optionally another JSON file as context.
"""

import sys
from pathlib import Path

import msgspec

from app.errors import ProofroomError, UsageError
from app.rendering.html import render_html
from app.rendering.pdf import render_pdf
from app.resources import shipped

SAMPLE_CREATED = 1_782_972_644_000
"""2026-07-02T06:10:44Z, the instant the samples are judged as of."""


def preview(template: str, target: Path, context: Path | None = None) -> None:
    """Write one report.

    Raises:
        UsageError: the target is neither PDF nor HTML.
        NotFound: there is no such template.
    """
    source = context or shipped("report_templates") / template / "sample.json"
    values = msgspec.json.decode(source.read_bytes())
    title = f"Preview of {template}"
    match target.suffix:
        case ".pdf":
            target.write_bytes(render_pdf(template, values, title=title, created=SAMPLE_CREATED))
        case ".html":
            target.write_text(render_html(template, values, title=title), encoding="utf-8")
        case _:
            raise UsageError("a preview is a .pdf or an .html file", where=str(target))


def main(arguments: list[str]) -> int:
    """Run from the command line; returns the exit status."""
    if len(arguments) not in (2, 3):
        print("usage: python -m app.rendering.preview TEMPLATE OUT.pdf|OUT.html [CONTEXT.json]", file=sys.stderr)  # noqa: T201
        return 2
    template, *files = arguments
    try:
        preview(template, *map(Path, files))
    except ProofroomError as error:
        print(error, file=sys.stderr)  # noqa: T201
        return error.exit_status
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
