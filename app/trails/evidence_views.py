# SPDX-License-Identifier: Apache-2.0

"""Views of what happened and of what proves it: sessions, commands, recordings, tickets, reviews, alarms, logins.

In:  folded records. Out: views, with logins, people and targets resolved.
"""

import hashlib
from typing import Any

from app.records.folding import FoldedRecord
from app.records.model import (
    AccessEvent,
    Alert,
    Grant,
    RecorderEvent,
    Recording,
    Review,
    Session,
    SessionEvent,
    Ticket,
)
from app.trails.model import Basis
from app.trails.populations import (
    AccessEventView,
    AlertView,
    EventRef,
    EventView,
    FlagView,
    RecorderEventView,
    RecordingView,
    ReviewItemView,
    ReviewView,
    SessionRef,
    SessionView,
    TicketView,
)
from app.trails.view_maker import UNKNOWN, ViewMaker, person_id

_DRAW_BYTES = 6


class EvidenceViews(ViewMaker):
    """Makes the views of events and evidence."""

    def session(
        self, session: FoldedRecord[Session], person_id: str | None, basis: Basis, candidates: int
    ) -> SessionView:
        """Return a session. A session with a known end is closed, whatever the last word on its status was."""
        self._read(session)
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
            status="closed" if ended else said.status or UNKNOWN,
            mfa=said.mfa,
            mfa_at=said.mfa_at,
            mfa_method=said.mfa_method,
            max_idle=said.max_idle_ms,
            recording_policy=said.recording_policy,
            delegator=said.delegator,
            policy_id=said.policy_id,
            via=said.via,
            credential_ref=said.credential_ref,
            supervised=said.supervised,
            end_reason=said.end_reason,
            draw=draw(session.item_id),
            grant_link=basis,
            grant_candidates=candidates,
        )

    def session_ref(self, session: FoldedRecord[Session]) -> SessionRef:
        """Return a session as another item sees it; ``id`` is its item id, for it may be another source's."""
        self._read(session)
        said = session.record
        return SessionRef(
            id=session.item_id,
            run_as=said.run_as,
            target_id=self._targets.id(session.source, said.target),
            started_at=said.started_at,
            ended_at=said.ended_at,
            client_address=said.client_address,
            mfa=said.mfa,
        )

    def event(self, event: FoldedRecord[SessionEvent], flags: list[FlagView]) -> EventView:
        """Return a command or query with its text; ``flags`` are the risk rules which that met."""
        return EventView(text=event.record.text, **self._event(event, flags))

    def event_ref(self, event: FoldedRecord[SessionEvent], flags: list[FlagView]) -> EventRef:
        """Return a command or query without its text."""
        return EventRef(**self._event(event, flags))

    def _event(self, event: FoldedRecord[SessionEvent], flags: list[FlagView]) -> dict[str, Any]:
        self._read(event)
        said = event.record
        return {
            "id": said.id,
            "seq": said.seq,
            "at": said.at,
            "kind": said.kind or UNKNOWN,
            "text_sha256": said.text_sha256,
            "outcome": said.outcome,
            "parent_id": said.parent_id,
            "tool": said.tool,
            "credential_ref": said.credential_ref,
            "within_policy": said.within_policy,
            "masked": said.masked,
            "privileged": said.privileged,
            "rows": said.rows,
            "downstream": self._targets.id(event.source, said.downstream),
            "flags": flags,
        }

    def recording(self, recording: FoldedRecord[Recording]) -> RecordingView:
        """Return what is known of a recording."""
        self._read(recording)
        said = recording.record
        return RecordingView(
            id=said.id,
            state=said.state or UNKNOWN,
            kind=said.kind,
            starts_at=said.starts_at,
            ends_at=said.ends_at,
            coverage=said.coverage,
            sha256=said.sha256,
            verified_sha256=said.verified_sha256,
            verified_at=said.verified_at,
            registered_at=said.registered_at,
            immutable=said.immutable,
            chained=said.chained,
            retrievable=said.retrievable,
            retrieved_at=said.retrieved_at,
            disposed_at=said.disposed_at,
            retention_class=said.retention_class,
            on_hold=said.on_hold,
        )

    def ticket(self, ticket: FoldedRecord[Ticket], basis: Basis, about: str | None = None) -> TicketView:
        """Return a ticket; ``about`` says ``session`` or ``event`` where it was raised about one of these."""
        self._read(ticket)
        said = ticket.record
        return TicketView(
            id=said.id,
            kind=said.kind,
            status=said.status,
            priority=said.priority,
            opened_at=said.opened_at,
            closed_at=said.closed_at,
            outcome=said.outcome,
            about=about,
            link_basis=basis,
        )

    def review(self, review: FoldedRecord[Review]) -> ReviewView:
        """Return a review with the person who did it."""
        self._read(review)
        said = review.record
        reviewer = self._responsible(review.source, said.reviewer)
        return ReviewView(
            id=said.id,
            kind=said.kind or UNKNOWN,
            reviewer_id=self._id(reviewer, said.reviewer),
            reviewer_person_id=person_id(reviewer),
            due_at=said.due_at,
            completed_at=said.completed_at,
            outcome=said.outcome,
            grant_id=said.grant_id,
            event_id=said.event_id,
            population_count=said.population_count,
            snapshot_count=said.snapshot_count,
            executed_at=said.executed_at,
            verified_removed=said.verified_removed,
        )

    def review_item(self, item: FoldedRecord[Review], grant: FoldedRecord[Grant] | None) -> ReviewItemView:
        """Return one decision of a campaign; ``grant`` is the right it names, where that is known."""
        self._read(item)
        said = item.record
        subject = self._responsible_person(item.source, said.subject)
        if said.subject is None and grant is not None:
            self._read(grant)
            subject = self._person(grant.source, grant.record.subject)
        return ReviewItemView(
            id=said.id,
            grant_id=said.grant_id,
            subject=said.subject,
            subject_person_id=subject,
            reviewer_person_id=self._responsible_person(item.source, said.reviewer),
            outcome=said.outcome,
            decided_at=said.completed_at,
            executed_at=said.executed_at,
            verified_removed=said.verified_removed,
        )

    def alert(self, alert: FoldedRecord[Alert]) -> AlertView:
        """Return an alarm with the person who took it."""
        self._read(alert)
        said = alert.record
        return AlertView(
            id=said.id,
            raised_at=said.raised_at,
            acknowledged_at=said.acknowledged_at,
            acknowledged_by=said.acknowledged_by,
            acknowledged_by_person_id=self._responsible_person(alert.source, said.acknowledged_by),
        )

    def access_event(self, event: FoldedRecord[AccessEvent]) -> AccessEventView:
        """Return a login that a target saw."""
        self._read(event)
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
        self._read(event)
        said = event.record
        actor = self.login(event.source, said.actor)
        return RecorderEventView(
            id=said.id,
            occurred_at=said.at,
            action=said.action or UNKNOWN,
            target_id=self._targets.id(event.source, said.target),
            actor_id=self._id(actor, said.actor),
            actor_person_id=person_id(actor),
        )


def draw(item_id: str) -> float:
    """Return the number in [0, 1) that an item has for sampling rules; see ``SessionView``."""
    digest = hashlib.sha256(f"proofroom-draw:{item_id}".encode()).digest()
    return int.from_bytes(digest[:_DRAW_BYTES]) / (1 << (8 * _DRAW_BYTES))
