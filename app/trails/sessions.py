# SPDX-License-Identifier: Apache-2.0

"""Join everything that belongs to one session, or to one grant.

In:  the index and a session or grant. Out: the records that belong to it, each with the basis of its join.
What hangs on an ambiguous grant is not joined: a candidate's approval must not vouch for a session by luck.
"""

import msgspec

from app.records.folding import FoldedRecord
from app.records.model import Account, Approval, Grant, Session, Target, Workflow
from app.trails.grants import GrantMatch
from app.trails.identities import Person, Resolution
from app.trails.index import TrailIndex
from app.trails.model import Basis, Link, weakest
from app.trails.tickets import LinkedTicket, find_tickets

_FAR = 2**63


class LinkedApproval(msgspec.Struct, frozen=True):
    """A decision and how it was joined."""

    approval: FoldedRecord[Approval]
    basis: Basis


class LinkedSession(msgspec.Struct, frozen=True, kw_only=True):
    """A session with what was joined to it, besides what names it directly (recordings, events, reviews, alerts).

    Attributes:
        person: who stands behind it, by its own login or by the grant it used.
        person_id: of the one who initiated it.
        links: grant, identity and tickets; in a fixed order.
    """

    session: FoldedRecord[Session]
    at: int
    person: Person | None
    person_id: str | None
    account: FoldedRecord[Account] | None
    target: FoldedRecord[Target] | None
    workflow: FoldedRecord[Workflow] | None
    match: GrantMatch
    approvals: tuple[LinkedApproval, ...]
    tickets: tuple[LinkedTicket, ...]
    links: tuple[Link, ...]


def session_instant(session: FoldedRecord[Session]) -> int:
    """Return the instant of a session: its start, else when it was first heard of."""
    started = session.record.started_at
    return session.first_observed_at if started is None else started


def link_session(index: TrailIndex, session: FoldedRecord[Session]) -> LinkedSession:
    """Join one session."""
    match = index.linker.match(session)
    said, source = session.record, session.source
    person, identity_link = _person(index, session, match)
    target = index.targets.resolve(source, said.target)
    tickets, ticket_links = _tickets(index, session, match)
    return LinkedSession(
        session=session,
        at=session_instant(session),
        person=person,
        person_id=_initiator(index, session, person),
        account=index.account(source, said.target, said.run_as),
        target=target,
        workflow=_workflow(index, target, match),
        match=match,
        approvals=_approvals(index, session, match),
        tickets=tickets,
        links=(identity_link, *match.links, *ticket_links),
    )


def grant_tickets(index: TrailIndex, grant: FoldedRecord[Grant]) -> tuple[list[LinkedTicket], list[Link]]:
    """Return the tickets a grant itself names, by key or in its purpose."""
    said = grant.record
    return find_tickets(index.tickets, grant.item_id, grant.source, said.ticket_keys or (), said.purpose)


def ordered(approvals: list[LinkedApproval]) -> tuple[LinkedApproval, ...]:
    """Return approvals by decision time, then by id; the undated come last."""
    return tuple(sorted(approvals, key=_decision_order))


def _person(index: TrailIndex, session: FoldedRecord[Session], match: GrantMatch) -> tuple[Person | None, Link]:
    """Return who stands behind a session.

    A leased database user is nobody's alias; the grant that issued it says whose it is. Only an exact or derived grant
    may, and only where the login itself is unknown: an ambiguous login stays so.
    """
    own = index.identities.resolve(session.source, session.record.subject)
    if own.identity is not None or own.candidates:
        return own.identity, _identity_link(session, own, "exact" if own.identity is not None else "ambiguous")
    holders = {
        holder.item_id: holder
        for grant in match.used
        if match.basis in ("exact", "derived")
        and (holder := index.identities.resolve(grant.source, grant.record.subject).identity) is not None
    }
    if len(holders) != 1:
        return None, _identity_link(session, own, "none")
    (holder,) = holders.values()
    why = f"{own.explanation}; the grant it used is held by this identity"
    return holder, _identity_link(session, Resolution(identity=holder, explanation=why), match.basis)


def _initiator(index: TrailIndex, session: FoldedRecord[Session], person: Person | None) -> str | None:
    if session.record.initiator is not None:
        return index.identities.person_id(session.source, session.record.initiator)
    return None if person is None else person.record.person_id


def _workflow(
    index: TrailIndex, target: FoldedRecord[Target] | None, match: GrantMatch
) -> FoldedRecord[Workflow] | None:
    if target is not None and target.record.workflow_id is not None:
        return index.workflow(target.source, target.record.workflow_id)
    return None if match.grant is None else index.workflow(match.grant.source, match.grant.record.workflow_id)


def _approvals(index: TrailIndex, session: FoldedRecord[Session], match: GrantMatch) -> tuple[LinkedApproval, ...]:
    found = {each.item_id: LinkedApproval(each, "exact") for each in index.session_approvals.of(session.item_id)}
    for grant in match.used:
        for each in index.grant_approvals.of(grant.item_id):
            found.setdefault(each.item_id, LinkedApproval(each, match.basis))
    return ordered(list(found.values()))


def _tickets(
    index: TrailIndex, session: FoldedRecord[Session], match: GrantMatch
) -> tuple[tuple[LinkedTicket, ...], list[Link]]:
    own, links = find_tickets(index.tickets, session.item_id, session.source, session.record.ticket_keys or (), None)
    found = {each.ticket.item_id: each for each in own}
    for grant in match.used:
        theirs, more = grant_tickets(index, grant)
        links = [*links, *more]
        for each in theirs:
            linked = LinkedTicket(each.ticket, weakest(match.basis, each.basis))
            found.setdefault(each.ticket.item_id, linked)
    return tuple(found[item_id] for item_id in sorted(found)), links


def _decision_order(linked: LinkedApproval) -> tuple[int, str]:
    decided = linked.approval.record.decided_at
    return (_FAR if decided is None else decided, linked.approval.item_id)


def _identity_link(session: FoldedRecord[Session], resolution: Resolution, basis: Basis) -> Link:
    return Link(
        from_id=session.item_id,
        to_id=None if resolution.identity is None else resolution.identity.item_id,
        relation="identity",
        basis=basis,
        explanation=resolution.explanation,
        candidates=resolution.candidates if resolution.identity is None else (),
    )
