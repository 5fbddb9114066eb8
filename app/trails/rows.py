# SPDX-License-Identifier: Apache-2.0

"""Rows of the populations ``session`` and ``grant``.

In:  linked sessions, grants, and the frame: period, evidence, waivers. Out: one row per item, judged alone later.
"""

from collections.abc import Iterable, Mapping
from typing import TypedDict

import msgspec

from app.records.folding import FoldedRecord
from app.records.model import Grant, Target
from app.trails.evidence import Evidence
from app.trails.flags import Flags
from app.trails.grants import ends_at
from app.trails.index import TrailIndex
from app.trails.populations import (
    AccountView,
    EvidenceView,
    GrantRow,
    IdentityView,
    PeriodView,
    SessionRow,
    SessionView,
    TargetView,
    WaiverRef,
    WorkflowView,
)
from app.trails.sessions import LinkedApproval, LinkedSession, grant_tickets, ordered
from app.trails.views import Use, Views
from app.trails.waivers import Scope


class Shared(TypedDict):
    """The fields that the rows of every population share."""

    item_id: str
    source: str
    at: int
    ledger: list[int]
    period: PeriodView
    evidence: EvidenceView
    waivers: list[WaiverRef]


class SessionParts(TypedDict):
    """A session with who and what it belongs to, as the rows of several populations show it."""

    session: SessionView
    identity: IdentityView | None
    account: AccountView | None
    target: TargetView | None
    workflow: WorkflowView | None


class Frame(msgspec.Struct, frozen=True, kw_only=True):
    """What all rows of one build have in common.

    ``first_uses`` is by the item id of the account, ``last_uses`` by that of the grant; ``flags`` judges texts.
    """

    index: TrailIndex
    period: PeriodView
    evidence: Evidence
    first_uses: Mapping[str, Use]
    last_uses: Mapping[str, Use]
    flags: Flags

    @property
    def state_at(self) -> int:
        """Return the instant for which inventories are judged: the last of the period that has been seen."""
        return max(self.period.start, min(self.period.end - 1, self.period.as_of))

    def views(self, at: int) -> Views:
        """Return fresh views as of an instant."""
        return Views(self.index.identities, self.index.targets, at)

    def shared(
        self,
        *,
        item_id: str,
        source: str,
        at: int,
        views: Views,
        scope: Scope | None = None,
        decided: int | None = None,
    ) -> Shared:
        """Return a row's shared fields; call it last, when ``views`` has seen everything the row rests on."""
        waivers, behind = self.index.waivers.covering(at, scope or Scope(item_id=item_id))
        return Shared(
            item_id=item_id,
            source=source,
            at=at,
            ledger=sorted(views.used | behind),
            period=self.period,
            evidence=self.evidence.at(at, decided=decided),
            waivers=waivers,
        )

    def target_keys(self, source: str, targets: Iterable[str | None]) -> frozenset[str]:
        """Return the joining keys of targets, for a waiver's scope."""
        return frozenset(key for each in targets if (key := self.index.targets.key(source, each)) is not None)


def session_row(frame: Frame, linked: LinkedSession) -> SessionRow:
    """Return the row of one session."""
    index, session, match = frame.index, linked.session, linked.match
    item_id = session.item_id
    views = frame.views(linked.at)
    grants = [views.grant(each, match.basis) for each in match.grants]
    return SessionRow(
        **session_parts(frame, views, linked),
        grant=None if match.grant is None else grants[match.grants.index(match.grant)],
        grants=grants,
        approvals=[views.approval(each.approval, each.basis) for each in linked.approvals],
        tickets=[views.ticket(each.ticket, each.basis) for each in linked.tickets],
        recordings=[views.recording(each) for each in index.recordings.of(item_id)],
        events=[views.event_ref(each, frame.flags.of(each.record.text)) for each in index.events.of(item_id)],
        reviews=[views.review(each) for each in index.session_reviews.of(item_id)],
        alerts=[views.alert(each) for each in index.session_alerts.of(item_id)],
        # Last: what the views above have read is the row's ledger.
        **frame.shared(
            item_id=item_id,
            source=session.source,
            at=linked.at,
            views=views,
            scope=session_scope(frame, linked, item_id),
        ),
    )


