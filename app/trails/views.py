# SPDX-License-Identifier: Apache-2.0

"""From records to the views that rows are made of, with logins, people and targets resolved.

In:  folded records. Out: views, and, in ``used``, the ledger entries each of them rests on.
Where a row needs a yes or no and the record says neither, the answer is the one that gets the item tested: access is
privileged, a workflow is active and wants recordings. An account is shared or break-glass only where a record says so.
"""

import msgspec

from app.records.folding import FoldedRecord
from app.records.model import (
    AccessEvent,
    Account,
    Alert,
    Approval,
    Grant,
    Identity,
    RecorderEvent,
    Recording,
    Review,
    Session,
    SessionEvent,
    Target,
    Ticket,
    Workflow,
)
from app.trails.grants import ends_at
from app.trails.identities import IdentityIndex, Resolution, status_at
from app.trails.model import Basis
from app.trails.populations import (
    AccessEventView,
    AccountView,
    AlertView,
    ApprovalView,
    EventView,
    GrantView,
    IdentityView,
    RecorderEventView,
    RecordingView,
    ReviewView,
    SessionRef,
    SessionView,
    TargetView,
    TicketView,
    WorkflowView,
)
from app.trails.targets import TargetIndex

_UNKNOWN = "unknown"


class FirstUse(msgspec.Struct, frozen=True, order=True):
    """When an account was first used in the period, and the ledger entries that say so."""

    at: int
    ledger: tuple[int, ...]


