# SPDX-License-Identifier: Apache-2.0

"""The populations: what one item of each looks like to a control test.

One row is one item with everything linked to it, so a row can be judged alone: by SQL over millions, by the CEL
interpreter one at a time, and by an auditor who holds nothing but the Parquet file. These structs are the single source
of the CEL types, the Parquet schema and the reference page; ``| None`` in a type says that a field may be missing.

Instants (``Instant``) and spans (``Span``) are milliseconds; in CEL they are timestamps and durations.
"""

from typing import Annotated

import msgspec

Instant = Annotated[int, msgspec.Meta(extra={"cel": "timestamp"})]
Span = Annotated[int, msgspec.Meta(extra={"cel": "duration"})]


class _View(msgspec.Struct, frozen=True, kw_only=True):
    pass


class IdentityView(_View, frozen=True, kw_only=True):
    """Who stands behind a login. ``person_id`` joins a person's several logins."""

    id: str
    display: str
    kind: str
    person_id: str | None
    status: str | None
    employment_end_at: Instant | None
    manager_person_id: str | None
    owner_id: str | None
    owner_status: str | None
    owner_kind: str | None
    purpose: str | None
    privileged: bool | None


class AccountView(_View, frozen=True, kw_only=True):
    """A login on a target, as the account inventory knows it."""

    id: str
    name: str
    target_id: str | None
    identity_id: str | None
    identity_status: str | None
    shared: bool
    privileged: bool
    enabled: bool | None
    break_glass: bool
    created_at: Instant | None
    last_login_at: Instant | None
    rotated_at: Instant | None
    service_owner_id: str | None
    owner_id: str | None
    reviewer_id: str | None
    owner_assigned_at: Instant | None
    first_use_in_period: Instant | None
    alert_configured: bool | None
    last_tested_at: Instant | None


class TargetView(_View, frozen=True, kw_only=True):
    """The system that is accessed. ``brokered`` says that it must be reached through the broker only."""

    id: str
    name: str
    env: str | None
    brokered: bool | None
    data_classes: list[str] | None


class WorkflowView(_View, frozen=True, kw_only=True):
    """The privileged workflow an access belongs to; empty lists mean that nothing is allowed by it."""

    id: str
    name: str
    active: bool
    business_owner_id: str | None
    owner_status: str | None
    owner_kind: str | None
    technical_operator_id: str | None
    owner_confirmed_at: Instant | None
    approver_ids: list[str] | None
    auto_policies: list[str]
    recording_required: bool
    accepted_recording_kinds: list[str]
    allowed_shared_accounts: list[str]
    allowed_broad_roles: list[str]
    retention_documented: bool | None


class GrantView(_View, frozen=True, kw_only=True):
    """A right. ``ends_at`` is the earlier of its expiry and its actual end. ``link_basis`` says how it was joined."""

    id: str
    subject: str | None
    person_id: str | None
    requester: str | None
    requester_person_id: str | None
    role: str | None
    target_ids: list[str]
    basis: str
    privileged: bool
    requested_at: Instant | None
    starts_at: Instant | None
    expires_at: Instant | None
    ends_at: Instant | None
    removed_at: Instant | None
    purpose: str | None
    scope_level: str | None
    wildcard: bool | None
    scope_digest: str | None
    required_approvals: int | None
    link_basis: str


class ApprovalView(_View, frozen=True, kw_only=True):
    """One decision. ``mode`` tells a human's decision from an automatic, forced or merely asserted one."""

    id: str
    decision: str
    mode: str
    requested_at: Instant | None
    decided_at: Instant | None
    approver: str | None
    approver_id: str | None
    approver_person_id: str | None
    approver_status: str | None
    approver_kind: str | None
    scope_digest: str | None
    approved_until: Instant | None
    policy_id: str | None
    link_basis: str


