# SPDX-License-Identifier: Apache-2.0

"""What is kept of an evaluation to compare the next one with, and what a comparison finds."""

from enum import StrEnum

import msgspec

from app.evaluation.model import Period

BASELINE = "baseline"
"""What is said of a period when it is looked at for the first time: there is nothing yet to compare with."""


class SubjectKind(StrEnum):
    """What moved; ``period`` marks its first look."""

    PERIOD = "period"
    CONTROL = "control"
    TEST = "test"


class Counts(msgspec.Struct, frozen=True, kw_only=True):
    """Item outcomes that are not in order. Deviations and evidence gaps are never added up.

    Attributes:
        deviations: of outcome ``fail``. waived: deviations under an approved waiver.
        evidence_gaps: of outcome ``no_evidence`` or ``error``.
    """

    deviations: int = 0
    waived: int = 0
    evidence_gaps: int = 0


class Standing(msgspec.Struct, frozen=True, kw_only=True):
    """How a control or test stands: its status or outcome, and the counts; a control's are those of its tests."""

    word: str
    counts: Counts


class Snapshot(msgspec.Struct, frozen=True, kw_only=True):
    """How everything stood, in the order of the catalogue and of test ids."""

    controls: dict[str, Standing]
    tests: dict[str, Standing]


class Move(msgspec.Struct, frozen=True, kw_only=True):
    """One control or test that stands otherwise than before; None where it was not there, or is no longer."""

    kind: SubjectKind
    subject: str
    old: str | None
    new: str | None
    before: Counts | None
    after: Counts | None


class Look(msgspec.Struct, frozen=True, kw_only=True):
    """What one look at a framework and period found.

    Attributes:
        at: when it was written down. as_of: the instant the evaluation is made for; both epoch ms.
        is_baseline: it is the first look, so ``moves`` holds the totals only.
        controls_changed: the control definitions are others than at the look before, so what moved may be their doing.
    """

    at: int
    framework: str
    period: Period
    as_of: int
    ledger_size: int
    is_baseline: bool
    controls_changed: bool
    totals: Counts
    moves: tuple[Move, ...]


class Change(Move, frozen=True, kw_only=True):
    """A move as it was written down; ``id`` grows."""

    id: int
    at: int
    framework: str
    period: Period
    as_of: int
    ledger_size: int
    controls_changed: bool
