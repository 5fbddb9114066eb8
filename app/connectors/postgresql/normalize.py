# SPDX-License-Identifier: Apache-2.0

"""Say what a line of PostgreSQL's JSON log states.

In:  one line (PostgreSQL documentation, "Using JSON-Format Log Output"), with pgaudit's message in ``message``.
Out: sessions, the statements in them, the login the server saw, and that its statements are on record.
Never names a person: the database knows its role only. A leased role joins to its grant by the role's audit hash.
"""

import re
from collections.abc import Callable
from typing import Literal

from app.connectors.base import SourceRecord
from app.connectors.postgresql.pgaudit import AuditEntry, parse_audit
from app.connectors.strictjson import JsonObject
from app.connectors.values import as_identifier, command_text, identifier, integer, load, long_text, text
from app.errors import RecordRejected
from app.records.model import AccessEvent, AccessRecord, Recording, RecordType, Session, SessionEvent, SessionStatus
from app.records.redaction import sha256_text
from app.records.times import parse_instant

RECORD_TYPES = frozenset({RecordType.SESSION, RecordType.SESSION_EVENT, RecordType.ACCESS_EVENT, RecordType.RECORDING})

_KINDS = (
    ("AUDIT: ", "audit"),
    ("connection received: ", "connection received"),
    ("connection authenticated: ", "connection authenticated"),
    ("connection authorized: ", "connection authorized"),
    ("replication connection authorized: ", "connection authorized"),
    ("disconnection: ", "disconnection"),
)
_AUTHENTICATED = re.compile(r" method=([\w-]{1,32})(?: |\Z)")
_SESSION_TIME = re.compile(r"disconnection: session time: ([0-9]{1,6}):([0-9]{2}):([0-9]{2})\.([0-9]{3})")
_FAILED_LOGIN = frozenset({"28000", "28P01"})
_DENIED = "42501"


def kind_of(value: JsonObject) -> str:
    """Return what a line is: by how its message begins, or else by its severity."""
    message = value.get("message")
    if type(message) is str:
        for prefix, kind in _KINDS:
            if message.startswith(prefix):
                return kind
    severity = value.get("error_severity")
    return severity.lower() if type(severity) is str and severity.isalpha() and len(severity) <= 10 else "other"  # noqa: PLR2004


def log_instant(value: JsonObject, name: str) -> int:
    """Return an instant of the log, such as ``2026-11-21 08:10:46.611 UTC``.

    Raises:
        RecordRejected: it is none, or is in a zone other than UTC: an abbreviation such as IST names several zones.
    """
    spelled = text(value, name) or ""
    try:
        return parse_instant(spelled.replace(" UTC", "Z").replace(" GMT", "Z"))
    except RecordRejected:
        raise RecordRejected(f"'{name}' is not an instant in UTC; set log_timezone = 'UTC'") from None


def normalize(record: SourceRecord) -> tuple[AccessRecord, ...]:
    """Return the access records of one line; empty for lines that are not about a client's session.

    Raises:
        RecordRejected: a line about a session lacks its id, number or time, or a field is of another type.
    """
    value = load(record.raw)
    if text(value, "user") is None:
        return ()  # A background process, or a connection that has not said who it is.
    handler = _HANDLERS.get(kind_of(value))
    return () if handler is None else handler(value)


def _authorized(value: JsonObject) -> tuple[AccessRecord, ...]:
    session = _session(value, started_at=log_instant(value, "timestamp"), status="open")
    return (session, _login(value, None))


def _authenticated(value: JsonObject) -> tuple[AccessRecord, ...]:
    method = _AUTHENTICATED.search((long_text(value, "message") or "")[-200:])
    return (_login(value, method[1] if method else None),)


def _disconnected(value: JsonObject) -> tuple[AccessRecord, ...]:
    ended = log_instant(value, "timestamp")
    lasted = _SESSION_TIME.match(text(value, "message") or "")
    started = None
    if lasted is not None:
        hours, minutes, seconds, fraction = map(int, lasted.groups())
        started = ended - ((hours * 60 + minutes) * 60 + seconds) * 1000 - fraction
    return (_session(value, started_at=started if started and started > 0 else None, ended_at=ended, status="closed"),)


def _audited(value: JsonObject) -> tuple[AccessRecord, ...]:
    """Read a statement. pgaudit writes it before it runs, so whether it succeeded is not said.

    The first statement of a session also states the session, for logs without ``log_connections``, and that its
    statements are recorded.
    """
    entry = parse_audit((long_text(value, "message") or "").removeprefix("AUDIT: "))
    if entry is None:
        raise RecordRejected("the AUDIT message does not have pgaudit's fields")
    event = _event(value, "query", entry.statement, None, rows=entry.rows)
    if not _is_first(entry):
        return (event,)
    session = _session(value)
    recording = Recording(
        id=session.id,
        session_id=session.id,
        state="stored_claimed",
        kind="query_log",
        starts_at=log_instant(value, "timestamp"),
    )
    return (session, event, recording)


def _is_first(entry: AuditEntry) -> bool:
    return entry.statement_id == 1 and entry.substatement_id == 1


def _failed(value: JsonObject) -> tuple[AccessRecord, ...]:
    """Read an error: a refused login is an attempt; a refused or failed statement may have no other line than this."""
    code = text(value, "state_code")
    if code in _FAILED_LOGIN:
        at = log_instant(value, "timestamp")
        return (_session(value, started_at=at, status="failed_attempt"),)
    statement = long_text(value, "statement")
    if statement is None:
        return ()
    if code == _DENIED:
        return (_event(value, "denied", statement, "denied"),)
    return (_event(value, "query", statement, "error"),)


def _session(
    value: JsonObject,
    *,
    started_at: int | None = None,
    ended_at: int | None = None,
    status: SessionStatus | None = None,
) -> Session:
    user = text(value, "user")
    return Session(
        id=identifier(value, "session_id"),
        subject=user,
        run_as=user,
        target=text(value, "dbname"),
        protocol="postgresql",
        client_address=text(value, "remote_host"),
        started_at=started_at,
        ended_at=ended_at,
        status=status,
    )


def _login(value: JsonObject, method: str | None) -> AccessEvent:
    return AccessEvent(
        id=identifier(value, "session_id"),
        at=log_instant(value, "timestamp"),
        target=text(value, "dbname"),
        account=text(value, "user"),
        client_address=text(value, "remote_host"),
        method=method,
    )


def _event(
    value: JsonObject,
    kind: Literal["query", "denied"],
    statement: str | None,
    outcome: Literal["error", "denied"] | None,
    *,
    rows: int | None = None,
) -> SessionEvent:
    session, number = identifier(value, "session_id"), integer(value, "line_num")
    if number is None:
        raise RecordRejected("'line_num' is missing")
    return SessionEvent(
        id=as_identifier(f"{session}/{number}", "session_id"),
        session_id=session,
        seq=number,
        at=log_instant(value, "timestamp"),
        kind=kind,
        text=command_text(statement) if statement else None,
        text_sha256=sha256_text(statement) if statement else None,
        outcome=outcome,
        rows=rows,
    )


_HANDLERS: dict[str, Callable[[JsonObject], tuple[AccessRecord, ...]]] = {
    "audit": _audited,
    "connection authenticated": _authenticated,
    "connection authorized": _authorized,
    "disconnection": _disconnected,
    "error": _failed,
    "fatal": _failed,
}
