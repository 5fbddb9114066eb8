# SPDX-License-Identifier: Apache-2.0

"""Read Teleport's session events: SSH, Kubernetes, databases, applications and Windows desktops.

In:  a ``*.session.start``, ``*.session.end``, ``session.rejected`` or ``session.upload`` event and its instant.
Out: the session, the standing grant it used when it used no request, and what is said of its recording.
"""

from app.connectors.strictjson import JsonObject
from app.connectors.values import as_identifier, command_text, flag, host_of, identifier, instant, text, texts
from app.records.model import (
    AccessRecord,
    Grant,
    IdentityKind,
    Recording,
    RecordingKind,
    Session,
)
from app.records.redaction import sha256_text

_LONGEST_GRANT_ID = 256
_USER_KINDS: dict[int, IdentityKind] = {1: "human", 2: "workload", 3: "system"}
_USER_KIND_NAMES: dict[str, IdentityKind] = {
    "USER_KIND_HUMAN": "human",
    "USER_KIND_BOT": "workload",
    "USER_KIND_SYSTEM": "system",
}


def started(value: JsonObject, at: int) -> tuple[AccessRecord, ...]:
    """Read a session's start; a start that failed is an attempt and has no recording."""
    failed = has_failed(value)
    session_id = identifier(value, "sid")
    standing, grant_ids = _grants(value)
    session = _session(value, session_id, grant_ids, started_at=at, status="failed_attempt" if failed else "open")
    recording = None if failed else _recording(value, session_id)
    return tuple(each for each in (session, standing, recording) if each is not None)


def ended(value: JsonObject, at: int) -> tuple[AccessRecord, ...]:
    """Read a session's end. Some ends also say when it started, which helps where the start was not collected."""
    session_id = identifier(value, "sid")
    standing, grant_ids = _grants(value)
    session = _session(
        value,
        session_id,
        grant_ids,
        started_at=instant(value, "session_start"),
        ended_at=instant(value, "session_stop") or at,
        status="closed",
    )
    return tuple(each for each in (session, standing, _recording(value, session_id)) if each is not None)


def rejected(value: JsonObject, at: int) -> tuple[AccessRecord, ...]:
    """Read a session that Teleport refused, such as one over the limit of concurrent sessions.

    It has no session id, so the event's own id stands for the attempt.
    """
    reason = text(value, "reason")
    session_id = text(value, "sid") or identifier(value, "uid")
    session = _session(
        value,
        as_identifier(session_id, "sid"),
        None,
        started_at=at,
        status="failed_attempt",
        end_reason=command_text(reason) if reason else None,
    )
    return (session,)


def uploaded(value: JsonObject, at: int) -> tuple[AccessRecord, ...]:
    """Read that a recording was stored. Teleport gives no digest, so this is its claim and no more."""
    session_id = identifier(value, "sid")
    return (
        Recording(
            id=session_id,
            session_id=session_id,
            state="stored_claimed",
            registered_at=at,
            location=text(value, "url"),
        ),
    )


def has_failed(value: JsonObject) -> bool:
    """Tell whether an event reports a failure: its code ends in W or E, or it says so itself."""
    code = text(value, "code") or ""
    return code[-1:].upper() in ("W", "E") or flag(value, "success") is False


def subject_kind(value: JsonObject) -> IdentityKind | None:
    """Return what kind of identity acted; events before ``user_kind`` do not say."""
    found = value.get("user_kind")
    if type(found) is int:
        return _USER_KINDS.get(found)
    if text(value, "bot_name") is not None:
        return "workload"
    return _USER_KIND_NAMES.get(found) if type(found) is str else None


def _session(
    value: JsonObject,
    session_id: str,
    grant_ids: tuple[str, ...] | None,
    **known: object,
) -> Session:
    roles = texts(value, "user_roles")
    fields: dict[str, object] = {
        "subject": text(value, "user"),
        "subject_kind": subject_kind(value),
        "initiator": text(value, "impersonator"),
        "run_as": _run_as(value),
        "target": target_of(value),
        "role": roles[0] if len(roles) == 1 else None,
        "protocol": _protocol(value),
        "interactive": _is_interactive(value),
        "client_address": host_of(text(value, "addr.remote")),
        "mfa": True if text(value, "with_mfa") else None,
        "recording_policy": _policy(value),
        **known,
    }
    return Session(id=session_id, grant_ids=grant_ids, **fields)  # type: ignore[arg-type]


def _grants(value: JsonObject) -> tuple[Grant | None, tuple[str, ...] | None]:
    """Return the standing grant, if one was used, and the ids of the grants the session used.

    ``access_requests`` names the requests exactly. Without any, the user came in by standing roles, so those are a
    grant of their own: the same for every session of that user with those roles. Events older than ``user_roles`` do
    not say what let the user in.
    """
    requests = tuple(as_identifier(each, "access_requests") for each in texts(value, "access_requests"))
    if requests:
        return None, requests
    user, roles = text(value, "user"), sorted(texts(value, "user_roles"))
    if user is None or not roles:
        return None, None
    grant_id = f"standing:{user}:{','.join(roles)}"
    if len(grant_id) > _LONGEST_GRANT_ID or not grant_id.isprintable():
        grant_id = f"standing:{sha256_text(grant_id)}"
    return Grant(id=grant_id, subject=user, role=", ".join(roles), basis="standing", state="active"), (grant_id,)


def target_of(value: JsonObject) -> str | None:
    """Return the name of the system a session reaches, by the most readable of the names Teleport gives it."""
    names = ("server_hostname", "kubernetes_cluster", "db_service", "app_name", "desktop_name")
    for name in names:
        if found := text(value, name):
            return found
    return (
        text(value, "app_public_addr")
        or text(value, "public_addr")
        or host_of(text(value, "desktop_addr"))
        or text(value, "server_id")
    )


def _run_as(value: JsonObject) -> str | None:
    return text(value, "login") or text(value, "db_user") or text(value, "windows_user") or text(value, "aws_role_arn")


def _protocol(value: JsonObject) -> str | None:
    event = text(value, "event") or ""
    if event.startswith("db."):
        return text(value, "db_protocol") or "db"
    if event.startswith("app."):
        return "app"
    if event.startswith("windows."):
        return "rdp"
    return text(value, "proto") or ("kube" if text(value, "kubernetes_cluster") else "ssh")


def _is_interactive(value: JsonObject) -> bool | None:
    said = flag(value, "interactive")
    if said is not None:
        return said
    # A terminal size is given for sessions with a terminal.
    return True if text(value, "size") or text(value, "event") == "windows.desktop.session.start" else None


def _policy(value: JsonObject) -> str | None:
    mode = text(value, "session_recording")
    return None if mode is None else "off" if mode == "off" else "on"


def _recording(value: JsonObject, session_id: str) -> Recording | None:
    """Return what an event says of the recording: that it was set up, or off. That it exists, only the upload says."""
    mode = text(value, "session_recording")
    recorded = flag(value, "recorded")  # Windows desktops say it so.
    if mode is None and recorded is None:
        return None
    off = mode == "off" or recorded is False
    return Recording(
        id=session_id, session_id=session_id, state="off" if off else "configured", kind=_recording_kind(value)
    )


def _recording_kind(value: JsonObject) -> RecordingKind:
    event = text(value, "event") or ""
    if event.startswith("windows."):
        return "video"
    if event.startswith("db."):
        return "query_log"
    return "transcript" if event.startswith("app.") else "pty"
