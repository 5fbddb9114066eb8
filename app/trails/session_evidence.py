# SPDX-License-Identifier: Apache-2.0

"""Rows of the populations ``session_event`` and ``recording``: what happened in sessions, and what was kept of it.

In:  events and recordings, the linked sessions of the period, the frame. Out: one row per item of the period.
A session has thousands of events, so what they share is made once per session, and once more wherever somebody's
employment ended in between.
"""

from collections.abc import Iterable
from typing import TypedDict

import msgspec

from app.records.folding import FoldedRecord
from app.records.model import Alert, Recording, Review, SessionEvent
from app.trails.populations import (
    AccountView,
    GrantView,
    IdentityView,
    RecordingRow,
    SessionEventRow,
    SessionView,
    TargetView,
    WorkflowView,
)
from app.trails.rows import Frame, Shared, session_parts, session_scope
from app.trails.sessions import LinkedSession, link_session, session_instant
from app.trails.tickets import LinkedTicket
from app.trails.views import Views
from app.trails.waivers import Scope


class _Parts(TypedDict):
    session: SessionView | None
    identity: IdentityView | None
    account: AccountView | None
    target: TargetView | None
    workflow: WorkflowView | None
    grant: GrantView | None


class _Setting(msgspec.Struct, frozen=True, kw_only=True):
    """What all items of one session share: views, the ledger entries behind them, and what a waiver can name."""

    linked: LinkedSession | None
    parts: _Parts
    used: frozenset[int]
    scope: Scope


class SessionEvidence:
    """Makes the rows of what belongs to sessions.

    Args:
        frame: what all rows share.
        linked: the sessions of the period; others are linked when something of theirs is met.
    """

    def __init__(self, frame: Frame, linked: Iterable[LinkedSession]) -> None:
        self._frame = frame
        self._linked = {each.session.item_id: each for each in linked}
        self._settings: dict[tuple[str, int], _Setting] = {}
        self._alone = _Setting(linked=None, parts=_NOTHING, used=frozenset(), scope=Scope(item_id=""))

    def event_rows(self) -> list[SessionEventRow]:
        """Return the rows of the events of the period; one without an instant counts when first heard of."""
        period = self._frame.period
        return [
            self._event_row(each, at)
            for each in self._frame.index.event_records
            if period.start <= (at := _event_instant(each)) < period.end
        ]

    def recording_rows(self) -> list[RecordingRow]:
        """Return the rows of the recordings begun before the period's end and not disposed of before its start."""
        return [
            self._recording_row(each, max(begun, self._frame.period.start))
            for each in self._frame.index.recording_records
            if (begun := self._begun(each)) < self._frame.period.end and not self._gone(each)
        ]

    def _event_row(self, event: FoldedRecord[SessionEvent], at: int) -> SessionEventRow:
        frame, setting = self._frame, self._setting(event.source, event.record.session_id, at)
        views = frame.views(at)
        return SessionEventRow(
            event=views.event(event, frame.flags.of(event.record.text)),
            **setting.parts,
            reviews=[views.review(each) for each in self._reviews(event, setting)],
            tickets=[views.ticket(each.ticket, each.basis, about) for each, about in self._tickets(event, setting)],
            alerts=[views.alert(each) for each in self._alerts(event, setting)],
            **self._shared(event, at, views, setting),
        )

    def _recording_row(self, recording: FoldedRecord[Recording], at: int) -> RecordingRow:
        setting = self._setting(recording.source, recording.record.session_id, at)
        views = self._frame.views(at)
        return RecordingRow(
            recording=views.recording(recording),
            session=setting.parts["session"],
            target=setting.parts["target"],
            workflow=setting.parts["workflow"],
            **self._shared(recording, at, views, setting),
        )

    def _shared(
        self, item: FoldedRecord[SessionEvent] | FoldedRecord[Recording], at: int, views: Views, setting: _Setting
    ) -> Shared:
        views.used.update(setting.used)
        scope = msgspec.structs.replace(setting.scope, item_id=item.item_id)
        return self._frame.shared(item_id=item.item_id, source=item.source, at=at, views=views, scope=scope)

    def _setting(self, source: str, session_id: str | None, at: int) -> _Setting:
        session = self._frame.index.sessions.exact(source, session_id)
        if session is None:
            return self._alone
        item_id = session.item_id
        key = (item_id, self._frame.index.identities.epoch(at))
        if key not in self._settings:
            if item_id not in self._linked:
                self._linked[item_id] = link_session(self._frame.index, session)
            self._settings[key] = self._set(self._linked[item_id], at)
        return self._settings[key]

    def _set(self, linked: LinkedSession, at: int) -> _Setting:
        frame, match = self._frame, linked.match
        views = frame.views(at)
        parts = _Parts(
            **session_parts(frame, views, linked),
            grant=None if match.grant is None else views.grant(match.grant, match.basis),
        )
        scope = session_scope(frame, linked, linked.session.item_id)
        return _Setting(linked=linked, parts=parts, used=frozenset(views.used), scope=scope)

    def _reviews(self, event: FoldedRecord[SessionEvent], setting: _Setting) -> list[FoldedRecord[Review]]:
        """Return the reviews of this event, and those of its session that name no event: none of another event's."""
        index, found = self._frame.index, {}
        if setting.linked is not None:
            whole = index.session_reviews.of(setting.linked.session.item_id)
            found = {each.item_id: each for each in whole if each.record.event_id is None}
        found.update((each.item_id, each) for each in index.event_reviews.of(event.item_id))
        return [found[item_id] for item_id in sorted(found)]

    def _alerts(self, event: FoldedRecord[SessionEvent], setting: _Setting) -> list[FoldedRecord[Alert]]:
        alerts = self._frame.index.event_alerts.of(event.item_id)
        if setting.linked is None:
            return alerts
        return [*alerts, *self._frame.index.session_alerts.of(setting.linked.session.item_id)]

    def _tickets(self, event: FoldedRecord[SessionEvent], setting: _Setting) -> list[tuple[LinkedTicket, str | None]]:
        """Return the session's reasons, and what was raised about it or the event; of one ticket the closest word."""
        found: dict[str, tuple[LinkedTicket, str | None]] = {}
        if setting.linked is not None:
            found = {each.ticket.item_id: (each, None) for each in setting.linked.tickets}
            for ticket in self._frame.index.session_tickets.of(setting.linked.session.item_id):
                found[ticket.item_id] = (LinkedTicket(ticket, "exact"), "session")
        for ticket in self._frame.index.event_tickets.of(event.item_id):
            found[ticket.item_id] = (LinkedTicket(ticket, "exact"), "event")
        return [found[item_id] for item_id in sorted(found)]

    def _begun(self, recording: FoldedRecord[Recording]) -> int:
        if recording.record.starts_at is not None:
            return recording.record.starts_at
        session = self._frame.index.sessions.exact(recording.source, recording.record.session_id)
        return recording.first_observed_at if session is None else session_instant(session)

    def _gone(self, recording: FoldedRecord[Recording]) -> bool:
        disposed = recording.record.disposed_at
        return disposed is not None and disposed < self._frame.period.start


_NOTHING = _Parts(session=None, identity=None, account=None, target=None, workflow=None, grant=None)


def _event_instant(event: FoldedRecord[SessionEvent]) -> int:
    return event.first_observed_at if event.record.at is None else event.record.at
