# SPDX-License-Identifier: Apache-2.0

"""The reference page of the control tests: ``docs/reference/control-tests.md``, generated from the controls.

In:  loaded controls. Out: Markdown, the same text for the same controls. A test compares it with the file.
"""

from collections.abc import Iterator, Mapping

from app.controls.loader import Controls
from app.controls.model import ControlTest, ParameterValue

_HEAD = """\
# Control tests

Generated from `controls/`. Do not edit: change the YAML and run `make docs`.

A test asks one question of every item of a population. The outcomes are explained in the [glossary](../glossary.md).
A test *supports* a control; whether the control is met is for the auditor to conclude.
"""

_DIRECTIONS = {"either": "any other value may ask less"}


def reference_page(controls: Controls) -> str:
    """Return the page: a table of all tests, then one section for each."""
    parts = [_HEAD, "\n".join(_table(controls))]
    parts += ["\n".join(_section(test, _mapped(controls, test.id))) for test in controls.tests.values()]
    return "\n\n".join(part.rstrip() for part in parts) + "\n"


def _table(controls: Controls) -> Iterator[str]:
    yield "| Test | Claim | Population | Severity |"
    yield "|---|---|---|---|"
    for test in controls.tests.values():
        yield f"| [{test.id}](#{_anchor(test)}) | {_cell(test.title)} | {test.population} | {test.severity} |"


def _section(test: ControlTest, mapped: Mapping[str, tuple[str, ...]]) -> Iterator[str]:
    yield f"## {test.id} {test.title}"
    yield f"\n{test.intent}\n"
    yield f"- **passes** when {test.meaning.passes}"
    yield f"- **fails** when {test.meaning.fails}"
    yield f"- **no evidence** when {test.meaning.no_evidence}"
    yield f"- **not applicable** when {test.meaning.not_applicable}"
    if test.frame:
        yield f"\n**Population.** {test.frame}{_reverse(test)}"
    yield f"\n**Cause.** {test.cause}\n\n**Effect.** {test.effect}\n\n**Remediation.** {test.remediation}"
    yield from _definition(test)
    yield "\n| Supports | Controls |\n|---|---|"
    for framework, names in mapped.items():
        yield f"| {framework} | {', '.join(names)} |"
    yield f"\n{len(test.examples)} examples, run on both engines:"
    yield "\n| Example | Outcome |\n|---|---|"
    for example in test.examples:
        yield f"| {_cell(example.name)} | {example.expect} |"


def _reverse(test: ControlTest) -> str:
    return f" The other way: {', '.join(test.reverse)}." if test.reverse else ""


def _definition(test: ControlTest) -> Iterator[str]:
    yield "\n```text"
    yield f"population        {test.population}"
    yield from _question("applies when", test.applies_when)
    if test.requires.records:
        yield f"requires records  {', '.join(test.requires.records)}"
    if test.requires.fields:
        yield f"requires fields   {', '.join(test.requires.fields)}"
    if test.requires.complete:
        yield f"requires whole    {', '.join(test.requires.complete)}"
    if test.no_evidence_when != "false":
        yield from _question("no evidence when", test.no_evidence_when)
    yield from _question("assert", test.assertion)
    for name, value in test.parameters.items():
        direction = test.looser.get(name, "either")
        yield f"{'p.' + name:<17} = {_value(value)}  ({_DIRECTIONS.get(direction, direction + ' asks less')})"
    yield "```"


def _question(label: str, expression: str) -> Iterator[str]:
    for number, line in enumerate(expression.rstrip().split("\n")):
        yield f"{label if number == 0 else '':<17} {line}".rstrip()


def _mapped(controls: Controls, test_id: str) -> dict[str, tuple[str, ...]]:
    return {
        catalog.title: names
        for catalog in controls.catalogs.values()
        if (names := tuple(entry.control for entry in controls.entries_for(catalog.id) if entry.test == test_id))
    }


def _value(value: ParameterValue) -> str:
    return f"[{', '.join(value)}]" if isinstance(value, tuple) else str(value)


def _anchor(test: ControlTest) -> str:
    """Return the anchor that GitHub gives the heading: lower case, spaces as hyphens, other punctuation dropped."""
    heading = f"{test.id} {test.title}".lower()
    return "".join(char for char in heading.replace(" ", "-") if char.isalnum() or char in "-_")


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")
