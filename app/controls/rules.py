# SPDX-License-Identifier: Apache-2.0

"""Match a text on all risk rules at once.

In:  checked rules, and texts written by the person under audit. Out: the flags of a text, always the same for the same
text and rules. RE2 reads a text once from left to right whatever it holds and whatever a rule says, so nobody can make
the matching slow; a pattern that would need more than that is no RE2 and does not load.
It must never leave out a rule: where RE2 cannot match all rules in its memory, they are matched one by one.

docs/risk-rules.md is the page for people.
"""

from collections.abc import Iterable, Sequence
from functools import cached_property
from typing import Final, get_args

import re2

from app.controls.model import Each, RiskRule
from app.controls.rule_text import Readings
from app.trails.populations import FlagView

FLAGS: Final = "(?is)"
"""Case does not matter, and a dot is any character."""
EACH: Final[tuple[Each, ...]] = get_args(Each)
TRUNCATED: Final = FlagView(rule="text.truncated", family="text", severity="high")
"""The flag of a text that is too long to be read whole."""
PATTERN_MEMORY: Final = 1 << 20
"""Bytes that RE2 may use for one pattern."""
_PASS_MEMORY: Final = 1 << 24
_A_PASS: Final = 32


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
        readings = Readings(text)
        found = {
            rule for each, matcher in self._matchers.items() if matcher for rule in matcher.rules_of(readings.of(each))
        }
        flags = [_flag(rule) for rule in self._rules if rule.id in found]
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

    def rules_of(self, readings: Iterable[str]) -> set[str]:
        """Return the ids of the rules that one of the readings meets."""
        found: set[str] = set()
        for reading in readings:
            data = reading.encode("utf-8", "replace")
            met = self._select.owners(data)
            found |= met - self._unless.owners(data) if met & self._excusable else met
        return found


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


class _Pass:
    """Patterns that are looked for in one pass over a text."""

    def __init__(self, owned: Sequence[tuple[str, str]]) -> None:
        self._owned = owned
        self._set = re2.Set.SearchSet(_options(_PASS_MEMORY))
        # The empty pattern is in every text. A pass that does not find it has run out of memory and says nothing.
        self._set.Add("")
        for _, pattern in owned:
            self._set.Add(FLAGS + pattern)
        try:
            self._set.Compile()
            self._compiled = True
        except re2.error:
            self._compiled = False

    @cached_property
    def _each(self) -> list[tuple[str, re2._Regexp]]:
        return [(owner, compile_pattern(pattern)) for owner, pattern in self._owned]

    def owners(self, data: bytes) -> set[str]:
        found = self._set.Match(data) if self._compiled else None
        if not found:
            return {owner for owner, pattern in self._each if pattern.search(data)}
        return {self._owned[number - 1][0] for number in found if number}


def _flag(rule: RiskRule) -> FlagView:
    return FlagView(rule=rule.id, family=rule.family, severity=rule.severity)


def _options(memory: int) -> re2.Options:
    options = re2.Options()
    options.max_mem = memory
    options.never_capture = True
    options.log_errors = False
    return options
