# SPDX-License-Identifier: Apache-2.0

"""The vocabulary: the closed union of AccessRecords that connectors produce.

Shapes: immutable msgspec structs, tagged by ``type``. Instants are epoch milliseconds, UTC (``int``). Names of people,
accounts and targets are the source's own spelling (``subject``, ``target``); trails resolve them to persons.

``None`` always means "this source record does not say", never "no". Several source records may speak about one
access record (a session's start and its end): see ``app.records.folding``. A new type must be added to
``AccessRecord`` at the bottom, and every ``match`` over the union then fails type checking until it has an answer.

Word sources: NIST SP 800-53 (AC, AU), OCSF 1.x (category iam), and the glossary in docs/glossary.md.
"""

from enum import StrEnum
from typing import Literal, get_args

import msgspec


class RecordType(StrEnum):
    """One name per kind of access record; equal to the struct's tag."""

    IDENTITY = "identity"
    ACCOUNT = "account"
    TARGET = "target"
    GRANT = "grant"
    APPROVAL = "approval"
    SESSION = "session"
    SESSION_EVENT = "session_event"
    RECORDING = "recording"
    RECORDER_EVENT = "recorder_event"
    TICKET = "ticket"
    REVIEW = "review"
    ACCESS_EVENT = "access_event"
    ALERT = "alert"
    CREDENTIAL = "credential"
    WORKFLOW = "workflow"
    WAIVER = "waiver"
    LEGAL_HOLD = "legal_hold"


IdentityKind = Literal["human", "vendor", "service", "workload", "agent", "system", "unknown"]
GrantBasis = Literal["standing", "jit", "onetime", "lease", "certificate", "break_glass"]
Decision = Literal["approved", "denied", "pending", "revoked"]
ApprovalMode = Literal["human", "automatic", "forced", "asserted", "delegated"]
SessionStatus = Literal["open", "closed", "failed_attempt", "unknown"]
RecordingState = Literal["verified", "stored_claimed", "configured", "off", "unknown"]
RecordingKind = Literal["video", "pty", "transcript", "query_log", "metadata"]
RecorderAction = Literal["enabled", "disabled", "paused", "failed", "config_weakened", "heartbeat"]
TicketKind = Literal["change", "incident", "request"]
ReviewKind = Literal["session", "break_glass", "pattern", "access", "access_item", "event"]


