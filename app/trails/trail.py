# SPDX-License-Identifier: Apache-2.0

"""Tell one access as a trail: its row, why each part is there, and what happened when.

In:  a linked session or a grant. Out: an ``AccessTrail``. The row is the one control tests see, made by the same code.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import TypeVar, overload

from app.errors import NotFound
from app.records.folding import FoldedRecord
from app.records.model import AccessRecord, Approval, Grant, Session
from app.trails.grants import ends_at
from app.trails.index import TrailIndex
from app.trails.linking import sessions_in_period, sessions_of_period, users_of_grants
from app.trails.lookup import Attached
from app.trails.model import AccessTrail, Link, TrailStep, shown
from app.trails.rows import Frame, grant_row, session_row
from app.trails.sessions import LinkedSession, grant_tickets, link_session

ChildT = TypeVar("ChildT", bound=AccessRecord)


class SessionTrails(Sequence[AccessTrail]):
    """The trails of all sessions of a period, by item id. Each is linked when it is asked for, so a page costs a page.

    Rights that nobody used have a trail too: ask ``trail_of`` for it by the grant's item id.
    """

    def __init__(self, frame: Frame) -> None:
        self._frame = frame
        self._sessions = sessions_of_period(frame.index, frame.period)

    def __len__(self) -> int:
        return len(self._sessions)

    @overload
    def __getitem__(self, place: int) -> AccessTrail: ...

    @overload
    def __getitem__(self, place: slice) -> list[AccessTrail]: ...

    def __getitem__(self, place: int | slice) -> AccessTrail | list[AccessTrail]:
        if isinstance(place, int):
            return self._trail(self._sessions[place])
        return [self._trail(each) for each in self._sessions[place]]

    def _trail(self, session: FoldedRecord[Session]) -> AccessTrail:
        return session_trail(self._frame, link_session(self._frame.index, session))


def trail_of(frame: Frame, item_id: str) -> AccessTrail:
    """Return the trail of a session or grant by its item id, whether it lies in the period or not.

    Raises:
        NotFound: no session and no grant has this item id.
    """
    session = frame.index.sessions.item(item_id)
    if session is not None:
        return session_trail(frame, link_session(frame.index, session))
    grant = frame.index.grants.item(item_id)
    if grant is None:
        raise NotFound(f"there is no session or grant {shown(item_id)}", hint="Ids look like source/session/id")
    return grant_trail(frame, grant, users_of_grants(sessions_in_period(frame)).get(grant.item_id, []))


def session_trail(frame: Frame, linked: LinkedSession) -> AccessTrail:
    """Return the trail of one linked session."""
    index, item_id = frame.index, linked.session.item_id
    links = [
        *linked.links,
        *_approval_links(index, linked),
        *_children(item_id, "recording", index.recordings),
        *_children(item_id, "event", index.events),
        *_children(item_id, "review", index.session_reviews),
        *_children(item_id, "alert", index.session_alerts),
    ]
    steps = [*_session_steps(index, linked.session)]
    for grant in linked.match.used:
        steps += _grant_steps(grant)
    steps += _approval_steps(each.approval for each in linked.approvals)
    for ticket in linked.tickets:
        steps += _step(ticket.ticket, ticket.ticket.record.opened_at, "ticket opened")
        steps += _step(ticket.ticket, ticket.ticket.record.closed_at, "ticket closed")
    return AccessTrail(item_id=item_id, row=session_row(frame, linked), links=tuple(links), steps=_in_order(steps))


def grant_trail(frame: Frame, grant: FoldedRecord[Grant], users: list[LinkedSession]) -> AccessTrail:
    """Return the trail of a right; ``users`` are the sessions of the period known to have used it."""
    index, item_id = frame.index, grant.item_id
    tickets, ticket_links = grant_tickets(index, grant)
    links = [
        *_children(item_id, "approval", index.grant_approvals),
        *ticket_links,
        *_children(item_id, "review", index.grant_reviews),
        *(link for user in users for link in user.links if link.to_id == item_id),
    ]
    steps = [*_grant_steps(grant), *_approval_steps(index.grant_approvals.of(item_id))]
    for ticket in tickets:
        steps += _step(ticket.ticket, ticket.ticket.record.opened_at, "ticket opened")
        steps += _step(ticket.ticket, ticket.ticket.record.closed_at, "ticket closed")
    for user in users:
        steps += _step(user.session, user.session.record.started_at, "session started")
        steps += _step(user.session, user.session.record.ended_at, "session ended")
    for review in index.grant_reviews.of(item_id):
        steps += _step(review, review.record.completed_at, "reviewed")
    return AccessTrail(item_id=item_id, row=grant_row(frame, grant, users), links=tuple(links), steps=_in_order(steps))


def _children(item_id: str, relation: str, attached: Attached[ChildT]) -> Iterator[Link]:
    for child in attached.of(item_id):
        yield Link(
            from_id=item_id,
            to_id=child.item_id,
            relation=relation,
            basis="exact",
            explanation=f"the {relation} names this record",
        )
    yield from attached.doubts.get(item_id, ())


def _approval_links(index: TrailIndex, linked: LinkedSession) -> Iterator[Link]:
    item_id = linked.session.item_id
    direct = {each.item_id for each in index.session_approvals.of(item_id)}
    for each in linked.approvals:
        named = each.approval.item_id in direct
        why = "the approval names this session" if named else "the approval names the grant that was used"
        yield Link(from_id=item_id, to_id=each.approval.item_id, relation="approval", basis=each.basis, explanation=why)
    if not linked.approvals:
        why = "no approval names this session or a grant it is known to have used"
        yield Link(from_id=item_id, to_id=None, relation="approval", basis="none", explanation=why)


def _session_steps(index: TrailIndex, session: FoldedRecord[Session]) -> Iterator[TrailStep]:
    item_id = session.item_id
    attempt = session.record.status == "failed_attempt"
    yield from _step(session, session.record.started_at, "access attempted" if attempt else "session started")
    yield from _step(session, session.record.ended_at, "session ended")
    for recording in index.recordings.of(item_id):
        yield from _step(recording, recording.record.starts_at, "recording started")
        yield from _step(recording, recording.record.verified_at, "recording verified")
    for review in index.session_reviews.of(item_id):
        yield from _step(review, review.record.completed_at, "reviewed")
    for alert in index.session_alerts.of(item_id):
        yield from _step(alert, alert.record.raised_at, "alert raised")
        yield from _step(alert, alert.record.acknowledged_at, "alert acknowledged")


def _grant_steps(grant: FoldedRecord[Grant]) -> Iterator[TrailStep]:
    said = grant.record
    yield from _step(grant, said.requested_at, "access requested")
    yield from _step(grant, said.starts_at, "grant started")
    yield from _step(grant, ends_at(said), "grant ended")
    yield from _step(grant, said.removed_at, "right removed from target")


def _approval_steps(approvals: Iterable[FoldedRecord[Approval]]) -> Iterator[TrailStep]:
    for each in approvals:
        said = each.record
        by = "" if said.approver is None else f" by {shown(said.approver)}"
        yield from _step(each, said.decided_at, f"{said.decision or 'decided'}{by}")


def _step(record: FoldedRecord[AccessRecord], at: int | None, what: str) -> Iterator[TrailStep]:
    if at is not None:
        yield TrailStep(at=at, what=what, record=record.item_id)


def _in_order(steps: list[TrailStep]) -> tuple[TrailStep, ...]:
    return tuple(sorted(steps, key=lambda each: (each.at, each.record, each.what)))
