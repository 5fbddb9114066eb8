# SPDX-License-Identifier: Apache-2.0

"""Turn a template and a context into a page. Everything is escaped; a missing value is an error, not a blank."""

from pathlib import Path
from typing import Any

from fastapi.responses import HTMLResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined

_ENVIRONMENT = Environment(
    loader=FileSystemLoader(Path(__file__).parent / "templates"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)


def render(template: str, context: dict[str, Any], status: int = 200) -> HTMLResponse:
    """Return the page; ``context`` must hold ``caller`` (or None) beside what the template reads."""
    text = _ENVIRONMENT.get_template(template).render({"organisation": "", **context})
    return HTMLResponse(text, status)
