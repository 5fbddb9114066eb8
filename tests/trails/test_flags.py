# SPDX-License-Identifier: Apache-2.0

"""Texts are remembered while there is room, and judged again when they were forgotten; the flags are the same."""

from collections.abc import Sequence

import pytest

from app.trails.flags import Flags
from app.trails.populations import FlagView


class Counting:
    """Flags every text that has the word rm, and counts how often it is asked."""

    def __init__(self) -> None:
        self.asked = 0

    def flags_of(self, texts: Sequence[str]) -> list[list[FlagView]]:
        """Return the flag of such texts."""
        self.asked += len(texts)
        return [[FlagView(rule="r", family="f", severity="low")] if "rm" in text else [] for text in texts]


def test_a_text_is_judged_once_while_it_is_remembered() -> None:
    rules = Counting()
    flags = Flags(rules)
    found = [flags.of(text) for text in ("rm a", "ls", None, "", "rm a", "ls")]
    assert [bool(each) for each in found] == [True, False, False, False, True, False]
    assert rules.asked == 2


def test_what_is_remembered_is_bounded_by_its_size(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.trails.flags._REMEMBERED", 1_000)
    rules = Counting()
    flags = Flags(rules)
    texts = [f"rm {'x' * 300} {number}" for number in range(50)]
    assert all(flags.of(text) == flags.of(text) for text in texts)
    assert rules.asked == 50
    assert sum(map(len, flags._known)) <= 1_000
    flags.of("x" * 5_000)
    flags.of("ls")
    assert list(flags._known) == ["ls"]
