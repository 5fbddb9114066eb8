# SPDX-License-Identifier: Apache-2.0

"""A gap: one finding, in the five parts an auditor writes it in.

Criteria, condition, cause, effect and recommendation are the elements of a finding (GAO Yellow Book 2024, 6.17 to 6.28,
names criteria, condition, cause and effect; the recommendation follows from the cause).
"""

from enum import StrEnum

import msgspec

from app.evaluation.model import Evaluation


class GapKind(StrEnum):
    """Control deviations and evidence gaps are different things, and are never added up."""

    CONTROL_DEVIATION = "control_deviation"
    MISSING_EVIDENCE = "missing_evidence"
    INCOMPLETE_COLLECTION = "incomplete_collection"
    TEST_ERROR = "test_error"
    UNTESTED_CONTROL = "untested_control"


class Gap(msgspec.Struct, frozen=True, kw_only=True):
    """One gap.

    Attributes:
        id: stable while the same thing is wrong: derived from kind, framework and test, or from the source or control.
        items: ids of the first 100 items concerned, in order; ``item_count`` counts all.
        waived_count: how many of the deviations are under an approved waiver; they stay visible.
    """

    id: str
    kind: GapKind
    severity: str
    title: str
    test_id: str | None
    control_ids: tuple[str, ...]
    criteria: str
    condition: str
    cause: str
    effect: str
    recommendation: str
    item_count: int
    waived_count: int
    items: tuple[str, ...]


class GapReport(msgspec.Struct, frozen=True, kw_only=True):
    """The gaps of one framework and period, with what a reader needs to place them."""

    organisation: str
    evaluation: Evaluation
    gaps: tuple[Gap, ...]
