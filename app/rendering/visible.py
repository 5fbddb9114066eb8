# SPDX-License-Identifier: Apache-2.0

"""Make text that others wrote fit to print: nothing hidden, nothing reordered, nothing endless.

In:  any text: names, commands, reasons, file names. The person under audit may have written it.
Out: text in which every character can be seen. Escaping for HTML is not done here.

A control or format character can make a reader see something else than what is there (Unicode TR 36, "bidirectional
text spoofing"), so each is spelled as its code point, such as ``[U+202E]``.
"""

import re
import unicodedata

_LINE = frozenset("\n\t")
_STACKED = 2
"""Combining marks on one letter that are printed as such; the scripts we have fonts for need no more."""


def spell(character: str) -> str:
    """Return a character as its code point: ``[U+202E]``."""
    return f"[U+{ord(character):04X}]"


def visible(text: str) -> str:
    """Spell out every character that cannot be seen, but for spaces, tabs and new lines.

    These are: control, format (bidirectional overrides, zero-width), private-use, unassigned and surrogate characters,
    line and paragraph separators, and the third and later combining marks on one letter.
    """
    if text.isascii() and text.isprintable():
        return text
    return "".join(_each(text))


def oneline(text: str) -> str:
    """Return text with tabs and new lines spelled out too, for values that belong on one line."""
    return visible(re.sub(r"[\n\t]", lambda found: spell(found[0]), text))


def clip(text: str, most: int = 400) -> str:
    """Cut a long text and say how long it was; the whole is in the JSON report."""
    if len(text) <= most:
        return text
    return f"{text[:most]}… [{len(text):,} characters in all]"


def short(text: str, most: int) -> str:
    """Cut a text to a length with an ellipsis, for places where only a hint of it is wanted."""
    return text if len(text) <= most else f"{text[: most - 1]}…"


def _each(text: str) -> list[str]:
    shown = []
    marks = 0
    for character in text:
        category = unicodedata.category(character)
        marks = marks + 1 if category[0] == "M" else 0
        is_plain = character.isprintable() or category == "Zs" or character in _LINE
        shown.append(character if is_plain and marks <= _STACKED else spell(character))
    return shown
