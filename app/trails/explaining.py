# SPDX-License-Identifier: Apache-2.0

"""Which sessions explain a login that a target saw.

In:  all sessions and one login. Out: the sessions that account for it, or none.
"""

from app.records.folding import FoldedRecord
from app.records.model import AccessEvent, Session
from app.trails.rows import Frame
from app.trails.sessions import link_session
from app.trails.windows import ACCESS_EVENT_TOLERANCE_MS, WindowIndex


class SessionExplainer:
    """Finds the sessions that explain a login: the one it names, else all on this target, account and time.

    A failed attempt explains no login. A session whose end is unknown explains logins at its start only; one that is
    still open does so until ``as_of``. What a target's own log calls a session explains a login in the same log only
    when it used a grant: else every login around the broker would explain itself.
    """

    def __init__(self, frame: Frame) -> None:
        self._index = frame.index
        self._windows: WindowIndex[tuple[str, str], FoldedRecord[Session]] = WindowIndex(
            (door, start - ACCESS_EVENT_TOLERANCE_MS, end + ACCESS_EVENT_TOLERANCE_MS + 1, session)
            for session in frame.index.sessions
            if (door := self._door(session.source, session.record.target, session.record.run_as)) is not None
            and session.record.status != "failed_attempt"
            and (start := session.record.started_at) is not None
            and (end := _last_instant(session.record, start, frame.period.as_of)) >= start
        )

    def sessions_of(self, event: FoldedRecord[AccessEvent]) -> list[FoldedRecord[Session]]:
        """Return the sessions that explain a login, by item id."""
        named = self._index.sessions.exact(event.source, event.record.session_id)
        if named is not None:
            return [named] if self._explains(named, event) else []
        door = self._door(event.source, event.record.target, event.record.account)
        at = event.record.at
        if door is None or at is None:
            return []
        found = (each for each in self._windows.find(door, at) if self._explains(each, event))
        return sorted(found, key=lambda each: each.item_id)

    def _explains(self, session: FoldedRecord[Session], event: FoldedRecord[AccessEvent]) -> bool:
        return session.source != event.source or bool(link_session(self._index, session).match.used)

    def _door(self, source: str, target: str | None, account: str | None) -> tuple[str, str] | None:
        key = self._index.targets.key(source, target)
        return None if key is None or account is None else (key, account)


def _last_instant(session: Session, start: int, as_of: int) -> int:
    if session.ended_at is not None:
        return session.ended_at
    return max(start, as_of) if session.status == "open" else start
