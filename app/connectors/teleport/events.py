# SPDX-License-Identifier: Apache-2.0

"""Read what was done inside Teleport sessions: commands, queries, files, people who joined.

In:  one event and its instant. Out: a session event; nothing where the event names no session.
"""

from typing import Literal

import msgspec

from app.connectors.strictjson import JsonObject
from app.connectors.teleport.sessions import has_failed, subject_kind, target_of
from app.connectors.values import command_line, command_text, host_of, identifier, integer, long_text, long_texts, text
from app.records.model import AccessRecord, Session, SessionEvent
from app.records.redaction import sha256_text

_Kind = Literal["command", "query", "api", "file", "denied", "join", "leave"]


def joined(value: JsonObject, at: int) -> tuple[AccessRecord, ...]:
    """Read that somebody joined a session."""
    return _event(value, at, "join", text(value, "user"))


def left(value: JsonObject, at: int) -> tuple[AccessRecord, ...]:
    """Read that somebody left a session."""
    return _event(value, at, "leave", text(value, "user"))


def command(value: JsonObject, at: int) -> tuple[AccessRecord, ...]:
    """Read a program started in a session, as enhanced recording (BPF) saw it."""
    program = text(value, "path") or text(value, "program")
    words = ([program] if program else []) + long_texts(value, "argv")
    code = integer(value, "return_code")
    shown, digest = command_line(words)
    event = _event(value, at, "command", None, outcome=None if code is None else "error" if code else "ok")
    return tuple(msgspec.structs.replace(each, text=shown, text_sha256=digest) for each in event) if words else event


def file_opened(value: JsonObject, at: int) -> tuple[AccessRecord, ...]:
    """Read a file opened in a session, as enhanced recording (BPF) saw it."""
    return _event(value, at, "file", text(value, "path"))


def executed(value: JsonObject, at: int) -> tuple[AccessRecord, ...]:
    """Read a command that was run without a terminal.

    ``kubectl exec`` without a terminal has this event and no session events, so it states the session as well. It is
    written when the command ends, and is the only instant there is: it stands for the start.
    """
    event = _event(value, at, "command", long_text(value, "command"), outcome="error" if has_failed(value) else "ok")
    if text(value, "proto") != "kube" or not event:
        return event
    session = Session(
        id=identifier(value, "sid"),
        subject=text(value, "user"),
        subject_kind=subject_kind(value),
        run_as=text(value, "login"),
        target=target_of(value),
        protocol="kube",
        client_address=host_of(text(value, "addr.remote")),
        started_at=at,
        status="closed",
        exit_code=_exit_code(value),
    )
    return (session, *event)


def copied(value: JsonObject, at: int) -> tuple[AccessRecord, ...]:
    """Read a file transfer by SCP or SFTP."""
    return _event(value, at, "file", text(value, "path"), outcome="error" if has_failed(value) else "ok")


def query(value: JsonObject, at: int) -> tuple[AccessRecord, ...]:
    """Read a database query."""
    statement = long_text(value, "db_query") or long_text(value, "query")
    return _event(value, at, "query", statement, outcome="error" if has_failed(value) else "ok")


def _event(
    value: JsonObject,
    at: int,
    kind: _Kind,
    shown: str | None,
    *,
    outcome: Literal["ok", "error", "denied"] | None = None,
) -> tuple[AccessRecord, ...]:
    if text(value, "sid") is None:
        return ()
    return (
        SessionEvent(
            id=identifier(value, "uid"),
            session_id=identifier(value, "sid"),
            seq=integer(value, "ei"),
            at=at,
            kind=kind,
            text=command_text(shown) if shown else None,
            text_sha256=sha256_text(shown) if shown else None,
            outcome=outcome,
        ),
    )


def _exit_code(value: JsonObject) -> int | None:
    code = text(value, "exitCode")
    return int(code) if code and code.isascii() and code.isdigit() and len(code) < 6 else None  # noqa: PLR2004
