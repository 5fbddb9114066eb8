# SPDX-License-Identifier: Apache-2.0

"""Read the commands of a hoop.dev session, where the response holds them.

In:  a session with ``script`` (verb exec, ``?expand=session_input``) or with ``event_stream=raw-queries``.
Out: session events with redacted text.
Never reads keystrokes: an ordinary stream mixes input and output and holds no commands, so it gives no events.
"""

import base64
import binascii

from app.connectors.strictjson import JsonObject
from app.connectors.values import child, command_text, items, long_text, objects, text
from app.records.model import Session, SessionEvent
from app.records.redaction import sha256_text

_MILLISECONDS = 1000
_LONGEST_SESSION = 366 * 86_400


def events_of(value: JsonObject, session: Session) -> list[SessionEvent]:
    """Return the commands, queries and guardrail refusals of one session, in order."""
    return [*_script(value, session), *_raw_queries(value, session), *_refusals(value, session)]


def _script(value: JsonObject, session: Session) -> list[SessionEvent]:
    script = long_text(child(value, "script"), "data")
    if script is None:
        return []
    return [_event(session, "script", 0, session.started_at, script, is_query=text(value, "type") == "database")]


def _raw_queries(value: JsonObject, session: Session) -> list[SessionEvent]:
    """Return the queries of ``[[seconds since start_date, "i", base64 of one query], …]`` (parseRawQueries)."""
    stream = items(value, "event_stream")
    queries = [_query(entry) for entry in stream]
    if text(value, "type") != "database" or not all(queries):
        return []
    return [
        _event(session, f"query-{number}", number, _moment(session, seconds), query, is_query=True)
        for number, (seconds, query) in enumerate((each for each in queries if each), start=1)
    ]


def _query(entry: object) -> tuple[float, str] | None:
    match entry:
        case [int() | float() as seconds, "i", str() as encoded]:
            try:
                return seconds, base64.b64decode(encoded, validate=True).decode("utf-8")
            except (binascii.Error, ValueError):
                return None
        case _:
            return None


def _moment(session: Session, seconds: float) -> int | None:
    if session.started_at is None or not 0 <= seconds <= _LONGEST_SESSION:
        return None
    return session.started_at + int(seconds * _MILLISECONDS)


def _refusals(value: JsonObject, session: Session) -> list[SessionEvent]:
    """Return what guardrails stopped. The words that matched may be secrets themselves, so only the rule is named."""
    return [
        SessionEvent(
            id=f"{session.id}/guardrail-{number}",
            session_id=session.id,
            at=session.ended_at or session.started_at,
            kind="denied",
            text=f"stopped by guardrail {command_text(text(each, 'rule_name') or 'without a name')}",
            outcome="denied",
        )
        for number, each in enumerate(objects(value, "guardrails_info"), start=1)
    ]


def _event(session: Session, name: str, seq: int, at: int | None, command: str, *, is_query: bool) -> SessionEvent:
    return SessionEvent(
        id=f"{session.id}/{name}",
        session_id=session.id,
        seq=seq,
        at=at,
        kind="query" if is_query else "command",
        text=command_text(command),
        text_sha256=sha256_text(command),
    )
