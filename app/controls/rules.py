# SPDX-License-Identifier: Apache-2.0

"""Match a text on all risk rules at once.

In:  checked rules, and texts written by the person under audit. Out: the flags of a text, always the same for the same
text and rules. Many texts are looked at together first, because nearly none meets a rule. RE2 reads a text once from
left to right whatever it holds and whatever a rule says, so nobody can make the matching slow; a pattern that would
need more than that is no RE2 and does not load.
It must never leave out a rule: where RE2 cannot match all rules in its memory, they are matched one by one.

docs/risk-rules.md is the page for people.
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property
from typing import Final, get_args

import re2

from app.controls.model import Each, RiskRule
from app.controls.rule_text import Readings
from app.trails.populations import FlagView

FLAGS: Final = "(?is)"
"""Case does not matter, and a dot is any character."""
_LINES: Final = "(?ism)"
EACH: Final[tuple[Each, ...]] = get_args(Each)
TRUNCATED: Final = FlagView(rule="text.truncated", family="text", severity="high")
"""The flag of a text that is too long to be read whole."""
PATTERN_MEMORY: Final = 1 << 20
"""Bytes that RE2 may use for one pattern."""
_PASS_MEMORY: Final = 1 << 24
_A_PASS: Final = 32
_TOGETHER: Final = 64
_MOST_TOGETHER: Final = 1 << 18
"""Texts, and bytes of them, that are looked at together."""
_A_FEW: Final = 8
"""Texts that are looked at together when something may be found among many."""
_ALONE = re.compile(r"\\[Az]|\(\?\w*-\w*m")
"""What can be found in a text and not in the same text as a line among others."""


class NotRe2(Exception):
    """A pattern that RE2 refuses; the message is RE2's own."""


def compile_pattern(pattern: str) -> re2._Regexp:
    """Return one compiled pattern.

    Raises:
        NotRe2: RE2 does not take it, or not within ``PATTERN_MEMORY``.
    """
    try:
        return re2.compile(FLAGS + pattern, _options(PATTERN_MEMORY))
    except re2.error as error:
        said = error.args[0] if error.args else ""
        raise NotRe2(said.decode("utf-8", "replace") if isinstance(said, bytes) else str(said)) from None


class RuleSet:
    """All rules, ready to match. It holds no state between texts.

    Args:
        rules: checked rules; their order does not matter.
    """

    def __init__(self, rules: Iterable[RiskRule]) -> None:
        self._rules = sorted(rules, key=lambda rule: rule.id)
        self._matchers: dict[Each, _Matcher] = {
            each: _Matcher([rule for rule in self._rules if rule.each == each]) for each in EACH
        }

    def flags(self, text: str) -> tuple[FlagView, ...]:
        """Return the flags of a text, in order of rule id; never raises, whatever the text is."""
        return self.flags_of([text])[0]

    def flags_of(self, texts: Sequence[str]) -> list[tuple[FlagView, ...]]:
        """Return the flags of each text, which are those that it would get alone; many at once cost far less."""
        flags: list[tuple[FlagView, ...]] = []
        for start in range(0, len(texts), _TOGETHER):
            readings = [Readings(text) for text in texts[start : start + _TOGETHER]]
            found = self._rules_of(readings)
            flags += [self._flags(found[place], one) for place, one in enumerate(readings)]
        return flags

    def _rules_of(self, readings: Sequence[Readings]) -> dict[int, set[str]]:
        """Return the ids of the rules that are met, by the place of the text that meets them."""
        found: dict[int, set[str]] = defaultdict(set)
        for each, matcher in self._matchers.items():
            if matcher:
                for place, rules in matcher.rules_of([one.of(each) for one in readings]):
                    found[place] |= rules
        return found

    def _flags(self, found: set[str], readings: Readings) -> tuple[FlagView, ...]:
        flags = [_flag(rule) for rule in self._rules if rule.id in found] if found else []
        flags += [TRUNCATED] if readings.truncated else []
        return tuple(sorted(flags, key=lambda flag: flag.rule))


