# SPDX-License-Identifier: Apache-2.0

"""Every single deviation that was planted, in order. What whole sources cannot say is in ``limits.py``."""

from app.demo.model import Story
from app.demo.planted_approvals import planted_approvals
from app.demo.planted_commands import planted_commands
from app.demo.planted_governance import planted_governance
from app.demo.planted_grants import planted_grants
from app.demo.planted_machines import planted_machines
from app.demo.planted_oversight import planted_oversight
from app.demo.planted_sessions import planted_sessions
from app.demo.planting import Planted

DEVIATIONS: tuple[Planted, ...] = tuple(
    sorted(
        (
            *planted_approvals(),
            *planted_grants(),
            *planted_sessions(),
            *planted_governance(),
            *planted_commands(),
            *planted_machines(),
            *planted_oversight(),
        ),
        key=lambda each: each.id,
    )
)


def deviating_story() -> Story:
    """Return what the planted deviations add to the ordinary days."""
    return sum((each.story for each in DEVIATIONS), Story())
