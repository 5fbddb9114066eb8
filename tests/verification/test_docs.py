# SPDX-License-Identifier: Apache-2.0

"""docs/verification.md explains exactly the steps that the code runs."""

import re
from pathlib import Path

from app.verification.steps import STEPS

PAGE = Path(__file__).parents[2] / "docs" / "verification.md"


def test_page_and_code_list_the_same_steps() -> None:
    text = PAGE.read_text(encoding="utf-8")
    written = re.findall(r"^## (\d+) (.+)$", text, flags=re.MULTILINE)
    assert written == [(str(step.number), step.name) for step in STEPS]
    rules = re.findall(r"^\| rule \| (.+) \|$", text, flags=re.MULTILINE)
    assert rules == [step.rule for step in STEPS]
    sources = re.findall(r"^\| source \| (.+) \|$", text, flags=re.MULTILINE)
    assert sources == [step.source for step in STEPS]


def test_steps_are_numbered_from_one_without_holes() -> None:
    assert [step.number for step in STEPS] == list(range(1, len(STEPS) + 1))