class SessionView(_View, frozen=True, kw_only=True):
    """One use of privileged access. ``grant_link`` is exact, derived, window, ambiguous or none."""

    id: str
    subject: str | None
    initiator_person_id: str | None
    run_as: str | None
    target_id: str | None
    role: str | None
    protocol: str | None
    interactive: bool | None
    privileged: bool
    client_address: str | None
    started_at: Instant | None
    ended_at: Instant | None
    status: str
    mfa: bool | None
    mfa_at: Instant | None
    mfa_method: str | None
    max_idle: Span | None
    recording_policy: str | None
    delegator: str | None
    policy_id: str | None
    grant_link: str
    grant_candidates: int


class EventView(_View, frozen=True, kw_only=True):
    """One command or query, with its text redacted."""

    id: str
    seq: int | None
    at: Instant | None
    kind: str
    text: str | None
    text_sha256: str | None
    outcome: str | None


class RecordingView(_View, frozen=True, kw_only=True):
    """What is known of a recording. ``state`` is verified, stored_claimed, configured, off or unknown."""

    id: str
    state: str
    kind: str | None
    starts_at: Instant | None
    ends_at: Instant | None
    coverage: float | None
    sha256: str | None
    verified_sha256: str | None
    verified_at: Instant | None
    registered_at: Instant | None
    immutable: bool | None


class TicketView(_View, frozen=True, kw_only=True):
    """A reason on record."""

    id: str
    kind: str | None
    status: str | None
    priority: str | None
    opened_at: Instant | None
    closed_at: Instant | None
    outcome: str | None
    link_basis: str


class ReviewView(_View, frozen=True, kw_only=True):
    """Somebody looked."""

    id: str
    kind: str
    reviewer_id: str | None
    reviewer_person_id: str | None
    due_at: Instant | None
    completed_at: Instant | None
    outcome: str | None


class AlertView(_View, frozen=True, kw_only=True):
    """An alarm and who took it."""

    id: str
    raised_at: Instant | None
    acknowledged_at: Instant | None
    acknowledged_by: str | None
    acknowledged_by_person_id: str | None


class SessionRef(_View, frozen=True, kw_only=True):
    """A session as another item sees it."""

    id: str
    run_as: str | None
    target_id: str | None
    started_at: Instant | None
    ended_at: Instant | None


class EvidenceView(_View, frozen=True, kw_only=True):
    """For each record type: did a collected source cover it at this item's instant? ``False`` = we cannot know."""

    identity: bool
    account: bool
    target: bool
    grant: bool
    approval: bool
    session: bool
    session_event: bool
    recording: bool
    recorder_event: bool
    ticket: bool
    review: bool
    access_event: bool
    alert: bool
    credential: bool
    workflow: bool
    waiver: bool
    legal_hold: bool


class WaiverRef(_View, frozen=True, kw_only=True):
    """A waiver that is in order, was in force at the item's instant and covers the item."""

    id: str
    test_ids: list[str]
    approved_by: str
    approved_at: Instant
    expires_at: Instant


class PeriodView(_View, frozen=True, kw_only=True):
    """The audit period: ``start`` inclusive, ``end`` exclusive; ``as_of`` is the instant the judgment is made for."""

    start: Instant
    end: Instant
    as_of: Instant


class _Row(_View, frozen=True, kw_only=True):
    """What every population's rows share.

    Attributes:
        item_id: ``source/type/id``, unique in the population.
        source: name of the source that gave the item.
        at: the item's instant, which places it in a day and selects waivers and evidence.
        ledger: indices of the ledger entries this row was made from, ascending.
    """

    item_id: str
    source: str
    at: Instant | None
    ledger: list[int]
    period: PeriodView
    evidence: EvidenceView
    waivers: list[WaiverRef]


class SessionRow(_Row, frozen=True, kw_only=True):
    """Population ``session``: sessions that started in the period."""

    session: SessionView
    identity: IdentityView | None
    account: AccountView | None
    target: TargetView | None
    workflow: WorkflowView | None
    grant: GrantView | None
    grants: list[GrantView]
    approvals: list[ApprovalView]
    tickets: list[TicketView]
    recordings: list[RecordingView]
    events: list[EventView]
    reviews: list[ReviewView]
    alerts: list[AlertView]