def session_parts(frame: Frame, views: Views, linked: LinkedSession) -> SessionParts:
    """Return the views of a session and of who and what it belongs to."""
    match = linked.match
    views.login(linked.session.source, linked.session.record.initiator)
    views.used.update(match.ledger)
    return SessionParts(
        session=views.session(linked.session, linked.person_id, match.basis, len(match.grants)),
        identity=None if linked.person is None else views.identity(linked.person),
        account=None
        if linked.account is None
        else views.account(linked.account, frame.first_uses.get(linked.account.item_id)),
        target=None if linked.target is None else views.target(linked.target),
        workflow=None if linked.workflow is None else views.workflow(linked.workflow),
    )


def session_scope(frame: Frame, linked: LinkedSession, item_id: str) -> Scope:
    """Return what a waiver can name of an item that belongs to a session: the session's people and target."""
    source, said = linked.session.source, linked.session.record
    subjects = frame.index.waivers.subjects(source, said.subject)
    if linked.person is not None:
        subjects |= frame.index.waivers.person(linked.person)
    return Scope(item_id=item_id, subjects=subjects, targets=frame.target_keys(source, [said.target]))


def grant_start(grant: FoldedRecord[Grant]) -> int:
    """Return when a right began: its start, else its request, else when it was first heard of."""
    said = grant.record
    known = (each for each in (said.starts_at, said.requested_at) if each is not None)
    return next(known, grant.first_observed_at)


def in_force(grant: FoldedRecord[Grant], period: PeriodView) -> bool:
    """Tell whether a right started, or was in force, in the period. What was only asked for, or denied, is none."""
    end = ends_at(grant.record)
    if grant.record.state in ("requested", "denied"):
        return False
    start = grant_start(grant)
    return start < period.end and (end is None or end > period.start or start >= period.start)


def grant_row(frame: Frame, grant: FoldedRecord[Grant], sessions: list[LinkedSession]) -> GrantRow:
    """Return the row of one grant; ``sessions`` are those known to have used it.

    Its instant is its start, or the start of the period for a right that was there before: a row belongs to a day of
    the period, and evidence and waivers of the period apply. Approvals are expected at the true start.
    """
    index, said, source = frame.index, grant.record, grant.source
    start = grant_start(grant)
    at = max(start, frame.period.start)
    views = frame.views(at)
    holder = views.login(source, said.subject).identity
    target = only_target(index, grant)
    workflow = index.workflow(source, said.workflow_id)
    if workflow is None and target is not None:
        workflow = index.workflow(target.source, target.record.workflow_id)
    certain = [each for each in sessions if each.match.basis in ("exact", "derived")]
    approvals = {each.item_id: LinkedApproval(each, "exact") for each in index.grant_approvals.of(grant.item_id)}
    tickets = {each.ticket.item_id: each for each in grant_tickets(index, grant)[0]}
    for used in certain:
        for approval in index.session_approvals.of(used.session.item_id):
            approvals.setdefault(approval.item_id, LinkedApproval(approval, used.match.basis))
        for ticket in used.tickets:
            tickets.setdefault(ticket.ticket.item_id, ticket)
    scope = Scope(
        item_id=grant.item_id,
        subjects=index.waivers.subjects(source, said.subject),
        targets=frame.target_keys(source, said.targets or ()),
    )
    return GrantRow(
        grant=views.grant(grant, "exact", frame.last_uses.get(grant.item_id)),
        identity=None if holder is None else views.identity(holder),
        target=None if target is None else views.target(target),
        workflow=None if workflow is None else views.workflow(workflow),
        approvals=[views.approval(each.approval, each.basis) for each in ordered(list(approvals.values()))],
        tickets=[views.ticket(tickets[each].ticket, tickets[each].basis) for each in sorted(tickets)],
        reviews=[views.review(each) for each in index.grant_reviews.of(grant.item_id)],
        sessions=[views.session_ref(each.session) for each in sessions],
        # Last: what the views above have read is the row's ledger.
        **frame.shared(item_id=grant.item_id, source=source, at=at, views=views, scope=scope, decided=start),
    )


def only_target(index: TrailIndex, grant: FoldedRecord[Grant]) -> FoldedRecord[Target] | None:
    """Return the one target a grant is for; None where it has several, or one that no inventory knows."""
    found = {each: index.targets.resolve(grant.source, each) for each in grant.record.targets or ()}
    targets = {None if each is None else each.item_id: each for each in found.values()}
    return next(iter(targets.values())) if len(targets) == 1 else None
