# SPDX-License-Identifier: Apache-2.0

"""The reference page of the parameter bundles: ``docs/reference/parameter-bundles.md``, generated from the controls.

In:  loaded controls. Out: Markdown, the same text for the same controls. A test compares it with the file.
"""

from collections.abc import Iterator

from app.controls.changes import ParameterBundle
from app.controls.loader import Controls
from app.controls.overlay_checks import value_text
from app.controls.overlays import looser_values

_HEAD = """\
# Parameter bundles

Generated from `controls/parameters/`. Do not edit: change the YAML and run `make docs`.

A bundle holds values that belong together. It changes nothing until an overlay of yours uses it, from a day on:
[Change a parameter](../controls.md#change-a-parameter).
"""


def bundles_page(controls: Controls) -> str:
    """Return the page: one section for each bundle."""
    parts = [_HEAD, *("\n".join(_section(controls, bundle)) for bundle in controls.bundles.values())]
    return "\n\n".join(part.rstrip() for part in parts) + "\n"


def _section(controls: Controls, bundle: ParameterBundle) -> Iterator[str]:
    yield f"## {bundle.id}"
    yield f"\n{bundle.title}. Source: {bundle.source}."
    if bundle.proposed:
        yield "\n**Proposed, not in force.** A result that rests on it says so."
    yield "\n| Test | Parameter | The test's own | Here | |\n|---|---|---|---|---|"
    for test_id, values in bundle.values.items():
        test = controls.tests[test_id]
        looser = looser_values(test, values)
        for name, value in values.items():
            same, own = value == test.parameters[name], value_text(test.parameters[name])
            note = "needs approval" if name in looser else "the same" if same else "stricter"
            yield f"| {test_id} | `{name}` | {own} | {value_text(value)} | {note} |"
