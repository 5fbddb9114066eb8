# SPDX-License-Identifier: Apache-2.0

"""The whole truth about the demo: what was planted, and what the evaluation must therefore find, no more and no less.

``PLANTED`` is what a reader checks the gap report against. ``EXPECTED`` is the same as a set of verdicts: outside it no
test of the demo has an item that is ``fail``, ``waived``, ``no_evidence`` or ``error``.
"""

from app.demo.deviations import DEVIATIONS
from app.demo.generate import whole_story
from app.demo.limits import limits
from app.demo.planting import OutcomeWord, Planted

PLANTED: tuple[Planted, ...] = (*DEVIATIONS, *limits(whole_story()))

EXPECTED: frozenset[tuple[str, str, OutcomeWord]] = frozenset(
    (trip.test_id, trip.item_id, trip.outcome) for each in PLANTED for trip in each.trips
)
"""Test, item and outcome of every verdict that is neither ``pass`` nor ``not_applicable``."""
