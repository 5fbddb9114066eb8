# SPDX-License-Identifier: Apache-2.0

"""What a pack says, in words, about what it withholds.

In:  the withholding that the report states. Out: sentences and a chapter for its guide. Pure.
The reason and the name are the operator's own words; they were checked to be one printable line.
"""

from app.packs.model import Withholding

MARKDOWN = str.maketrans({character: f"\\{character}" for character in "\\`*_[]<>|#"})


def limits_of_withholding(withheld: Withholding) -> list[str]:
    """Say what a reader cannot check because of it."""
    fields = ", ".join(withheld.fields)
    limits = [
        (
            f"{withheld.values:,} values of {fields} are withheld. Decided by: {withheld.by}. "
            f"Reason: {withheld.reason}. Each is a salted commitment, so it can be disclosed and checked later; until "
            "then nobody can check it."
        )
    ]
    if withheld.tests:
        limits.append(
            "These tests read withheld values and cannot be run again from this pack; their outcomes are the signer's "
            f"claim: {', '.join(withheld.tests)}."
        )
    if withheld.metrics:
        limits.append(f"These metrics read withheld values and have no number here: {', '.join(withheld.metrics)}.")
    return limits


def chapter(withheld: Withholding | None) -> str:
    """Return the chapter of ``README.md`` about it; nothing if nothing was withheld."""
    if withheld is None:
        return ""
    rows = "".join(
        f"| {part.field} | {part.population} | `{part.path}` | {part.values} |\n"
        for part in withheld.parts
        if part.values
    )
    return f"""
## Withheld

Decided by: {withheld.by.translate(MARKDOWN)}. Reason: {withheld.reason.translate(MARKDOWN)}.

| field | population | where | values |
|---|---|---|---|
{rows}
Where such a value would stand, there is `withheld:` and a commitment, also where the source gave no value: withheld is
not the same as not stated, and cannot be told from it. The commitment is the SHA-256, in base64url, of the canonical
JSON of `["proofroom.withheld.v1", salt, population, item id, place, value]`. The signer keeps a file with the salts and
can open all or some of them to you: `proofroom verify PACK.zip --disclosed FILE`.

Tests that read withheld values, so that their outcomes are the signer's claim: {_list(withheld.tests)}.
Metrics without a number for the same reason: {_list(withheld.metrics)}.
"""


def told(withheld: Withholding) -> str:
    """Return one line about it."""
    return f"{withheld.values:,} values of {', '.join(withheld.fields)}, by {withheld.by}: {withheld.reason}"


def _list(names: tuple[str, ...]) -> str:
    return ", ".join(names) or "none"