class _Matcher:
    """Rules that are matched on the same readings."""

    def __init__(self, rules: Sequence[RiskRule]) -> None:
        self._select = _Patterns([(rule.id, pattern) for rule in rules for pattern in rule.select])
        self._unless = _Patterns([(rule.id, pattern) for rule in rules for pattern in rule.unless])
        self._excusable = frozenset(rule.id for rule in rules if rule.unless)

    def __bool__(self) -> bool:
        return bool(self._select)

    def rules_of(self, texts: Sequence[Sequence[str]]) -> Iterator[tuple[int, set[str]]]:
        """Yield the ids of the rules that one of a text's readings meets, with the place of the text."""
        encoded = [[reading.encode("utf-8", "replace") for reading in readings] for readings in texts]
        for place, passes in self._select.possible([b"\n".join(readings) for readings in encoded]).items():
            found: set[str] = set()
            for reading in encoded[place]:
                met = {owner for each in passes for owner in each.owners(reading)}
                found |= met - self._unless.owners(reading) if met & self._excusable else met
            yield place, found


class _Patterns:
    """Patterns that are looked for together, each with its owner.

    A few dozen share a pass: more of them meet in more ways, and each way is a state that RE2 has to build.
    """

    def __init__(self, owned: Sequence[tuple[str, str]]) -> None:
        self._passes = [_Pass(owned[first : first + _A_PASS]) for first in range(0, len(owned), _A_PASS)]

    def __bool__(self) -> bool:
        return bool(self._passes)

    def owners(self, data: bytes) -> set[str]:
        """Return the owners of the patterns that are found in a text."""
        return {owner for each in self._passes for owner in each.owners(data)}

    def possible(self, texts: Sequence[bytes]) -> "dict[int, list[_Pass]]":
        """Return the passes that may find something in some lines of a text, by the place of the text."""
        found: dict[int, list[_Pass]] = defaultdict(list)
        for each in self._passes:
            for place in each.possible(texts):
                found[place].append(each)
        return found


class _Pass:
    """Patterns that are looked for in one pass over a text."""

    def __init__(self, owned: Sequence[tuple[str, str]]) -> None:
        self._owned = owned
        self._set = _search_set(FLAGS, owned)
        # What is found in a text is found in it as a line of many, too, if ``^`` and ``$`` are the ends of lines.
        self._loose = None if any(_ALONE.search(pattern) for _, pattern in owned) else _search_set(_LINES, owned)

    @cached_property
    def _each(self) -> list[tuple[str, re2._Regexp]]:
        return [(owner, compile_pattern(pattern)) for owner, pattern in self._owned]

    def owners(self, data: bytes) -> set[str]:
        found = self._set.Match(data) if self._set else None
        if not found:
            return {owner for owner, pattern in self._each if pattern.search(data)}
        return {self._owned[number - 1][0] for number in found if number}

    def possible(self, texts: Sequence[bytes]) -> list[int]:
        """Return the places of texts in whose lines something may be found; all others hold nothing."""
        if not self._may_be_in(texts):
            return []
        return [
            place
            for first in range(0, len(texts), _A_FEW)
            if self._may_be_in(texts[first : first + _A_FEW])
            for place in range(first, min(first + _A_FEW, len(texts)))
        ]

    def _may_be_in(self, texts: Sequence[bytes]) -> bool:
        if self._loose is None or sum(map(len, texts)) > _MOST_TOGETHER:
            return bool(texts)
        found = self._loose.Match(b"\n%b\n" % b"\n".join(texts))
        return not found or len(found) > 1


def _search_set(flags: str, owned: Sequence[tuple[str, str]]) -> "re2.Set | None":
    """Return the patterns as a set; None if RE2 has not the memory."""
    patterns = re2.Set.SearchSet(_options(_PASS_MEMORY))
    # The empty pattern is in every text. A set that does not find it has run out of memory and says nothing.
    patterns.Add("")
    for _, pattern in owned:
        patterns.Add(flags + pattern)
    try:
        patterns.Compile()
    except re2.error:
        return None
    return patterns


def _flag(rule: RiskRule) -> FlagView:
    return FlagView(rule=rule.id, family=rule.family, severity=rule.severity)


def _options(memory: int) -> re2.Options:
    options = re2.Options()
    options.max_mem = memory
    options.never_capture = True
    options.log_errors = False
    return options
