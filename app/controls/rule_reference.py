# SPDX-License-Identifier: Apache-2.0

"""The reference page of the risk rules: ``docs/reference/risk-rules.md``, generated from the controls.

In:  loaded controls. Out: Markdown, the same text for the same controls. A test compares it with the file.
"""

from collections.abc import Iterator

from app.controls.loader import Controls
from app.controls.model import RiskRule

_HEAD = """\
# Risk rules

Generated from `controls/rules/`. Do not edit: change the YAML and run `make docs`.

A rule flags the text of a command or query; a flag is a reason to look, and no flag does not mean no risk.
[What is seen, and what is not](../risk-rules.md).
"""
_EACH = {"text": "the text", "command": "each command by itself", "statement": "each SQL statement by itself"}


def rules_page(controls: Controls) -> str:
    """Return the page: a table of all rules, then one section for each family."""
    families = sorted({rule.family for rule in controls.rules.values()})
    parts = [_HEAD, "\n".join(_table(controls))]
    for family in families:
        rules = [rule for rule in controls.rules.values() if rule.family == family]
        parts += [f"## {family}", *("\n".join(_section(rule)) for rule in rules)]
    return "\n\n".join(part.rstrip() for part in parts) + "\n"


def _table(controls: Controls) -> Iterator[str]:
    yield "| Rule | Flags | Severity |"
    yield "|---|---|---|"
    for rule in controls.rules.values():
        title = rule.title.replace("|", "\\|")
        yield f"| [{rule.id}](#{rule.id.replace('.', '')}) | {title} | {rule.severity} |"


def _section(rule: RiskRule) -> Iterator[str]:
    yield f"### {rule.id}"
    yield f"\n**{rule.title}.** {rule.why} Severity: {rule.severity}. Read: {_EACH[rule.each]}."
    yield "\n````text"
    for label, lines in (
        ("select", rule.select),
        ("unless", rule.unless),
        ("hits", rule.hits),
        ("misses", rule.misses),
    ):
        for number, line in enumerate(lines):
            yield f"{label if number == 0 else '':<7} {_shown(line)}"
    yield "````"


def _shown(text: str) -> str:
    """Return a text on one line; what cannot be seen is written as its number."""
    return "".join(c if c.isprintable() else f"\\u{ord(c):04X}" for c in text)
