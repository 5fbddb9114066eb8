# SPDX-License-Identifier: Apache-2.0

"""Turn results into documents: HTML by Jinja2, PDF (PDF/A-3a, PDF/UA-1) by WeasyPrint in a process of its own.

A template sees plain values only, the same that the JSON report holds, so that a document cannot say more than it.
"""

from app.rendering.html import render_html
from app.rendering.pdf import Attachment, render_pdf

__all__ = ["Attachment", "render_html", "render_pdf"]
