# SPDX-License-Identifier: Apache-2.0

"""Which risk rules a command's text meets: asked of whoever knows the rules, once per text.

In:  redacted text of commands and queries. Out: flags, in the order of their rules.
The rules belong to the controls and are passed in; without them nothing is flagged.
"""

from collections.abc import Sequence
from typing import Protocol

from app.trails.populations import FlagView

_REMEMBERED, _EACH = 16_777_216, 256
"""Characters that are remembered, and those that a text counts besides its own."""
_NONE: list[FlagView] = []


class Flagger(Protocol):
    """Judges a text. Equal texts must get equal flags, whenever and wherever they are asked for."""

    def flags(self, text: str) -> Sequence[FlagView]:
        """Return the rules that a text meets."""
        ...


class NoFlags:
    """Knows no rules."""

    def flags(self, text: str) -> Sequence[FlagView]:
        """Return nothing."""
        del text
        return ()


class Flags:
    """The flags of texts; the last ones are remembered, in bounded memory: people type the same commands all day."""

    def __init__(self, flagger: Flagger) -> None:
        self._flagger = flagger
        self._known: dict[str, list[FlagView]] = {}
        self._room = _REMEMBERED

    def of(self, text: str | None) -> list[FlagView]:
        """Return the flags of a text, by rule. The list is shared: it must not be changed."""
        if not text:
            return _NONE
        found = self._known.get(text)
        if found is None:
            found = sorted(self._flagger.flags(text), key=lambda each: each.rule) or _NONE
            if self._room < len(text):
                self._known.clear()
                self._room = _REMEMBERED
            self._known[text] = found
            self._room -= len(text) + _EACH
        return found
