# SPDX-License-Identifier: Apache-2.0

"""Say what a Teleport audit event states.

In:  one event (gravitational/teleport, ``api/proto/teleport/legacy/types/events/events.proto``, ``lib/events/api.go``).
Out: the access records it states; nothing for the many kinds that are not about a use or a right of access.
Never takes an attempt for a session: a code that ends in W or E, or ``success: false``, is a failed attempt.
"""

from collections.abc import Callable

from app.connectors.base import SourceRecord
from app.connectors.strictjson import JsonObject
from app.connectors.teleport import events, requests, sessions
from app.connectors.values import load, required_instant
from app.records.model import AccessRecord, RecordType

RECORD_TYPES = frozenset(
    {
        RecordType.SESSION,
        RecordType.GRANT,
        RecordType.APPROVAL,
        RecordType.SESSION_EVENT,
        RecordType.RECORDING,
    }
)

_Handler = Callable[[JsonObject, int], tuple[AccessRecord, ...]]

_HANDLERS: dict[str, _Handler] = {
    "session.start": sessions.started,
    "session.end": sessions.ended,
    "session.rejected": sessions.rejected,
    "session.upload": sessions.uploaded,
    "session.join": events.joined,
    "session.leave": events.left,
    "session.command": events.command,
    "session.disk": events.file_opened,
    "exec": events.executed,
    "scp": events.copied,
    "sftp": events.copied,
    "db.session.start": sessions.started,
    "db.session.end": sessions.ended,
    "db.session.query": events.query,
    "db.session.query.failed": events.query,
    "db.session.postgres.statements.parse": events.query,
    "db.session.mysql.statements.prepare": events.query,
    "app.session.start": sessions.started,
    "app.session.end": sessions.ended,
    "windows.desktop.session.start": sessions.started,
    "windows.desktop.session.end": sessions.ended,
    "access_request.create": requests.created,
    "access_request.update": requests.updated,
    "access_request.review": requests.reviewed,
    "access_request.expire": requests.expired,
}


def normalize(record: SourceRecord) -> tuple[AccessRecord, ...]:
    """Return the access records of one event; empty for kinds that state none.

    Raises:
        RecordRejected: the event lacks its time, its session or request id, or a field is of another type.
    """
    handler = _HANDLERS.get(record.kind)
    if handler is None:
        return ()
    value = load(record.raw)
    return handler(value, required_instant(value, "time"))
