# SPDX-License-Identifier: Apache-2.0

"""Keep spreadsheets from running text: one rule for every CSV file we write.

In:  text that a source wrote. Out: the same text, with an apostrophe in front where a spreadsheet might take it for a
formula (OWASP, CSV Injection): where it begins, after spaces, with ``= + - @``, one of their full-width forms, a tab or
a line break.
"""

import re

FORMULA = "^[ \u00a0]*[=+\\-@\t\r\n\uff1d\uff0b\uff0d\uff20]"
"""A pattern that Python's ``re`` and RE2 read alike."""

_FORMULA = re.compile(FORMULA)


def plain_cell(text: str) -> str:
    """Return text that no spreadsheet takes for a formula."""
    return f"'{text}" if _FORMULA.match(text) else text