class GrantRow(_Row, frozen=True, kw_only=True):
    """Population ``grant``: rights that started, or were in force, in the period."""

    grant: GrantView
    identity: IdentityView | None
    target: TargetView | None
    workflow: WorkflowView | None
    approvals: list[ApprovalView]
    tickets: list[TicketView]
    reviews: list[ReviewView]
    sessions: list[SessionRef]


class IdentityRow(_Row, frozen=True, kw_only=True):
    """Population ``identity``: people and non-human actors known in the period."""

    identity: IdentityView
    grants: list[GrantView]
    sessions: list[SessionRef]


class AccountRow(_Row, frozen=True, kw_only=True):
    """Population ``account``: logins that exist on targets."""

    account: AccountView
    identity: IdentityView | None
    target: TargetView | None


class AccessEventView(_View, frozen=True, kw_only=True):
    """A login the target itself saw."""

    id: str
    occurred_at: Instant | None
    target_id: str | None
    account: str | None
    privileged: bool
    client_address: str | None
    method: str | None


class AccessEventRow(_Row, frozen=True, kw_only=True):
    """Population ``access_event``: logins seen by targets in the period. ``sessions`` are those that explain it."""

    access_event: AccessEventView
    target: TargetView | None
    sessions: list[SessionRef]
    alerts: list[AlertView]


class RecorderEventView(_View, frozen=True, kw_only=True):
    """A recorder was switched off, failed, was weakened, came back."""

    id: str
    occurred_at: Instant | None
    action: str
    target_id: str | None
    actor_id: str | None
    actor_person_id: str | None


class RecorderEventRow(_Row, frozen=True, kw_only=True):
    """Population ``recorder_event``."""

    recorder_event: RecorderEventView
    target: TargetView | None
    alerts: list[AlertView]
    tickets: list[TicketView]


class WorkflowRow(_Row, frozen=True, kw_only=True):
    """Population ``workflow``."""

    workflow: WorkflowView


class WaiverView(_View, frozen=True, kw_only=True):
    """A waiver as a thing to be tested itself."""

    id: str
    test_ids: list[str]
    reason: str | None
    risk_owner_id: str | None
    requested_by: str | None
    approved_by: str | None
    approved_at: Instant | None
    expires_at: Instant | None
    renewals: int | None
    compensating_controls: list[str]


class WaiverRow(_Row, frozen=True, kw_only=True):
    """Population ``waiver``: waivers in force in the period."""

    waiver: WaiverView


class SourceView(_View, frozen=True, kw_only=True):
    """A source over the whole period, summed from its CollectionRuns.

    ``covered_from`` and ``covered_until`` bound what is covered; ``longest_hole`` is the longest stretch of the period
    that no run covers. ``declared`` says that the windows were stated, not inferred from the records.
    ``record_types`` are the kinds of access record it yields, sorted; a pack so tells which populations it bears on.
    """

    id: str
    connector: str
    record_types: list[str]
    runs: int
    received: int
    accepted: int
    duplicates: int
    rejected: int
    sequence_gaps: int
    source_count: int | None
    counted_received: int | None
    covered_from: Instant | None
    covered_until: Instant | None
    longest_hole: Span
    declared: bool
    last_success_at: Instant | None
    problems: int


class SourceRow(_Row, frozen=True, kw_only=True):
    """Population ``source``: every source that was ever collected."""

    collected: SourceView


Row = (
    SessionRow
    | GrantRow
    | IdentityRow
    | AccountRow
    | AccessEventRow
    | RecorderEventRow
    | WorkflowRow
    | WaiverRow
    | SourceRow
)

POPULATIONS: dict[str, type[Row]] = {
    "session": SessionRow,
    "grant": GrantRow,
    "identity": IdentityRow,
    "account": AccountRow,
    "access_event": AccessEventRow,
    "recorder_event": RecorderEventRow,
    "workflow": WorkflowRow,
    "waiver": WaiverRow,
    "source": SourceRow,
}
"""Population name to row type; the name is also the record type that fills it, but for ``source``."""

DAILY = frozenset({"session", "grant", "access_event", "recorder_event"})
"""Populations frozen into one segment per day (of ``at``, UTC); the others into one segment per period."""
