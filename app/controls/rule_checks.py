# SPDX-License-Identifier: Apache-2.0

"""Check risk rules: each pattern is RE2 and small, and each sample of a rule does what the rule says it does.

In:  converted rules. Out: problems, each at the line of the pattern or sample. Pure.
"""

import re
from collections.abc import Iterator, Sequence
from itertools import accumulate
from typing import Final

from app.controls.convert import Placed
from app.controls.model import RiskRule
from app.controls.problems import Problem
from app.controls.rule_text import MAX_CHARS
from app.controls.rules import TRUNCATED, NotRe2, RuleSet, compile_pattern

MAX_RULES: Final = 500
MAX_PATTERNS: Final = 40
MAX_PATTERNS_IN_ALL: Final = 2000
"""Patterns of all rules: a pack of a stranger may hold any number, and each is looked for in each text."""
MAX_PATTERN_CHARS: Final = 500
MAX_PROGRAM: Final = 2000
"""Instructions of a compiled pattern: what RE2 does at most for each character of a text."""
LEAST_HITS: Final = 3
LEAST_MISSES: Final = 2
_MAX_SAMPLES: Final = 100
_HINTS: Final = (
    (re.compile(r"perl operator: \(\?(<?[=!]|P?=|>)"), "RE2 has no look-around; say the exception in 'unless'."),
    (re.compile(r"escape sequence: \\[1-9k]"), "RE2 has no back-references; write the alternatives out."),
    (re.compile(r"repetition size"), "Repeat at most 1000 times in all, nested repetitions multiplied."),
    (re.compile(r"repetition operator"), "A repetition cannot be repeated; group it, or drop one."),
    (re.compile(r"too large"), "Repeat fewer times, or use a smaller class of characters."),
)
_SYNTAX: Final = "Patterns are RE2; docs/risk-rules.md links its syntax."


def rule_problems(rules: Sequence[Placed[RiskRule]]) -> Iterator[Problem]:
    """Yield what is wrong with the rules, but for ids that two of them have."""
    if len(rules) > MAX_RULES:
        yield rules[MAX_RULES].problem((), f"there are more than {MAX_RULES} rules", "Join rules of one subject.")
        return
    patterns = accumulate(len(rule.item.select) + len(rule.item.unless) for rule in rules)
    for rule, count in zip(rules, patterns, strict=True):
        if count > MAX_PATTERNS_IN_ALL:
            hint = "Remove rules that nobody looks after, or join their patterns."
            yield rule.problem(
                ("select",), f"there are more than {MAX_PATTERNS_IN_ALL} patterns in all", hint, key=True
            )
            return
        problems = list(_rule(rule))
        yield from problems or _samples(rule)


def _rule(rule: Placed[RiskRule]) -> Iterator[Problem]:
    if rule.item.family == TRUNCATED.family:
        hint = "Choose another word before the dot; 'text' is for what the program itself flags."
        yield rule.problem(("id",), f"the family '{TRUNCATED.family}' is taken", hint)
    if not rule.item.select:
        yield rule.problem(("select",), "'select' must have at least one pattern", "Say what is risky.")
    for key, patterns in (("select", rule.item.select), ("unless", rule.item.unless)):
        if len(patterns) > MAX_PATTERNS:
            yield rule.problem((key,), f"there are more than {MAX_PATTERNS} patterns", "Make two rules of it.")
            continue
        for index, pattern in enumerate(patterns):
            if found := _pattern(pattern):
                yield rule.problem((key, index), *found)
    for key, samples, least in (("hits", rule.item.hits, LEAST_HITS), ("misses", rule.item.misses, LEAST_MISSES)):
        if not least <= len(samples) <= _MAX_SAMPLES:
            what = f"{rule.item.id} has {len(samples)} {key}"
            yield rule.problem((key,), what, f"Give at least {least}, and at most {_MAX_SAMPLES}.", key=True)


def _pattern(pattern: str) -> tuple[str, str] | None:
    """Return what is wrong with a pattern, and a hint."""
    if len(pattern) > MAX_PATTERN_CHARS:
        return f"the pattern has more than {MAX_PATTERN_CHARS} characters", "Make several patterns of it."
    try:
        compiled = compile_pattern(pattern)
    except NotRe2 as error:
        hint = next((hint for said, hint in _HINTS if said.search(str(error))), _SYNTAX)
        return f"RE2 does not take this pattern: {error}", hint
    if compiled.programsize > MAX_PROGRAM:
        what = f"the pattern compiles to {compiled.programsize} instructions, more than {MAX_PROGRAM}"
        return what, "Repeat fewer times, or use '*' and '+', which cost nothing."
    if compiled.search(b""):
        return "the pattern is found in every text, even an empty one", "Leave out what may be missing at its ends."
    return None


def _samples(rule: Placed[RiskRule]) -> Iterator[Problem]:
    alone = RuleSet([rule.item])
    for key, samples in (("hits", rule.item.hits), ("misses", rule.item.misses)):
        for index, sample in enumerate(samples):
            if len(sample) > MAX_CHARS:
                yield rule.problem((key, index), f"the sample has more than {MAX_CHARS} characters", "Shorten it.")
            elif bool(alone.flags(sample)) != (key == "hits"):
                yield rule.problem((key, index), *_mistaken(rule.item, key))


def _mistaken(rule: RiskRule, key: str) -> tuple[str, str]:
    if key == "hits":
        return f"{rule.id} does not flag this", "Widen 'select', narrow 'unless', or move the text to 'misses'."
    return f"{rule.id} flags this", "Narrow 'select', add an 'unless', or move the text to 'hits'."