class Views:
    """Makes the views of one row.

    Args:
        identities: all identities.
        targets: all targets.
        at: the row's instant; people's status is told as of then.

    Attributes:
        used: ledger indices of everything that was read for the row.
    """

    def __init__(self, identities: IdentityIndex, targets: TargetIndex, at: int) -> None:
        self._identities = identities
        self._targets = targets
        self._at = at
        self.used: set[int] = set()

    def identity(self, identity: FoldedRecord[Identity]) -> IdentityView:
        """Return an identity with its owner, as of the row's instant."""
        self.used.update(identity.ledger)
        said = identity.record
        owner = self._responsible(identity.source, said.owner)
        return IdentityView(
            id=self._identities.key(identity),
            display=said.display or said.email or said.id,
            kind=said.kind or _UNKNOWN,
            person_id=said.person_id,
            status=status_at(said, self._at),
            employment_end_at=said.employment_end_at,
            manager_person_id=said.manager_person_id,
            owner_id=self._id(owner, said.owner),
            owner_status=self._status(owner, self._at),
            owner_kind=_kind(owner),
            purpose=said.purpose,
            privileged=said.privileged,
        )

    def account(self, account: FoldedRecord[Account], first_use: FirstUse | None) -> AccountView:
        """Return an account; the people named for it are ids where known, else the inventory's spelling."""
        self.used.update(account.ledger)
        self.used.update(() if first_use is None else first_use.ledger)
        said, source = account.record, account.source
        holder = self.login(source, said.subject)
        return AccountView(
            id=said.id,
            name=said.name or said.id,
            target_id=self._targets.id(source, said.target),
            identity_id=self._id(holder, None),
            identity_status=self._status(holder, self._at),
            shared=bool(said.shared),
            privileged=said.privileged is not False,
            enabled=said.enabled,
            break_glass=bool(said.break_glass),
            created_at=said.created_at,
            last_login_at=said.last_login_at,
            rotated_at=said.rotated_at,
            service_owner_id=self.responsible_id(source, said.service_owner),
            owner_id=self.responsible_id(source, said.owner),
            reviewer_id=self.responsible_id(source, said.reviewer),
            owner_assigned_at=said.owner_assigned_at,
            first_use_in_period=None if first_use is None else first_use.at,
            alert_configured=said.alert_configured,
            last_tested_at=said.last_tested_at,
        )

    def target(self, target: FoldedRecord[Target]) -> TargetView:
        """Return a target."""
        self.used.update(target.ledger)
        said = target.record
        return TargetView(
            id=self._targets.id(target.source, said.id) or said.id,
            name=said.name or said.id,
            env=said.env,
            brokered=said.brokered,
            data_classes=None if said.data_classes is None else sorted(said.data_classes),
        )

    def workflow(self, workflow: FoldedRecord[Workflow]) -> WorkflowView:
        """Return a workflow; approvers nobody is known for keep their spelling, which no approver's id can equal."""
        self.used.update(workflow.ledger)
        said, source = workflow.record, workflow.source
        owner = self._responsible(source, said.business_owner)
        operator = self._responsible(source, said.technical_operator)
        return WorkflowView(
            id=said.id,
            name=said.name or said.id,
            active=said.active is not False,
            business_owner_id=self._id(owner, said.business_owner),
            owner_status=self._status(owner, self._at),
            owner_kind=_kind(owner),
            technical_operator_id=self._id(operator, said.technical_operator),
            owner_confirmed_at=said.owner_confirmed_at,
            approver_ids=None if said.approvers is None else self._approver_ids(source, said.approvers),
            auto_policies=sorted(said.auto_policies or ()),
            recording_required=said.recording_required is not False,
            accepted_recording_kinds=sorted(said.accepted_recording_kinds or ()),
            allowed_shared_accounts=sorted(said.allowed_shared_accounts or ()),
            allowed_broad_roles=sorted(said.allowed_broad_roles or ()),
            retention_documented=said.retention_documented,
        )

    def grant(self, grant: FoldedRecord[Grant], basis: Basis) -> GrantView:
        """Return a grant with the person it is for and the person who asked."""
        self.used.update(grant.ledger)
        said, source = grant.record, grant.source
        return GrantView(
            id=said.id,
            subject=said.subject,
            person_id=self._person(source, said.subject),
            requester=said.requester,
            requester_person_id=self._person(source, said.requester),
            role=said.role,
            target_ids=sorted({self._targets.id(source, each) or each for each in said.targets or ()}),
            basis=said.basis or _UNKNOWN,
            privileged=said.privileged is not False,
            requested_at=said.requested_at,
            starts_at=said.starts_at,
            expires_at=said.expires_at,
            ends_at=ends_at(said),
            removed_at=said.removed_at,
            purpose=said.purpose,
            scope_level=said.scope_level,
            wildcard=said.wildcard,
            scope_digest=said.scope_digest,
            required_approvals=said.required_approvals,
            link_basis=basis,
        )

    def approval(self, approval: FoldedRecord[Approval], basis: Basis) -> ApprovalView:
        """Return a decision; the approver's status is told as of the decision."""
        self.used.update(approval.ledger)
        said = approval.record
        approver = self.login(approval.source, said.approver)
        return ApprovalView(
            id=said.id,
            decision=said.decision or _UNKNOWN,
            mode=said.mode or _UNKNOWN,
            requested_at=said.requested_at,
            decided_at=said.decided_at,
            approver=said.approver,
            approver_id=self._id(approver, None),
            approver_person_id=None if approver.identity is None else approver.identity.record.person_id,
            approver_status=self._status(approver, said.decided_at),
            approver_kind=_kind(approver),
            scope_digest=said.scope_digest,
            approved_until=said.approved_until,
            policy_id=said.policy_id,
            link_basis=basis,
        )

    def session(
        self, session: FoldedRecord[Session], person_id: str | None, basis: Basis, candidates: int
    ) -> SessionView:
        """Return a session. A session with a known end is closed, whatever the last word on its status was."""
        self.used.update(session.ledger)
        said = session.record
        ended = said.status == "open" and said.ended_at is not None
        return SessionView(
            id=said.id,
            subject=said.subject,
            initiator_person_id=person_id,
            run_as=said.run_as,
            target_id=self._targets.id(session.source, said.target),
            role=said.role,
            protocol=said.protocol,
            interactive=said.interactive,
            privileged=said.privileged is not False,
            client_address=said.client_address,
            started_at=said.started_at,
            ended_at=said.ended_at,
            status="closed" if ended else said.status or _UNKNOWN,
            mfa=said.mfa,
            mfa_at=said.mfa_at,
            mfa_method=said.mfa_method,
            max_idle=said.max_idle_ms,
            recording_policy=said.recording_policy,
            delegator=said.delegator,
            policy_id=said.policy_id,
            grant_link=basis,
            grant_candidates=candidates,
        )

    def session_ref(self, session: FoldedRecord[Session]) -> SessionRef:
        """Return a session as another item sees it; ``id`` is its item id, for it may be another source's."""
        self.used.update(session.ledger)
        said = session.record
        return SessionRef(
            id=session.item_id,
            run_as=said.run_as,
            target_id=self._targets.id(session.source, said.target),
            started_at=said.started_at,
            ended_at=said.ended_at,
        )

    def event(self, event: FoldedRecord[SessionEvent]) -> EventView:
        """Return a command or query."""
        self.used.update(event.ledger)
        said = event.record
        return EventView(
            id=said.id,
            seq=said.seq,
            at=said.at,
            kind=said.kind or _UNKNOWN,
            text=said.text,
            text_sha256=said.text_sha256,
            outcome=said.outcome,
        )

    def recording(self, recording: FoldedRecord[Recording]) -> RecordingView:
        """Return what is known of a recording."""
        self.used.update(recording.ledger)
        said = recording.record
        return RecordingView(
            id=said.id,
            state=said.state or _UNKNOWN,
            kind=said.kind,
            starts_at=said.starts_at,
            ends_at=said.ends_at,
            coverage=said.coverage,
            sha256=said.sha256,
            verified_sha256=said.verified_sha256,
            verified_at=said.verified_at,
            registered_at=said.registered_at,
            immutable=said.immutable,
        )

    def ticket(self, ticket: FoldedRecord[Ticket], basis: Basis) -> TicketView:
        """Return a ticket."""
        self.used.update(ticket.ledger)
        said = ticket.record
        return TicketView(
            id=said.id,
            kind=said.kind,
            status=said.status,
            priority=said.priority,
            opened_at=said.opened_at,
            closed_at=said.closed_at,
            outcome=said.outcome,
            link_basis=basis,
        )

    def review(self, review: FoldedRecord[Review]) -> ReviewView:
        """Return a review with the person who did it."""
        self.used.update(review.ledger)
        said = review.record
        reviewer = self._responsible(review.source, said.reviewer)
        return ReviewView(
            id=said.id,
            kind=said.kind or _UNKNOWN,
            reviewer_id=self._id(reviewer, said.reviewer),
            reviewer_person_id=None if reviewer.identity is None else reviewer.identity.record.person_id,
            due_at=said.due_at,
            completed_at=said.completed_at,
            outcome=said.outcome,
        )

    def alert(self, alert: FoldedRecord[Alert]) -> AlertView:
        """Return an alarm with the person who took it."""
        self.used.update(alert.ledger)
        said = alert.record
        taker = self._responsible(alert.source, said.acknowledged_by)
        return AlertView(
            id=said.id,
            raised_at=said.raised_at,
            acknowledged_at=said.acknowledged_at,
            acknowledged_by=said.acknowledged_by,
            acknowledged_by_person_id=None if taker.identity is None else taker.identity.record.person_id,
        )

    def access_event(self, event: FoldedRecord[AccessEvent]) -> AccessEventView:
        """Return a login that a target saw."""
        self.used.update(event.ledger)
        said = event.record
        return AccessEventView(
            id=said.id,
            occurred_at=said.at,
            target_id=self._targets.id(event.source, said.target),
            account=said.account,
            privileged=said.privileged is not False,
            client_address=said.client_address,
            method=said.method,
        )

    def recorder_event(self, event: FoldedRecord[RecorderEvent]) -> RecorderEventView:
        """Return what happened to a recorder, and who did it."""
        self.used.update(event.ledger)
        said = event.record
        actor = self.login(event.source, said.actor)
        return RecorderEventView(
            id=said.id,
            occurred_at=said.at,
            action=said.action or _UNKNOWN,
            target_id=self._targets.id(event.source, said.target),
            actor_id=self._id(actor, said.actor),
            actor_person_id=None if actor.identity is None else actor.identity.record.person_id,
        )

    def login(self, source: str, subject: str | None) -> Resolution:
        """Resolve a login and note what that rests on."""
        return self._noted(self._identities.resolve(source, subject))

    def responsible_id(self, source: str, text: str | None) -> str | None:
        """Return the id of a responsible person, or the record's own spelling where nobody is known by it."""
        return self._id(self._responsible(source, text), text)

    def _responsible(self, source: str, text: str | None) -> Resolution:
        return self._noted(self._identities.named(source, text))

    def _noted(self, resolution: Resolution) -> Resolution:
        if resolution.identity is not None:
            self.used.update(resolution.identity.ledger)
        return resolution

    def _person(self, source: str, subject: str | None) -> str | None:
        identity = self.login(source, subject).identity
        return None if identity is None else identity.record.person_id

    def _id(self, resolution: Resolution, otherwise: str | None) -> str | None:
        return otherwise if resolution.identity is None else self._identities.key(resolution.identity)

    def _status(self, resolution: Resolution, at: int | None) -> str | None:
        return None if resolution.identity is None else status_at(resolution.identity.record, at)

    def _approver_ids(self, source: str, approvers: tuple[str, ...]) -> list[str]:
        return sorted({self._id(self._responsible(source, each), each) or each for each in approvers})


def _kind(resolution: Resolution) -> str | None:
    return None if resolution.identity is None else resolution.identity.record.kind
