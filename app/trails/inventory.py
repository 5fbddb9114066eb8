# SPDX-License-Identifier: Apache-2.0

"""Rows of the other populations: identities, accounts, logins seen by targets, recorder events, workflows, waivers.

In:  single records and what was linked to them. Out: one row per item.
An inventory is judged as it stands at the end of the period, or at ``as_of`` where the period is still running.
"""

from app.records.folding import FoldedRecord
from app.records.model import AccessEvent, Account, Grant, RecorderEvent, Review, Session, Waiver, Workflow
from app.trails.identities import Person
from app.trails.populations import (
    AccessEventRow,
    AccountRow,
    IdentityRow,
    RecorderEventRow,
    WaiverRow,
    WaiverView,
    WorkflowRow,
)
from app.trails.rows import Frame
from app.trails.tickets import find_tickets
from app.trails.waivers import Scope


def identity_row(
    frame: Frame,
    identity: Person,
    *,
    grants: list[FoldedRecord[Grant]],
    sessions: list[FoldedRecord[Session]],
    reviews: list[FoldedRecord[Review]],
) -> IdentityRow:
    """Return the row of one identity, with the rights and sessions of the person, and reviews about them."""
    views = frame.views(frame.state_at)
    return IdentityRow(
        identity=views.identity(identity),
        grants=[views.grant(each, "exact") for each in grants],
        sessions=[views.session_ref(each) for each in sessions],
        reviews=[views.review(each) for each in reviews],
        **frame.shared(
            item_id=identity.item_id,
            source=identity.source,
            at=frame.state_at,
            views=views,
            scope=Scope(item_id=identity.item_id, subjects=frame.index.waivers.person(identity)),
        ),
    )


def account_row(frame: Frame, account: FoldedRecord[Account]) -> AccountRow:
    """Return the row of one account."""
    index, said, source = frame.index, account.record, account.source
    views = frame.views(frame.state_at)
    holder = views.login(source, said.subject).identity
    target = index.targets.resolve(source, said.target)
    scope = Scope(
        item_id=account.item_id,
        subjects=index.waivers.subjects(source, said.subject),
        targets=frame.target_keys(source, [said.target]),
    )
    return AccountRow(
        account=views.account(account, frame.first_uses.get(account.item_id)),
        identity=None if holder is None else views.identity(holder),
        target=None if target is None else views.target(target),
        **frame.shared(item_id=account.item_id, source=source, at=frame.state_at, views=views, scope=scope),
    )


def access_event_row(
    frame: Frame, event: FoldedRecord[AccessEvent], at: int, sessions: list[FoldedRecord[Session]]
) -> AccessEventRow:
    """Return the row of one login that a target saw; ``sessions`` are those that explain it."""
    index, said, source = frame.index, event.record, event.source
    views = frame.views(at)
    target = index.targets.resolve(source, said.target)
    scope = Scope(
        item_id=event.item_id,
        subjects=index.waivers.subjects(source, said.account),
        targets=frame.target_keys(source, [said.target]),
    )
    return AccessEventRow(
        access_event=views.access_event(event),
        target=None if target is None else views.target(target),
        sessions=[views.session_ref(each) for each in sessions],
        alerts=[views.alert(each) for each in index.access_event_alerts.of(event.item_id)],
        **frame.shared(item_id=event.item_id, source=source, at=at, views=views, scope=scope),
    )


def recorder_event_row(frame: Frame, event: FoldedRecord[RecorderEvent], at: int) -> RecorderEventRow:
    """Return the row of one recorder event."""
    index, said, source = frame.index, event.record, event.source
    views = frame.views(at)
    target = index.targets.resolve(source, said.target)
    tickets, _ = find_tickets(index.tickets, event.item_id, source, said.ticket_keys or (), None)
    scope = Scope(
        item_id=event.item_id,
        subjects=index.waivers.subjects(source, said.actor),
        targets=frame.target_keys(source, [said.target]),
    )
    return RecorderEventRow(
        recorder_event=views.recorder_event(event),
        target=None if target is None else views.target(target),
        alerts=[views.alert(each) for each in index.recorder_event_alerts.of(event.item_id)],
        tickets=[views.ticket(each.ticket, each.basis) for each in tickets],
        **frame.shared(item_id=event.item_id, source=source, at=at, views=views, scope=scope),
    )


def workflow_row(frame: Frame, workflow: FoldedRecord[Workflow]) -> WorkflowRow:
    """Return the row of one workflow."""
    views = frame.views(frame.state_at)
    return WorkflowRow(
        workflow=views.workflow(workflow),
        **frame.shared(item_id=workflow.item_id, source=workflow.source, at=frame.state_at, views=views),
    )


def in_period(waiver: FoldedRecord[Waiver], frame: Frame) -> bool:
    """Tell whether a waiver may have been in force in the period; one without dates may always have been."""
    approved, expires = waiver.record.approved_at, waiver.record.expires_at
    before_its_end = approved is None or approved < frame.period.end
    return before_its_end and (expires is None or expires > frame.period.start)


def waiver_row(frame: Frame, waiver: FoldedRecord[Waiver]) -> WaiverRow:
    """Return the row of one waiver, in order or not; its people are ids where known."""
    said, source = waiver.record, waiver.source
    views = frame.views(frame.state_at)
    views.used.update(waiver.ledger)
    return WaiverRow(
        waiver=WaiverView(
            id=said.id,
            test_ids=sorted(set(said.test_ids or ())),
            reason=said.reason,
            risk_owner_id=views.responsible_id(source, said.risk_owner),
            requested_by=views.responsible_id(source, said.requested_by),
            approved_by=views.responsible_id(source, said.approved_by),
            approved_at=said.approved_at,
            expires_at=said.expires_at,
            renewals=said.renewals,
            compensating_controls=sorted(said.compensating_controls or ()),
        ),
        **frame.shared(item_id=waiver.item_id, source=source, at=frame.state_at, views=views),
    )
