# SPDX-License-Identifier: Apache-2.0

"""The views that rows of populations are made of: one struct per kind of thing that a control test can look at.

Import them from ``app.trails.populations``, which has the rows. ``| None`` in a type says that a field may be missing.
Instants (``Instant``) and spans (``Span``) are milliseconds; in CEL they are timestamps and durations.
"""

from typing import Annotated

import msgspec

Instant = Annotated[int, msgspec.Meta(extra={"cel": "timestamp"})]
Span = Annotated[int, msgspec.Meta(extra={"cel": "duration"})]


class View(msgspec.Struct, frozen=True, kw_only=True):
    """Base of everything that a row holds."""


class IdentityView(View, frozen=True, kw_only=True):
    """Who stands behind a login. ``person_id`` joins a person's several logins.

    ``owner`` answers for a non-human identity; ``sponsor`` inside the organisation for somebody from outside.
    """

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
    workflow_id: str | None
    employer: str | None
    sponsor_id: str | None
    sponsor_status: str | None
    sponsor_kind: str | None
    contract_ref: str | None
    evidence_clause: bool | None


class AccountView(View, frozen=True, kw_only=True):
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


class TargetView(View, frozen=True, kw_only=True):
    """The system that is accessed. ``brokered`` says that it must be reached through the broker only."""

    id: str
    name: str
    env: str | None
    brokered: bool | None
    data_classes: list[str] | None


class WorkflowView(View, frozen=True, kw_only=True):
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


class GrantView(View, frozen=True, kw_only=True):
    """A right. ``ends_at`` is the earlier of its expiry and its actual end. ``link_basis`` says how it was joined.

    ``last_used_at`` is what its source says; in population ``grant`` it is the latest of that and of the starts, up to
    ``as_of``, of the sessions that are known to have used it.
    """

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
    last_used_at: Instant | None
    data_access_approved: bool | None
    link_basis: str


class ApprovalView(View, frozen=True, kw_only=True):
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


class SessionView(View, frozen=True, kw_only=True):
    """One use of privileged access. ``grant_link`` is exact, derived, window, ambiguous or none.

    ``draw`` is a number in [0, 1) that anybody can compute again, for rules about samples: the first 48 bits of the
    SHA-256 of ``proofroom-draw:`` and the item id, divided by 2**48.
    """

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
    via: str | None
    credential_ref: str | None
    supervised: bool | None
    end_reason: str | None
    draw: float
    grant_link: str
    grant_candidates: int


class FlagView(View, frozen=True, kw_only=True):
    """A risk rule that a text met: ``rule`` is ``family.name``."""

    rule: str
    family: str
    severity: str


class EventRef(View, frozen=True, kw_only=True):
    """One command or query as its session shows it; its text is in the population ``session_event``.

    ``downstream`` is the target that it touched besides the session's own. ``flags`` are the risk rules that its text
    met, by rule.
    """

    id: str
    seq: int | None
    at: Instant | None
    kind: str
    text_sha256: str | None
    outcome: str | None
    parent_id: str | None
    tool: str | None
    credential_ref: str | None
    within_policy: bool | None
    masked: bool | None
    privileged: bool | None
    rows: int | None
    downstream: str | None
    flags: list[FlagView]


class EventView(EventRef, frozen=True, kw_only=True):
    """One command or query, with its text redacted."""

    text: str | None


class RecordingView(View, frozen=True, kw_only=True):
    """What is known of a recording. ``state`` is verified, stored_claimed, configured, off or unknown.

    ``retrievable`` says whether it could be read at ``retrieved_at``, when somebody last tried.
    """

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
    chained: bool | None
    retrievable: bool | None
    retrieved_at: Instant | None
    disposed_at: Instant | None
    retention_class: str | None
    on_hold: bool | None


class TicketView(View, frozen=True, kw_only=True):
    """A reason on record; or, where ``about`` says ``session`` or ``event``, what was raised about one of these."""

    id: str
    kind: str | None
    status: str | None
    priority: str | None
    opened_at: Instant | None
    closed_at: Instant | None
    outcome: str | None
    about: str | None
    link_basis: str


class ReviewView(View, frozen=True, kw_only=True):
    """Somebody looked. ``grant_id`` and ``event_id`` are what it is about, as its source spells them."""

    id: str
    kind: str
    reviewer_id: str | None
    reviewer_person_id: str | None
    due_at: Instant | None
    completed_at: Instant | None
    outcome: str | None
    grant_id: str | None
    event_id: str | None
    population_count: int | None
    snapshot_count: int | None
    executed_at: Instant | None
    verified_removed: bool | None


class ReviewItemView(View, frozen=True, kw_only=True):
    """One decision of a review campaign: a right or a person, and keep, change or remove.

    ``subject_person_id`` is the person decided on: named, or the holder of the right that is named.
    """

    id: str
    grant_id: str | None
    subject: str | None
    subject_person_id: str | None
    reviewer_person_id: str | None
    outcome: str | None
    decided_at: Instant | None
    executed_at: Instant | None
    verified_removed: bool | None


class AlertView(View, frozen=True, kw_only=True):
    """An alarm and who took it."""

    id: str
    raised_at: Instant | None
    acknowledged_at: Instant | None
    acknowledged_by: str | None
    acknowledged_by_person_id: str | None


class AccessEventView(View, frozen=True, kw_only=True):
    """A login the target itself saw."""

    id: str
    occurred_at: Instant | None
    target_id: str | None
    account: str | None
    privileged: bool
    client_address: str | None
    method: str | None


class RecorderEventView(View, frozen=True, kw_only=True):
    """A recorder was switched off, failed, was weakened, came back."""

    id: str
    occurred_at: Instant | None
    action: str
    target_id: str | None
    actor_id: str | None
    actor_person_id: str | None


class CredentialView(View, frozen=True, kw_only=True):
    """A secret or certificate of an identity; never its value."""

    id: str
    kind: str | None
    privileged: bool
    issued_at: Instant | None
    expires_at: Instant | None
    rotated_at: Instant | None
    last_used_at: Instant | None


class LegalHoldView(View, frozen=True, kw_only=True):
    """An order to keep evidence unchanged, and what was found when that was last checked."""

    id: str
    matter_ref: str | None
    custodian_id: str | None
    custodian_status: str | None
    placed_by_id: str | None
    placed_at: Instant | None
    lifted_at: Instant | None
    matched_count: int | None
    present_count: int | None
    changed_count: int | None


class WaiverView(View, frozen=True, kw_only=True):
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


class SourceView(View, frozen=True, kw_only=True):
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


class SessionRef(View, frozen=True, kw_only=True):
    """A session as another item sees it."""

    id: str
    run_as: str | None
    target_id: str | None
    started_at: Instant | None
    ended_at: Instant | None
    client_address: str | None
    mfa: bool | None


class EvidenceView(View, frozen=True, kw_only=True):
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


class WaiverRef(View, frozen=True, kw_only=True):
    """A waiver that is in order, was in force at the item's instant and covers the item."""

    id: str
    test_ids: list[str]
    approved_by: str
    approved_at: Instant
    expires_at: Instant


class PeriodView(View, frozen=True, kw_only=True):
    """The audit period: ``start`` inclusive, ``end`` exclusive; ``as_of`` is the instant the judgment is made for."""

    start: Instant
    end: Instant
    as_of: Instant
