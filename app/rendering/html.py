# SPDX-License-Identifier: Apache-2.0

"""Fill a report template: a context in, one HTML document out.

The context is reduced to plain values first (dicts, lists, texts, numbers), the templates run in Jinja2's sandbox,
everything printed is escaped and made visible, and a name or value that is missing is an error, never an empty place.
"""

from collections.abc import Mapping
from typing import Any, Literal

import msgspec
from jinja2 import FileSystemLoader, StrictUndefined, Undefined, UndefinedError
from jinja2.sandbox import ImmutableSandboxedEnvironment
from markupsafe import Markup

from app.errors import NotFound, ProofroomError
from app.rendering.filters import FILTERS
from app.rendering.sparkline import METRIC_FILTERS
from app.rendering.visible import visible
from app.rendering.words import EVIDENCE_GAPS, WORDS
from app.resources import shipped

Medium = Literal["screen", "print"]


def render_html(template: str, context: Mapping[str, Any], *, title: str, language: str = "en") -> str:
    """Return a whole HTML document that needs no other file.

    Args:
        template: a folder of ``report_templates/``, such as ``gap_report``.
        context: what the template is about; structs become the plain values that JSON would hold.
        title: of the document.
        language: BCP 47 tag of the text.

    Raises:
        NotFound: there is no such template.
        ProofroomError: the context lacks what the template needs.
    """
    return fill(template, context, title=title, language=language, medium="screen")


def fill(
    template: str, context: Mapping[str, Any], *, title: str, language: str, medium: Medium, created: str | None = None
) -> str:
    """Return the HTML of a document for one medium; ``created`` (W3C date) goes into its metadata."""
    environment = _environment()
    values = msgspec.to_builtins(dict(context), str_keys=True)
    values |= {"title": title, "language": language, "medium": medium, "created": created}
    if template not in templates():
        raise NotFound(
            f"there is no report template '{visible(template[:60])}'", hint=f"Known: {', '.join(templates())}."
        )
    try:
        return environment.get_template(f"{template}/report.html").render(values)
    except (UndefinedError, TypeError) as error:
        raise ProofroomError(f"the report template '{template}' lacks something it prints: {error}") from error


def templates() -> list[str]:
    """Return the names of the shipped report templates."""
    folder = shipped("report_templates")
    return sorted(path.parent.name for path in folder.glob("[!_]*/report.html"))


def _environment() -> ImmutableSandboxedEnvironment:
    environment = ImmutableSandboxedEnvironment(
        loader=FileSystemLoader(shipped("report_templates")),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_finalize,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update({**FILTERS, **METRIC_FILTERS})
    environment.globals.update(words=WORDS, evidence_gaps=EVIDENCE_GAPS)
    return environment


def _finalize(value: object) -> object:
    """Let nothing be printed that a reader cannot see; what is missing must be asked for, not printed as ``None``."""
    if value is None:
        raise ProofroomError("a report template prints a value that is missing")
    if isinstance(value, Markup | Undefined):
        return value
    return visible(value) if isinstance(value, str) else value