class _Record(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """What all access records share: an id that is unique within source and type."""

    id: str


class Alias(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One login of an identity: the spelling ``subject`` as the source named ``source`` writes it (``*`` = any)."""

    source: str
    subject: str


class Identity(_Record, frozen=True, kw_only=True, tag_field="type", tag="identity"):
    """A person or non-human actor as an identity provider or HR system knows it.

    ``sponsor`` answers inside the organisation for an outsider; ``evidence_clause`` says that the contract named by
    ``contract_ref`` obliges the employer to leave evidence.
    """

    kind: IdentityKind | None = None
    display: str | None = None
    email: str | None = None
    person_id: str | None = None
    status: Literal["active", "suspended", "terminated"] | None = None
    employment_end_at: int | None = None
    manager_person_id: str | None = None
    owner: str | None = None
    purpose: str | None = None
    workflow_id: str | None = None
    privileged: bool | None = None
    employer: str | None = None
    sponsor: str | None = None
    contract_ref: str | None = None
    evidence_clause: bool | None = None
    aliases: tuple[Alias, ...] = ()


class Account(_Record, frozen=True, kw_only=True, tag_field="type", tag="account"):
    """A login that exists on a target. ``break_glass`` marks an emergency account and opens the last five fields."""

    name: str | None = None
    target: str | None = None
    subject: str | None = None
    shared: bool | None = None
    privileged: bool | None = None
    enabled: bool | None = None
    created_at: int | None = None
    last_login_at: int | None = None
    rotated_at: int | None = None
    service_owner: str | None = None
    break_glass: bool | None = None
    owner: str | None = None
    reviewer: str | None = None
    owner_assigned_at: int | None = None
    alert_configured: bool | None = None
    last_tested_at: int | None = None


class Target(_Record, frozen=True, kw_only=True, tag_field="type", tag="target"):
    """A system, database, cluster or host that is accessed. ``aliases`` are its names in other sources."""

    name: str | None = None
    env: str | None = None
    brokered: bool | None = None
    data_classes: tuple[str, ...] | None = None
    workflow_id: str | None = None
    aliases: tuple[str, ...] = ()


class Grant(_Record, frozen=True, kw_only=True, tag_field="type", tag="grant"):
    """A right to use a role on targets, from ``starts_at`` until ``expires_at`` or ``ended_at``, whichever is first."""

    subject: str | None = None
    requester: str | None = None
    role: str | None = None
    targets: tuple[str, ...] | None = None
    basis: GrantBasis | None = None
    privileged: bool | None = None
    requested_at: int | None = None
    starts_at: int | None = None
    expires_at: int | None = None
    ended_at: int | None = None
    end_reason: Literal["expired", "revoked", "used", "superseded"] | None = None
    removed_at: int | None = None
    purpose: str | None = None
    ticket_keys: tuple[str, ...] | None = None
    state: Literal["requested", "active", "ended", "denied"] | None = None
    scope_level: Literal["resource", "group", "environment", "global"] | None = None
    wildcard: bool | None = None
    scope_digest: str | None = None
    required_approvals: int | None = None
    credential_ref: str | None = None
    workflow_id: str | None = None
    data_access_approved: bool | None = None
    last_used_at: int | None = None


class Approval(_Record, frozen=True, kw_only=True, tag_field="type", tag="approval"):
    """One decision by one approver about one grant (or about the session that used it at once)."""

    grant_id: str | None = None
    session_id: str | None = None
    decision: Decision | None = None
    requested_at: int | None = None
    decided_at: int | None = None
    approver: str | None = None
    mode: ApprovalMode | None = None
    group: str | None = None
    scope_digest: str | None = None
    approved_until: int | None = None
    policy_id: str | None = None
    comment: str | None = None


class Session(_Record, frozen=True, kw_only=True, tag_field="type", tag="session"):
    """One use of privileged access. ``run_as`` is the account on the target, ``subject`` who came through the door.

    ``via`` is the jump host it passed through; ``supervised`` says that somebody watched it while it ran.
    """

    subject: str | None = None
    subject_kind: IdentityKind | None = None
    initiator: str | None = None
    run_as: str | None = None
    target: str | None = None
    role: str | None = None
    protocol: str | None = None
    interactive: bool | None = None
    privileged: bool | None = None
    client_address: str | None = None
    started_at: int | None = None
    ended_at: int | None = None
    status: SessionStatus | None = None
    exit_code: int | None = None
    mfa: bool | None = None
    mfa_at: int | None = None
    mfa_method: str | None = None
    grant_ids: tuple[str, ...] | None = None
    credential_ref: str | None = None
    ticket_keys: tuple[str, ...] | None = None
    recording_policy: Literal["on", "off"] | None = None
    max_idle_ms: int | None = None
    end_reason: str | None = None
    delegator: str | None = None
    policy_id: str | None = None
    supervised: bool | None = None
    via: str | None = None


class SessionEvent(_Record, frozen=True, kw_only=True, tag_field="type", tag="session_event"):
    """One command, query or call inside a session. ``text`` is redacted; ``text_sha256`` is of the original.

    ``parent_id`` is the event that caused it, ``downstream`` the target that it touched besides the session's own;
    ``masked`` says that what it returned was masked, ``within_policy`` that the policy it ran under allows it.
    """

    session_id: str | None = None
    seq: int | None = None
    at: int | None = None
    kind: Literal["command", "query", "api", "file", "denied", "join", "leave"] | None = None
    text: str | None = None
    text_sha256: str | None = None
    outcome: Literal["ok", "error", "denied"] | None = None
    rows: int | None = None
    parent_id: str | None = None
    tool: str | None = None
    credential_ref: str | None = None
    within_policy: bool | None = None
    masked: bool | None = None
    privileged: bool | None = None
    downstream: str | None = None


class Recording(_Record, frozen=True, kw_only=True, tag_field="type", tag="recording"):
    """What is known of a session's recording. ``verified`` means we fetched and hashed the bytes ourselves.

    ``chained`` says that its parts are linked by hashes, ``retrievable`` whether it could be read when somebody last
    tried, at ``retrieved_at``; ``retention_class`` names the rule by which it is kept, ``on_hold`` that it must be.
    """

    session_id: str | None = None
    state: RecordingState | None = None
    kind: RecordingKind | None = None
    starts_at: int | None = None
    ends_at: int | None = None
    coverage: float | None = None
    size: int | None = None
    sha256: str | None = None
    verified_sha256: str | None = None
    verified_at: int | None = None
    registered_at: int | None = None
    immutable: bool | None = None
    location: str | None = None
    chained: bool | None = None
    retrievable: bool | None = None
    retrieved_at: int | None = None
    disposed_at: int | None = None
    retention_class: str | None = None
    on_hold: bool | None = None


class RecorderEvent(_Record, frozen=True, kw_only=True, tag_field="type", tag="recorder_event"):
    """Something that happened to a recorder: switched off, failed, weakened, alive."""

    at: int | None = None
    action: RecorderAction | None = None
    target: str | None = None
    actor: str | None = None
    ticket_keys: tuple[str, ...] | None = None


class Ticket(_Record, frozen=True, kw_only=True, tag_field="type", tag="ticket"):
    """A change, incident or request that gives a reason. ``id`` is its key, such as ``INC-17``.

    ``session_id`` and ``event_id`` name what it was raised about, as an incident is about what somebody did.
    """

    kind: TicketKind | None = None
    status: str | None = None
    priority: str | None = None
    opened_at: int | None = None
    closed_at: int | None = None
    outcome: Literal["solved", "partly", "not_solved"] | None = None
    url: str | None = None
    session_id: str | None = None
    event_id: str | None = None


class Review(_Record, frozen=True, kw_only=True, tag_field="type", tag="review"):
    """Somebody looked, and said what they found.

    An ``access`` review without a grant is a campaign over all rights. Each of its decisions is an ``access_item`` that
    names it by ``campaign_id``, with the grant or the person (``subject``) decided on, ``outcome`` keep, change or
    remove, ``completed_at`` the decision, ``executed_at`` the change it led to, ``verified_removed`` whether it was
    seen on the target. ``population_count`` is what the campaign put before its reviewers, ``snapshot_count`` what an
    independent snapshot of the targets held. A ``pattern`` review names in ``subject`` the person it is about.
    """

    kind: ReviewKind | None = None
    session_id: str | None = None
    grant_id: str | None = None
    event_id: str | None = None
    reviewer: str | None = None
    due_at: int | None = None
    completed_at: int | None = None
    outcome: str | None = None
    subject: str | None = None
    campaign_id: str | None = None
    population_count: int | None = None
    snapshot_count: int | None = None
    executed_at: int | None = None
    verified_removed: bool | None = None


class AccessEvent(_Record, frozen=True, kw_only=True, tag_field="type", tag="access_event"):
    """A login that the target itself saw, whoever brokered it."""

    at: int | None = None
    target: str | None = None
    account: str | None = None
    privileged: bool | None = None
    client_address: str | None = None
    method: str | None = None
    credential_ref: str | None = None
    session_id: str | None = None


class Alert(_Record, frozen=True, kw_only=True, tag_field="type", tag="alert"):
    """An alarm about one record, named by its type and id."""

    about_type: str | None = None
    about_id: str | None = None
    raised_at: int | None = None
    acknowledged_at: int | None = None
    acknowledged_by: str | None = None


class Credential(_Record, frozen=True, kw_only=True, tag_field="type", tag="credential"):
    """A secret or certificate of an identity; never its value."""

    subject: str | None = None
    kind: str | None = None
    privileged: bool | None = None
    issued_at: int | None = None
    expires_at: int | None = None
    last_used_at: int | None = None
    rotated_at: int | None = None


class Workflow(_Record, frozen=True, kw_only=True, tag_field="type", tag="workflow"):
    """A privileged workflow, its accountable business owner and its rules."""

    name: str | None = None
    active: bool | None = None
    business_owner: str | None = None
    technical_operator: str | None = None
    owner_confirmed_at: int | None = None
    approvers: tuple[str, ...] | None = None
    auto_policies: tuple[str, ...] | None = None
    recording_required: bool | None = None
    accepted_recording_kinds: tuple[RecordingKind, ...] | None = None
    allowed_shared_accounts: tuple[str, ...] | None = None
    allowed_broad_roles: tuple[str, ...] | None = None
    retention_documented: bool | None = None


class Waiver(_Record, frozen=True, kw_only=True, tag_field="type", tag="waiver"):
    """An approved, dated acceptance of a risk. Empty scope fields do not restrict; it covers named tests only."""

    test_ids: tuple[str, ...] | None = None
    targets: tuple[str, ...] | None = None
    subjects: tuple[str, ...] | None = None
    items: tuple[str, ...] | None = None
    reason: str | None = None
    risk_owner: str | None = None
    requested_by: str | None = None
    approved_by: str | None = None
    approved_at: int | None = None
    expires_at: int | None = None
    renewals: int | None = None
    compensating_controls: tuple[str, ...] | None = None


class LegalHold(_Record, frozen=True, kw_only=True, tag_field="type", tag="legal_hold"):
    """An order to keep evidence unchanged."""

    matter_ref: str | None = None
    custodian: str | None = None
    placed_by: str | None = None
    placed_at: int | None = None
    lifted_at: int | None = None
    matched_count: int | None = None
    present_count: int | None = None
    changed_count: int | None = None


AccessRecord = (
    Identity
    | Account
    | Target
    | Grant
    | Approval
    | Session
    | SessionEvent
    | Recording
    | RecorderEvent
    | Ticket
    | Review
    | AccessEvent
    | Alert
    | Credential
    | Workflow
    | Waiver
    | LegalHold
)

RECORD_CLASSES: dict[RecordType, type[AccessRecord]] = {
    RecordType(cls.__struct_config__.tag): cls for cls in get_args(AccessRecord)
}


def record_type(record: AccessRecord) -> RecordType:
    """Return the kind of an access record."""
    return RecordType(str(record.__struct_config__.tag))


class Observation(msgspec.Struct, frozen=True, kw_only=True):
    """What one source record says about one access record.

    Attributes:
        source: the configured name of the source, such as ``teleport-prod``.
        ledger_index: index of the ledger entry that holds the source record.
        observed_at: the instant for which the source says it, epoch milliseconds; orders observations of one record.
        record: what it says.
    """

    source: str
    ledger_index: int
    observed_at: int
    record: AccessRecord
