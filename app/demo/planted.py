# SPDX-License-Identifier: Apache-2.0

"""Everything that was planted, in order; docs/demo.md is generated from it.

``PLANTED`` is the list that a reader checks the gap report against: nothing else in the demo deviates.
"""

from app.demo.model import Story
from app.demo.planted_approvals import planted_approvals
from app.demo.planted_governance import planted_governance
from app.demo.planted_grants import planted_grants
from app.demo.planted_sessions import planted_sessions
from app.demo.planting import Planted

PLANTED: tuple[Planted, ...] = (
    *planted_approvals(),
    *planted_grants(),
    *planted_sessions(),
    *planted_governance(),
)


def planted_story() -> Story:
    """Return what the planted deviations add to the ordinary days."""
    return sum((each.story for each in PLANTED), Story())
