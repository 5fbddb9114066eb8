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

    def flags_of(self, texts: Sequence[str]) -> Sequence[Sequence[FlagView]]:
        """Return the rules that each text meets."""
        ...


class NoFlags:
    """Knows no rules."""

    def flags_of(self, texts: Sequence[str]) -> Sequence[Sequence[FlagView]]:
        """Return nothing for each."""
        return [()] * len(texts)


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
            [found] = self.of_each([text])
            if self._room < len(text):
                self._known.clear()
                self._room = _REMEMBERED
            self._known[text] = found
            self._room -= len(text) + _EACH
        return found

    def of_each(self, texts: Sequence[str]) -> list[list[FlagView]]:
        """Return the flags of each text, by rule; nothing is remembered. To ask for many at once is quicker."""
        return [sorted(found, key=lambda each: each.rule) or _NONE for found in self._flagger.flags_of(texts)]
