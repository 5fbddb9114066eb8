# SPDX-License-Identifier: Apache-2.0

"""A table of mistakes that people make in the shipped YAML, and of the problem that each must be answered with.

An edit writes a mark before the place that the problem must name; the mark is taken out again before anything is
loaded. So line and column are expected from the text itself, and stay right when other parts of the files change.
"""

from collections.abc import Callable
from dataclasses import dataclass

MARK = "\N{BLACK RIGHT-POINTING TRIANGLE}"

Edit = Callable[[str], str]


@dataclass(frozen=True)
class Mutation:
    """One mistake.

    Attributes:
        name: what somebody did.
        file: name below ``controls/``; one that does not exist is new, and the edit gets an empty text.
        edit: old text to new, with ``MARK`` before the place of the problem.
        says: words that the reason must hold.
        hint: words that the hint must hold.
        alone: the problem is seen without any other file, so a second broken file cannot hide it.
        besides: what the other problems must read like, a regular expression; empty = there must be no other.
    """

    name: str
    file: str
    edit: Edit
    says: str
    hint: str
    alone: bool = True
    besides: str = ""

    def __str__(self) -> str:
        return self.name

    def apply(self, files: dict[str, bytes]) -> tuple[dict[str, bytes], str]:
        """Return the files with the mistake in them, and the expected ``file:line:column``."""
        marked = self.edit(files.get(self.file, b"").decode())
        assert marked.count(MARK) == 1, "mark one place"
        before = marked.partition(MARK)[0]
        line, column = before.count("\n") + 1, len(before) - before.rfind("\n")
        text = marked.replace(MARK, "").encode(errors="surrogateescape")
        assert text != files.get(self.file), "the edit changes nothing"
        return files | {self.file: text}, f"{self.file}:{line}:{column}"


def swap(old: str, new: str, *, after: str = "") -> Edit:
    """Return the edit that replaces the first ``old`` behind the first ``after``; both must occur."""

    def edit(text: str) -> str:
        start = text.index(after)
        at = text.index(old, start)
        return text[:at] + new + text[at + len(old) :]

    return edit


def also(*edits: Edit) -> Edit:
    """Return the edits one after the other."""

    def edit(text: str) -> str:
        for each in edits:
            text = each(text)
        return text

    return edit


def new_file(content: str) -> Edit:
    """Return the edit that writes a new file."""
    return lambda _: content


def no_example(outcome: str, instead: str) -> Edit:
    """Return the edit after which no example of the first test of a file expects ``outcome``."""

    def edit(text: str) -> str:
        head, examples, rest = text.partition("    examples:\n")
        mine, following, others = rest.partition("\n  - id: ")
        assert f"expect: {outcome}" in mine
        mine = mine.replace(f"expect: {outcome}", f"expect: {instead}")
        return head + examples.replace("examples", f"{MARK}examples") + mine + following + others

    return edit


def copied(test_id: str) -> Edit:
    """Return the edit that puts the first test of a file there a second time, at its end."""

    def edit(text: str) -> str:
        start = text.index(f"  - id: {test_id}")
        end = text.find("\n  - id: ", start)
        test = text[start : None if end < 0 else end].rstrip("\n")
        return f"{text.rstrip()}\n\n{test.replace(f'- id: {test_id}', f'- id: {MARK}{test_id}')}\n"

    return edit


LAUGHS = "\n".join(
    [f'a0: {MARK}&a0 ["lol", "lol"]'] + [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 10)]
)

ONE_TEST = """\
kind: ControlTests
title: One more
tests:
  - id: GOV-03
    title: Workflow has a name
    intent: Names.
    population: workflow
    applies_when: workflow.active
    requires: {fields: [workflow.owner_status]}
    assert: workflow.owner_status == "active"
    severity: low
    columns: [workflow.id]
    meaning: {fails: it has none., no_evidence: it is not told., not_applicable: it is not active.}
    cause: Numbers.
    effect: Doubt.
    remediation: Names.
    examples:
      - {name: named, given: {workflow: {active: true, owner_status: active}}, expect: pass}
      - {name: not named, given: {workflow: {active: true, owner_status: terminated}}, expect: fail}
      - {name: not told, given: {workflow: {active: true}}, expect: no_evidence}
"""

WORKFLOW, WAIVER, DATA = "tests/workflow.yaml", "tests/waiver.yaml", "tests/data.yaml"
SOC2, SOC2_MAP = "catalog/soc2-tsc-2017.yaml", "mappings/soc2-tsc-2017.yaml"
ISO_MAP, NHI, NHI_MAP = "mappings/iso27001-2022.yaml", "catalog/owasp-nhi-2025.yaml", "mappings/owasp-nhi-2025.yaml"

ACTIVE = "applies_when: workflow.active"
