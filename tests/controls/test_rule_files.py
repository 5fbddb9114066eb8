# SPDX-License-Identifier: Apache-2.0

"""Files of risk rules: what loads, and what is refused where."""

import pytest

from app.controls.loader import load_bytes
from app.errors import ControlsInvalid
from tests.controls.rules_alone import flagged

FILE = """\
kind: RiskRules
title: Small
rules:
  - id: small.rule
    title: A file is removed
    severity: low
    why: It is gone.
    select:
      - '\\brm\\s'
    unless:
      - '--help'
    hits:
      - rm a
      - rm b
      - sudo rm c
    misses:
      - ls
      - rm --help
"""


def problems(text: str, **more: str) -> list[str]:
    files = {"rules/small.yaml": text, **{f"rules/{name}.yaml": data for name, data in more.items()}}
    with pytest.raises(ControlsInvalid) as caught:
        load_bytes({name: data.encode() for name, data in files.items()})
    return caught.value.problems


def test_a_file_of_rules_loads() -> None:
    controls = load_bytes({"rules/small.yaml": FILE.encode()})
    assert list(controls.rules) == ["small.rule"]
    assert controls.rules["small.rule"].family == "small"
    assert flagged(controls, "rm x") == {"small.rule"}


MISTAKES = [
    ("look-ahead", ("'\\brm\\s'", "'rm(?=x)'"), "9:9", "RE2 does not take", "no look-around"),
    ("look-behind", ("'\\brm\\s'", "'(?<!x)rm'"), "9:9", "RE2 does not take", "no look-around"),
    ("negative look-ahead", ("'--help'", "'(?!x)'"), "11:9", "RE2 does not take", "no look-around"),
    ("a back-reference", ("'\\brm\\s'", "'(r)\\1m'"), "9:9", "RE2 does not take", "no back-references"),
    ("a named back-reference", ("'\\brm\\s'", "'(?P<a>r)(?P=a)'"), "9:9", "RE2 does not take", "RE2"),
    ("an atomic group", ("'\\brm\\s'", "'(?>rm)'"), "9:9", "RE2 does not take", "look-around"),
    ("a possessive repetition", ("'\\brm\\s'", "'rm++'"), "9:9", "RE2 does not take", "cannot be repeated"),
    ("a bracket", ("'\\brm\\s'", "'[rm'"), "9:9", "RE2 does not take", "docs/risk-rules.md"),
    ("nested repetitions", ("'\\brm\\s'", "'(x{1000}){1000}'"), "9:9", "RE2 does not take", "1000"),
    ("many repetitions", ("'\\brm\\s'", "'x{1001}'"), "9:9", "RE2 does not take", "1000"),
    ("a large class repeated", ("'\\brm\\s'", "'\\pL{200}'"), "9:9", "too large", "fewer times"),
    ("a large program", ("'\\brm\\s'", "'rm.{0,900}x'"), "9:9", "instructions", "cost nothing"),
    ("found in everything", ("'\\brm\\s'", "'(rm)?'"), "9:9", "every text", "may be missing"),
    ("too long", ("'\\brm\\s'", f"'{'r' * 501}'"), "9:9", "500 characters", "several patterns"),
    ("a hit that is none", ("rm b", "ls b"), "14:9", "small.rule does not flag this", "Widen 'select'"),
    ("a hit that is excused", ("rm b", "rm b --help"), "14:9", "does not flag", "narrow 'unless'"),
    ("a miss that is flagged", ("- ls\n", "- rm x\n"), "17:9", "small.rule flags this", "Narrow 'select'"),
    ("too few hits", ("      - rm b\n", ""), "12:5", "2 hits", "at least 3"),
    ("too few misses", ("      - ls\n", ""), "16:5", "1 misses", "at least 2"),
    ("no patterns", ("select:\n      - '\\brm\\s'", "select: []"), "8:13", "at least one pattern", "risky"),
    ("a taken family", ("small.rule", "text.long"), "4:9", "'text' is taken", "another word"),
    ("a bad id", ("small.rule", "SmallRule"), "4:9", "not an id of a rule", "data.export"),
    ("an unknown key", ("why: It", "because: It"), "7:5", "'because'", "Known here"),
    ("a severity", ("severity: low", "severity: info"), "6:15", "'info'", "It is one of"),
    ("what is read", ("severity: low", "severity: low\n    each: word"), "7:11", "'word'", "It is one of"),
    ("a number", ("- rm b", "- 17"), "14:9", "a text", "quotes"),
    ("no rules", (FILE[FILE.index("rules:") :], "rules: []\n"), "3:1", "at least one", "rules:"),
]


@pytest.mark.parametrize(("name", "change", "place", "says", "hint"), MISTAKES, ids=[case[0] for case in MISTAKES])
def test_a_mistake_is_named_at_its_place(name, change, place, says, hint) -> None:
    assert change[0] in FILE
    found = problems(FILE.replace(change[0], change[1], 1))
    at_place = [line for line in found if line.startswith(f"rules/small.yaml:{place}: ")]
    assert len(at_place) == 1, found
    assert says in at_place[0]
    assert hint in at_place[0].partition(says)[2]


def test_a_rule_that_is_there_twice_names_both() -> None:
    (found,) = problems(FILE, more=FILE)
    assert found.startswith("rules/small.yaml:4:9: the rule 'small.rule' is here a second time.")
    assert "rules/more.yaml:4" in found


def test_nested_repetition_without_bounds_is_welcome() -> None:
    text = FILE.replace("'\\brm\\s'", "'(([a-z]+)*)*\\srm\\s|^rm\\s'")
    controls = load_bytes({"rules/small.yaml": text.encode()})
    assert flagged(controls, "a" * 50_000) == set()


def test_too_many_rules_are_refused() -> None:
    one = FILE[FILE.index("  - id") :]
    text = FILE + "".join(one.replace("small.rule", f"small.rule{number}") for number in range(501))
    assert any("more than 500 rules" in line for line in problems(text))


def test_too_many_patterns_are_refused_before_they_are_compiled() -> None:
    one = FILE[FILE.index("  - id") :].replace("      - '\\brm\\s'\n", "      - '\\brm\\s'\n" * 39)
    text = FILE + "".join(one.replace("small.rule", f"small.rule{number}") for number in range(60))
    (found,) = problems(text)
    assert "more than 2000 patterns in all" in found
