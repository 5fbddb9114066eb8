# SPDX-License-Identifier: Apache-2.0

"""The populations: what one item of each looks like to a control test.

One row is one item with everything linked to it, so a row can be judged alone: by SQL over millions, by the CEL
interpreter one at a time, and by an auditor who holds nothing but the Parquet file. These structs are the single source
of the CEL types, the Parquet schema and the reference page; ``| None`` in a type says that a field may be missing.

Instants (``Instant``) and spans (``Span``) are milliseconds; in CEL they are timestamps and durations.
"""

from app.trails.view_structs import (
    AccessEventView,
    AccountView,
    AlertView,
    ApprovalView,
    CredentialView,
    EventRef,
    EventView,
    EvidenceView,
    FlagView,
    GrantView,
    IdentityView,
    Instant,
    LegalHoldView,
    PeriodView,
    RecorderEventView,
    RecordingView,
    ReviewItemView,
    ReviewView,
    SessionRef,
    SessionView,
    SourceView,
    Span,
    TargetView,
    TicketView,
    View,
    WaiverRef,
    WaiverView,
    WorkflowView,
)

__all__ = [
    "DAILY",
    "POPULATIONS",
    "AccessEventRow",
    "AccessEventView",
    "AccountRow",
    "AccountView",
    "AlertView",
    "ApprovalView",
    "CredentialRow",
    "CredentialView",
    "EventRef",
    "EventView",
    "EvidenceView",
    "FlagView",
    "GrantRow",
    "GrantView",
    "IdentityRow",
    "IdentityView",
    "Instant",
    "LegalHoldRow",
    "LegalHoldView",
    "PeriodView",
    "RecorderEventRow",
    "RecorderEventView",
    "RecordingRow",
    "RecordingView",
    "ReviewItemView",
    "ReviewRow",
    "ReviewView",
    "Row",
    "SessionEventRow",
    "SessionRef",
    "SessionRow",
    "SessionView",
    "SourceRow",
    "SourceView",
    "Span",
    "TargetView",
    "TicketView",
    "WaiverRef",
    "WaiverRow",
    "WaiverView",
    "WorkflowRow",
    "WorkflowView",
]


class _Row(View, frozen=True, kw_only=True):
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
    """Population ``session``: sessions that started in the period. ``tickets`` are those that give a reason for it."""

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
    events: list[EventRef]
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
    """Population ``identity``: people and non-human actors known in the period. ``reviews`` are about the person."""

    identity: IdentityView
    grants: list[GrantView]
    sessions: list[SessionRef]
    reviews: list[ReviewView]


class AccountRow(_Row, frozen=True, kw_only=True):
    """Population ``account``: logins that exist on targets."""

    account: AccountView
    identity: IdentityView | None
    target: TargetView | None


class AccessEventRow(_Row, frozen=True, kw_only=True):
    """Population ``access_event``: logins seen by targets in the period. ``sessions`` are those that explain it."""

    access_event: AccessEventView
    target: TargetView | None
    sessions: list[SessionRef]
    alerts: list[AlertView]


class RecorderEventRow(_Row, frozen=True, kw_only=True):
    """Population ``recorder_event``."""

    recorder_event: RecorderEventView
    target: TargetView | None
    alerts: list[AlertView]
    tickets: list[TicketView]


class SessionEventRow(_Row, frozen=True, kw_only=True):
    """Population ``session_event``: commands and queries of the period, each with its session and its text.

    ``reviews`` and ``alerts`` are those of the event and those of its session that name no other event; ``tickets`` are
    the session's reasons, and what was raised about the event or about its session.
    """

    event: EventView
    session: SessionView | None
    identity: IdentityView | None
    account: AccountView | None
    target: TargetView | None
    workflow: WorkflowView | None
    grant: GrantView | None
    reviews: list[ReviewView]
    tickets: list[TicketView]
    alerts: list[AlertView]


class RecordingRow(_Row, frozen=True, kw_only=True):
    """Population ``recording``: recordings begun before the period's end and not disposed of before its start."""

    recording: RecordingView
    session: SessionView | None
    target: TargetView | None
    workflow: WorkflowView | None


class CredentialRow(_Row, frozen=True, kw_only=True):
    """Population ``credential``: secrets and certificates that had not expired before the period."""

    credential: CredentialView
    identity: IdentityView | None


class ReviewRow(_Row, frozen=True, kw_only=True):
    """Population ``review``: reviews due or completed in the period, with the decisions of those that are campaigns.

    ``previous_completed_at`` is when the last campaign of the same source and kind before this one was completed; only
    campaigns have it.
    """

    review: ReviewView
    items: list[ReviewItemView]
    previous_completed_at: Instant | None


class LegalHoldRow(_Row, frozen=True, kw_only=True):
    """Population ``legal_hold``: holds in force in the period."""

    legal_hold: LegalHoldView


class WorkflowRow(_Row, frozen=True, kw_only=True):
    """Population ``workflow``."""

    workflow: WorkflowView


class WaiverRow(_Row, frozen=True, kw_only=True):
    """Population ``waiver``: waivers in force in the period."""

    waiver: WaiverView


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
    | SessionEventRow
    | RecordingRow
    | CredentialRow
    | ReviewRow
    | LegalHoldRow
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
    "session_event": SessionEventRow,
    "recording": RecordingRow,
    "credential": CredentialRow,
    "review": ReviewRow,
    "legal_hold": LegalHoldRow,
    "workflow": WorkflowRow,
    "waiver": WaiverRow,
    "source": SourceRow,
}
"""Population name to row type; the name is also the record type that fills it, but for ``source``."""

DAILY = frozenset({"session", "session_event", "grant", "recording", "access_event", "recorder_event"})
"""Populations frozen into one segment per day (of ``at``, UTC); the others into one segment per period."""
