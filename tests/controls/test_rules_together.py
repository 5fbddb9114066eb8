# SPDX-License-Identifier: Apache-2.0

"""Texts that are looked at together get the flags that they get alone, rule by rule and pattern by pattern."""

import re

import hypothesis.strategies as st
import pytest
from hypothesis import given, settings

from app.controls import rule_text
from app.controls import rules as rules_module
from app.controls.model import Each, RiskRule
from app.controls.rule_text import _AS_IT_IS, Readings, as_shell
from app.controls.rules import EACH, RuleSet, compile_pattern
from tests.controls.rules_alone import shipped_rules

EDGES = [
    *(r"^a", r"a$", r"\Aa", r"a\z", r"^a$", r"\ba\b", r"\Ba", r"a\B", r"a\s+b", r"(^|[;\n])a", r"(?-m:^)a", r"(?m)^a$"),
    *(r"(?i-sm:^a$)", r"a.b", r"[^b]b", r"a[^;]*b", r"\x0aa", r"(?:^b|c$)", r"a|^b", r"a|b$"),
]
TEXTS = [
    "a",
    "b",
    "ab",
    "a b",
    "ba",
    "b\na",
    "a\nb",
    "c",
    " a",
    "a ",
    "aa",
    "",
    ";",
    "b;a",
    "a;b",
    "c\n",
    "\n",
    "x a",
    "-a-",
]


def rule_of(name: str, each: Each, select: str, *unless: str) -> RiskRule:
    return RiskRule(
        id=f"a.{name}",
        title="",
        severity="low",
        why="",
        each=each,
        select=(select,),
        unless=unless,
        hits=(),
        misses=(),
    )


def edges(*patterns: str) -> list[RiskRule]:
    return [
        rule_of(f"{each}_{place}{kind}", each, pattern, *unless)
        for each in EACH
        for place, pattern in enumerate(patterns)
        for kind, unless in (("", ()), ("u", ("b",)), ("v", (r"a\z",)))
    ]


def flagged_one_by_one(rules: list[RiskRule], text: str) -> list[str]:
    """Say it as docs/risk-rules.md does: one pattern, one reading at a time."""
    readings = Readings(text)
    found = set()
    for rule in rules:
        for reading in readings.of(rule.each):
            data = reading.encode("utf-8", "replace")
            if any(compile_pattern(pattern).search(data) for pattern in rule.select) and not any(
                compile_pattern(pattern).search(data) for pattern in rule.unless
            ):
                found.add(rule.id)
    return sorted(found | ({"text.truncated"} if readings.truncated else set()))


def flagged_together(rules: list[RiskRule], texts: list[str]) -> list[list[str]]:
    return [[flag.rule for flag in flags] for flags in RuleSet(rules).flags_of(texts)]


@pytest.mark.parametrize("patterns", [[pattern] for pattern in EDGES] + [EDGES])
def test_edges_of_a_text_are_its_own(patterns: list[str]) -> None:
    rules = edges(*patterns)
    expected = [flagged_one_by_one(rules, text) for text in TEXTS]
    assert any(expected)
    assert flagged_together(rules, TEXTS) == expected
    assert flagged_together(rules, TEXTS * 5) == expected * 5


@given(st.lists(st.text("ab; \n'\\c", max_size=6), max_size=130))
@settings(max_examples=100, deadline=None)
def test_any_texts_together_get_the_flags_of_each(texts: list[str]) -> None:
    rules = edges(*EDGES)
    known = {text: flagged_one_by_one(rules, text) for text in set(texts)}
    assert flagged_together(rules, texts) == [known[text] for text in texts]


def test_shipped_rules_flag_their_samples_together_as_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    rules = list(shipped_rules().rules.values())
    samples = [sample for rule in rules for sample in (*rule.hits, *rule.misses)]
    together = flagged_together(rules, samples)
    assert together == [flagged_one_by_one(rules, sample) for sample in samples]
    for name, least in (("_TOGETHER", 1), ("_MOST_TOGETHER", 30), ("_PASS_MEMORY", 1 << 16)):
        with monkeypatch.context() as changed:
            changed.setattr(rules_module, name, least)
            assert flagged_together(rules, samples) == together, name


@given(st.text(st.sampled_from("ab /.,=-|&;\t\n\r\x00\x1f\x7f\x85\xa0\u2003\\`^${}'\""), max_size=12))
@settings(max_examples=1_000)
def test_a_shell_takes_plain_words_as_they_are(text: str) -> None:
    """What is left alone is what every replacement would leave alone."""
    if _AS_IT_IS.fullmatch(text):
        # A quoted empty text is removed, and with it nothing else; but now all replacements are made.
        assert as_shell(f"{text} ''x") == f"{text} x"


@given(st.text(st.sampled_from("ab /*.,=-|&;:\n\x7f\x80\xa0\u2003\u0430`${'\""), max_size=10))
@settings(max_examples=1_000)
def test_one_command_is_read_as_it_is_because_every_reading_would_be(text: str) -> None:
    quick = [Readings(text).of(each) for each in EACH]
    with pytest.MonkeyPatch.context() as changed:
        changed.setattr(rule_text, "_ONE", re.compile("(?!)"))
        assert [Readings(text).of(each) for each in EACH] == quick
