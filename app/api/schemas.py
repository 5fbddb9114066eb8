# SPDX-License-Identifier: Apache-2.0

"""What the REST interface shows. Instants are RFC 3339 texts in UTC; words are those of docs/glossary.md."""

import datetime
from typing import Any, Literal

from pydantic import BaseModel, Field

from app.evaluation.model import ControlStatus, TestOutcomeWord
from app.gaps.model import GapKind
from app.jobs.model import JobState
from app.watching.model import SubjectKind


class FrameworkOut(BaseModel):
    """A framework and how much of it is tested."""

    id: str
    title: str
    edition: str
    short_names: list[str]
    controls: int
    tested_controls: int


class ControlOut(BaseModel):
    """A control of a framework and the tests mapped to it."""

    framework: str
    id: str
    label: str
    summary: str
    text: str | None
    tests: list[str]
    not_tested_because: str | None


class TestOut(BaseModel):
    """A control test."""

    __test__ = False  # Keeps pytest from collecting it.

    id: str
    title: str
    intent: str
    population: str
    applies_when: str
    assertion: str
    severity: str
    parameters: dict[str, Any]
    remediation: str


class ParameterSliceOut(BaseModel):
    """Values that an overlay gave a test in the period, for the items that ``where`` is true of; days are included."""

    parameters: dict[str, str]
    where: str
    first_day: str
    last_day: str | None
    overlay: str
    bundle: str | None
    looser: list[str]
    reason: str | None
    requested_by: str | None
    approved_by: str | None
    approved_on: str | None


class TestResultOut(BaseModel):
    """One test over one population; ``parameters`` are its own values, ``slices`` what overlays made of them."""

    __test__ = False  # Keeps pytest from collecting it.

    test_id: str
    title: str
    severity: str
    population: str
    outcome: TestOutcomeWord
    counts: dict[str, int]
    incomplete: list[str]
    parameters: dict[str, str]
    slices: list[ParameterSliceOut]


class ApplicabilityOut(BaseModel):
    """What the organisation's Statement of Applicability says of a control; it changes no status."""

    stated: Literal["applicable", "excluded", "not_stated"]
    reason: str | None
    implemented: Literal["yes", "partly", "no", "unknown"] | None
    owner: str | None
    approved_by: str | None
    approved_on: str | None
    note: str


class ControlResultOut(BaseModel):
    """One control, concluded from its tests."""

    control_id: str
    label: str
    status: ControlStatus
    test_ids: list[str]
    reason: str
    applicability: ApplicabilityOut


class EvaluationOut(BaseModel):
    """What was concluded for a framework and period."""

    framework: str
    framework_title: str
    start: str
    end: str
    as_of: str
    ledger_size: int
    controls_sha256: str
    population_sizes: dict[str, int]
    tests: list[TestResultOut]
    controls: list[ControlResultOut]


class GapOut(BaseModel):
    """One finding: a control deviation, or evidence that is missing; the two are never added up."""

    id: str
    kind: GapKind
    severity: str
    title: str
    test_id: str | None
    control_ids: list[str]
    criteria: str
    condition: str
    cause: str
    effect: str
    recommendation: str
    item_count: int
    waived_count: int
    items: list[str]


class PackOut(BaseModel):
    """An evidence pack that was built."""

    id: str
    file_name: str
    framework: str
    start: str
    end: str
    built_at: str
    ledger_size: int
    size: int
    sha256: str
    download: str


class PackIn(BaseModel):
    """Ask for a pack. ``start`` and ``end`` are days, both included, UTC.

    ``withhold`` names fields whose values the pack must not show; then ``withhold_reason`` says why, and the file that
    opens the values stays on the server, beside the pack. ``withhold_partly`` builds the pack even if such values also
    stand where they are not withheld.
    """

    framework: str = Field(examples=["soc2"])
    start: datetime.date
    end: datetime.date
    withhold: list[str] = Field(default=[], max_length=50, examples=[[]])
    withhold_reason: str = Field(default="", max_length=300)
    withhold_by: str = Field(default="", max_length=300)
    withhold_partly: bool = False


class JobOut(BaseModel):
    """Long work and how far it is."""

    id: str
    kind: str
    state: JobState
    step: str
    done: int
    total: int
    problem: str | None
    result: dict[str, Any] | None
    created_at: str
    updated_at: str


class CountsOut(BaseModel):
    """Item outcomes that are not in order: ``fail``, ``waived``, and ``no_evidence`` or ``error``."""

    deviations: int
    waived: int
    evidence_gaps: int


class ChangeOut(BaseModel):
    """What moved at one look at a watched period. ``old`` and ``before`` are null where it was not there before.

    A ``period`` marks the first look, a baseline. ``controls_changed``: the definitions changed too since the look
    before, so the move may be their doing.
    """

    id: int
    at: str
    framework: str
    start: str
    end: str
    as_of: str
    ledger_size: int
    controls_changed: bool
    kind: SubjectKind
    subject: str
    old: str | None
    new: str | None
    before: CountsOut | None
    after: CountsOut | None


class ObservationOut(BaseModel):
    """What one source record says about one access record; ``ledger_index`` names its ledger entry."""

    source: str
    type: str
    id: str
    observed_at: str
    ledger_index: int
    record: dict[str, Any]


class TrailOut(BaseModel):
    """One privileged access with everything linked to it."""

    item_id: str
    trail: dict[str, Any]


class CollectionOut(BaseModel):
    """The completeness box of one collection run."""

    id: str
    source: str
    connector: str
    query: str
    started_at: str
    finished_at: str
    covered_from: str | None
    covered_until: str | None
    covered_basis: Literal["declared", "observed"]
    source_count: int | None
    received: int
    accepted: int
    duplicates: int
    rejected: int
    reject_reasons: dict[str, int]
    unused: dict[str, int]
    produced: dict[str, int]
    sequence_gaps: int
    problem: str | None
    is_complete: bool
