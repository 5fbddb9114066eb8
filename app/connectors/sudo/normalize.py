# SPDX-License-Identifier: Apache-2.0

"""Say what a sudo event states.

In:  an ``accept``, ``reject``, ``exit`` or ``alert`` event (sudo_logsrvd.conf(5), section "JSON log format").
Out: sessions, their commands, what is said of their I/O log, and the sudoers rule as a standing grant.
Never lets ``runenv`` out: the environment holds secrets. Never names a person: sudo knows the account only.
"""

from app.connectors.base import SourceRecord
from app.connectors.strictjson import JsonObject
from app.connectors.values import (
    as_identifier,
    child,
    command_line,
    command_text,
    identifier,
    integer,
    load,
    long_texts,
    milliseconds,
    text,
)
from app.errors import RecordRejected
from app.records.model import AccessRecord, Grant, Recording, RecordType, Session, SessionEvent
from app.records.redaction import sha256_text

RECORD_TYPES = frozenset({RecordType.SESSION, RecordType.SESSION_EVENT, RecordType.RECORDING, RecordType.GRANT})

_ROOT = 0
_LONGEST_ID = 256


def normalize(record: SourceRecord) -> tuple[AccessRecord, ...]:
    """Return the access records of one event; an ``alert`` states none.

    Raises:
        RecordRejected: the event lacks its uuid or time, or a field is of another type.
    """
    value = load(record.raw)
    event = value if "uuid" in value else event_of(value)[1]
    match record.kind:
        case "accept" if "iolog_offset" in event:
            return (_command(event, identifier(event, "uuid"), denied=False),)
        case "accept":
            return _accepted(event)
        case "reject" if "iolog_offset" in event:
            return (_command(event, identifier(event, "uuid"), denied=True),)
        case "reject":
            return _rejected(event)
        case "exit":
            return _exited(event)
        case _:
            return ()


def event_of(value: JsonObject) -> tuple[str, JsonObject]:
    """Return name and body of the event in ``{"accept": {…}}``, also where syslog wraps it in ``{"sudo": {…}}``.

    Raises:
        RecordRejected: there is not exactly one event.
    """
    outer = child(value, "sudo") or value
    bodies = [(name, body) for name, body in outer.items() if type(body) is dict]
    if len(bodies) != 1:
        raise RecordRejected("it does not hold exactly one sudo event")
    return bodies[0]


def server_instant(event: JsonObject) -> int | None:
    """Return when the log server wrote the event; without one, when the command was submitted or ended."""
    return _instant(event, "server_time") or _instant(event, "submit_time") or _instant(event, "exit_time")


def _accepted(event: JsonObject) -> tuple[AccessRecord, ...]:
    session_id, at = _session_id(event), _required(event, "submit_time")
    grant = _rule(event)
    session = _session(event, session_id, at, status="open", grant=grant)
    command = _command(event, f"{session_id}/command", denied=False)
    return tuple(each for each in (session, grant, command, _recording(event, session_id, at)) if each is not None)


def _rejected(event: JsonObject) -> tuple[AccessRecord, ...]:
    """Read a refused command: an attempt, which has nothing to record."""
    session_id, at = identifier(event, "uuid"), _required(event, "submit_time")
    session = _session(event, session_id, at, status="failed_attempt", grant=None)
    event_id = f"{session_id}/command"
    return (session, _command(event, event_id, denied=True, session_id=session_id))


def _exited(event: JsonObject) -> tuple[AccessRecord, ...]:
    session_id, at = _session_id(event), _required(event, "exit_time")
    signal = text(event, "signal")
    session = Session(
        id=session_id,
        ended_at=at,
        exit_code=integer(event, "exit_value"),
        status="closed",
        end_reason=f"signal {signal}" if signal else None,
    )
    if text(event, "iolog_path") is None:
        return (session,)
    return (session, Recording(id=session_id, session_id=session_id, ends_at=at))


def _session(event: JsonObject, session_id: str, at: int, *, status: str, grant: Grant | None) -> Session:
    reason = text(event, "reason")
    return Session(
        id=session_id,
        subject=_account(event),
        subject_kind="unknown",
        run_as=text(event, "runuser"),
        target=text(event, "submithost"),
        protocol="sudo",
        interactive=text(event, "ttyname") is not None,
        privileged=True if _runs_as_root(event) else None,
        started_at=at,
        status="failed_attempt" if status == "failed_attempt" else "open",
        grant_ids=(grant.id,) if grant is not None else None,
        end_reason=command_text(reason) if reason else None,
        policy_id=text(event, "source"),
    )


def _rule(event: JsonObject) -> Grant | None:
    """Return the sudoers rule that let the command through, which sudo names from 1.9.15 on: a standing right."""
    source, account, host = text(event, "source"), _account(event), text(event, "submithost")
    if source is None or account is None or host is None:
        return None
    run_as = text(event, "runuser")
    name = f"sudoers:{account}:{run_as}:{source}"
    return Grant(
        id=name if len(name) <= _LONGEST_ID and name.isprintable() else f"sudoers:{sha256_text(name)}",
        subject=account,
        role=run_as,
        targets=(host,),
        basis="standing",
        privileged=True if _runs_as_root(event) else None,
        state="active",
        scope_level="resource",
    )


def _recording(event: JsonObject, session_id: str, at: int) -> Recording:
    """Return what is said of the I/O log. sudo names it in every event of a command that has one, so none means off."""
    path = text(event, "iolog_path")
    if path is None:
        return Recording(id=session_id, session_id=session_id, state="off", kind="pty")
    return Recording(
        id=session_id, session_id=session_id, state="stored_claimed", kind="pty", starts_at=at, location=path
    )


def _command(event: JsonObject, event_id: str, *, denied: bool, session_id: str | None = None) -> SessionEvent:
    """Return a command. ``runargv[0]`` is what the program is told to call itself; ``command`` is what was run."""
    words = [text(event, "command") or "", *long_texts(event, "runargv")[1:]]
    shown, digest = command_line([word for word in words if word])
    return SessionEvent(
        id=as_identifier(event_id, "uuid"),
        session_id=session_id or _session_id(event),
        at=_required(event, "submit_time"),
        kind="denied" if denied else "command",
        text=shown,
        text_sha256=digest,
        outcome="denied" if denied else None,
    )


def _session_id(event: JsonObject) -> str:
    """Return the id that a command, its end and its sub-commands share.

    Sub-commands have a uuid of their own and share only the I/O log with the command that started them. The log's path
    is one host's or one server's, so the address of the host that sent it stands before it.
    """
    path = text(event, "iolog_path")
    if path is None:
        return identifier(event, "uuid")
    return as_identifier(f"{text(event, 'peeraddr') or 'local'}:{path}", "iolog_path")


def _account(event: JsonObject) -> str | None:
    user, host = text(event, "submituser"), text(event, "submithost")
    return f"{user}@{host}" if user and host else user


def _runs_as_root(event: JsonObject) -> bool:
    return integer(event, "runuid") == _ROOT or text(event, "runuser") == "root"


def _instant(event: JsonObject, name: str) -> int | None:
    spelled = child(event, name)
    return milliseconds(spelled.get("seconds"), spelled.get("nanoseconds", 0), name) if spelled else None


def _required(event: JsonObject, name: str) -> int:
    found = _instant(event, name)
    if found is None:
        raise RecordRejected(f"'{name}' is missing")
    return found
