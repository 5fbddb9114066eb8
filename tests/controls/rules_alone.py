# SPDX-License-Identifier: Apache-2.0

"""The shipped risk rules without the other controls, and what they flag."""

from functools import cache
from pathlib import Path

from app.controls.loader import Controls, load_bytes

ROOT = Path(__file__).parents[2]


@cache
def shipped_rules() -> Controls:
    """Load the shipped rules alone."""
    folder = ROOT / "controls" / "rules"
    return load_bytes({f"rules/{path.name}": path.read_bytes() for path in folder.iterdir()})


def flagged(controls: Controls, text: str) -> set[str]:
    return {flag.rule for flag in controls.rule_set.flags(text)}
