# SPDX-License-Identifier: Apache-2.0

"""docs/coverage.md: each question is there once, has an answer or a limit, and every id it names exists."""

import re
from collections import Counter
from pathlib import Path

import pytest

from app.controls.loader import Controls, load
from app.resources import shipped

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "coverage.md").read_text(encoding="utf-8")
ROWS = [
    [cell.strip() for cell in line.strip("|").split("|")]
    for line in PAGE.splitlines()
    if re.match(r"\| ([A-Z]?[0-9]+) \|", line)
]
NUMBERS = [
    *(str(number) for number in range(1, 112)),
    *(f"V{number}" for number in range(1, 10)),
    *(f"R{number}" for number in range(1, 8)),
    *(f"G{number}" for number in range(1, 13)),
    *(f"S{number}" for number in range(1, 5)),
    *(f"N{number}" for number in range(1, 4)),
]
QUOTED = re.compile(r"`([^`]+)`")


@pytest.fixture(scope="module")
def controls() -> Controls:
    return load(shipped("controls"))


@pytest.fixture(scope="module")
def known(controls: Controls) -> set[str]:
    """Return everything that an answer may name: tests, metrics, rules and commands."""
    page = (ROOT / "docs" / "reference" / "cli.md").read_text(encoding="utf-8")
    commands = set(re.findall(r"^## (proofroom .*)$", page, flags=re.MULTILINE))
    assert len(commands) > 20
    return {*controls.tests, *controls.metrics, *controls.rules, *commands}


def test_every_question_is_there_once_and_in_order() -> None:
    assert [row[0] for row in ROWS] == NUMBERS


@pytest.mark.parametrize("row", ROWS, ids=[row[0] for row in ROWS])
def test_a_question_has_an_answer_that_exists_or_says_why_not(row: list[str], known: set[str]) -> None:
    number, asked, answer, limit = row
    named = QUOTED.findall(answer)
    assert asked, number
    assert set(named) <= known, number
    assert ", ".join(f"`{name}`" for name in named) == answer, "an answer is a list of ids"
    assert named or limit.startswith("Limit: "), number
    assert {name for name in QUOTED.findall(limit) if "-" in name} <= known, number


def test_every_test_and_metric_answers_something(controls: Controls) -> None:
    named = {name for row in ROWS for name in QUOTED.findall(row[2])}
    assert {*controls.tests, *controls.metrics} - named == set()


def test_no_answer_is_given_twice_in_one_row() -> None:
    for row in ROWS:
        assert max(Counter(QUOTED.findall(row[2])).values(), default=1) == 1, row[0]
