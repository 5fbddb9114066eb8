# SPDX-License-Identifier: Apache-2.0

"""Any text, however long or hostile, is read in bounded work and gets the flags of each rule on its own."""

import resource
from functools import cache

import hypothesis.strategies as st
import pytest
from hypothesis import given, settings

from app.controls import rules as rules_module
from app.controls.loader import Controls
from app.controls.model import RiskRule
from app.controls.rule_text import MAX_CHARS, Readings, as_shell, plain
from app.controls.rules import RuleSet
from tests.controls.rules_alone import flagged, shipped_rules


@pytest.fixture(scope="module")
def controls() -> Controls:
    return shipped_rules()


HOSTILE = {
    "one letter": "a",
    "strokes": "/",
    "single quotes": "'",
    "double quotes": '"',
    "open comments": "/*",
    "closed comments": "/**/",
    "comment starts": "--",
    "semicolons": ";",
    "backslashes": "\\",
    "backticks": "`",
    "braces": "{a,",
    "field spaces": "$IFS${a}",
    "assignments": "a=$a$a$a;",
    "escapes": "\\x41",
    "SQL": "SELECT FROM ",
    "decoders": "base64 -d | ",
    "open brackets": "((((",
    "nothing seen": "\N{ZERO WIDTH SPACE}",
    "accents": "e\N{COMBINING ACUTE ACCENT}",
    "ligatures": "\N{ARABIC LIGATURE SALLALLAHOU ALAYHE WASALLAM}",
    "quoted": "a='b'; ",
    "catastrophic": "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa! ",
}


@pytest.mark.parametrize("piece", HOSTILE.values(), ids=HOSTILE.keys())
def test_a_megabyte_of_anything_is_read_in_bounded_work(controls: Controls, piece: str) -> None:
    """Twice as much text may take twice as much time; a reading that goes back would take four times as much."""
    text = (piece * (1 << 20))[: 1 << 20]
    spent = [used(controls, text[:size]) for size in (MAX_CHARS // 4, MAX_CHARS)]
    assert spent[1] <= 12 * spent[0] + 1.0, spent
    assert used(controls, text) <= 2 * spent[1] + 1.0
    assert "text.truncated" in flagged(controls, text)


def used(controls: Controls, text: str) -> float:
    before = resource.getrusage(resource.RUSAGE_SELF).ru_utime
    controls.rule_set.flags(text)
    return resource.getrusage(resource.RUSAGE_SELF).ru_utime - before


@pytest.mark.parametrize("piece", HOSTILE.values(), ids=HOSTILE.keys())
def test_readings_hold_little_more_than_the_text(piece: str) -> None:
    text = (piece * MAX_CHARS)[:MAX_CHARS]
    readings = Readings(text)
    assert len(readings.texts) <= 4
    assert sum(map(len, readings.texts)) <= 8 * MAX_CHARS
    assert sum(map(len, readings.commands())) <= 8 * MAX_CHARS
    assert sum(map(len, readings.statements())) <= 6 * MAX_CHARS


def test_head_and_tail_of_a_long_text_are_read_and_it_is_flagged_as_long(controls: Controls) -> None:
    filler = "x " * MAX_CHARS
    assert flagged(controls, f"setenforce 0; {filler}") == {"tampering.guard", "text.truncated"}
    assert flagged(controls, f"{filler}; setenforce 0") == {"tampering.guard", "text.truncated"}
    assert flagged(controls, f"{filler}; setenforce 0; {filler}") == {"text.truncated"}
    assert flagged(controls, "x" * MAX_CHARS) <= {"obfuscation.encoded_blob"}
    names = [flag.rule for flag in controls.rule_set.flags(f"setenforce 0; {filler}")]
    assert names == sorted(names)


def test_without_memory_rules_are_matched_one_by_one(controls: Controls, monkeypatch: pytest.MonkeyPatch) -> None:
    """RE2 answers 'nothing found' when it has no memory; the empty pattern tells the two apart."""
    text = "curl http://x.example | sh; setenforce 0"
    for memory in (1 << 10, 1 << 16, 1 << 20):
        monkeypatch.setattr(rules_module, "_PASS_MEMORY", memory)
        assert RuleSet(controls.rules.values()).flags(text) == controls.rule_set.flags(text), memory


RULES = [
    RiskRule(id="a.one", title="", severity="low", why="", select=(r"\bcurl\b.*\|\s*sh\b",), hits=(), misses=()),
    RiskRule(
        id="a.two",
        title="",
        severity="high",
        why="",
        each="statement",
        select=(r"\bDELETE\s+FROM\b",),
        unless=(r"\bWHERE\b",),
        hits=(),
        misses=(),
    ),
    RiskRule(
        id="a.three",
        title="",
        severity="high",
        why="",
        each="command",
        select=(r"\brm\s",),
        unless=(r"-i\b",),
        hits=(),
        misses=(),
    ),
]


@cache
def small() -> RuleSet:
    return RuleSet(RULES)


PIECES = [
    *HOSTILE.values(),
    "DELETE FROM t",
    "WHERE",
    "curl x",
    "|",
    "sh",
    "\n",
    "$(",
    ")",
    "rm -rf /",
    "\ud800",
    "\x00",
]


@given(st.text(max_size=300) | st.text(st.characters(exclude_categories=[]), max_size=300))
@settings(max_examples=300, deadline=None)
def test_any_text_gets_flags(text: str) -> None:
    assert list(small().flags(text)) == list(small().flags(text))


@given(st.lists(st.sampled_from(PIECES), max_size=30).map(" ".join))
@settings(max_examples=200, deadline=None)
def test_any_mixture_gets_the_flags_of_rules_that_are_matched_alone(text: str) -> None:
    alone = {flag for rule in RULES for flag in RuleSet([rule]).flags(text)}
    assert set(small().flags(text)) == alone


@given(st.text(max_size=200))
@settings(max_examples=200, deadline=None)
def test_the_text_as_written_is_always_read(text: str) -> None:
    assert Readings(text).texts[0] == text
    assert as_shell(plain(text)) in Readings(text).texts


def test_an_exception_holds_for_its_own_command_or_statement_only() -> None:
    flags = {text: {flag.rule for flag in small().flags(text)} for text in ("rm -i a; rm b", "rm -i a")}
    assert flags == {"rm -i a; rm b": {"a.three"}, "rm -i a": set()}
