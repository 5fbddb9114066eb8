# SPDX-License-Identifier: Apache-2.0

"""Say what a hoop.dev session and its review state.

In:  one session of ``GET /sessions`` (hoophq/hoop, ``gateway/api/openapi/openapiv3.json``, schemas ``openapi.Session``
     and ``openapi.SessionReview``).
Out: the session, its grant, one approval per reviewed group, its commands, and what is said of its recording.
Never takes the documentation's word where the gateway's source says otherwise; README.md lists where.
"""

from app.connectors.base import SourceRecord
from app.connectors.hoop.events import events_of
from app.connectors.hoop.review import approvals_of, decided_at, grant_of
from app.connectors.strictjson import JsonObject
from app.connectors.values import as_identifier, child, identifier, instant, integer, load, objects, text
from app.errors import RecordRejected
from app.records.model import (
    AccessRecord,
    IdentityKind,
    Recording,
    RecordingKind,
    RecordType,
    Session,
    SessionStatus,
)

RECORD_TYPES = frozenset(
    {RecordType.SESSION, RecordType.GRANT, RecordType.APPROVAL, RecordType.SESSION_EVENT, RecordType.RECORDING}
)

_IDENTITY_KINDS: dict[str, IdentityKind] = {"user": "human", "machine": "workload"}


def normalize(record: SourceRecord) -> tuple[AccessRecord, ...]:
    """Return the access records of one hoop session.

    Raises:
        RecordRejected: the session has no id, no start, or a field of another type than the contract says.
    """
    value = load(record.raw)
    session = _session(value)
    grant = grant_of(value, session)
    approvals = approvals_of(value, grant)
    if grant is not None and _only_asked_for(value):
        return (grant, *approvals)
    recording = _recording(value, session)
    return tuple(
        each for each in (session, grant, *approvals, *events_of(value, session), recording) if each is not None
    )


def last_change(value: JsonObject) -> tuple[int | None, str | None]:
    """Return the latest instant a session speaks of as past, and how it is spelled: what the snapshot is as of.

    ``revoke_at`` is left out, because it lies in the future for a right that is in force.
    """
    latest: tuple[int | None, str | None] = (None, None)
    try:
        review = child(value, "review")
        rows = objects(review, "review_groups_data")
        places = [(value, "start_date"), (value, "end_date"), (review, "created_at")]
        for holder, name in places + [(row, "review_date") for row in rows]:
            at = instant(holder, name)
            if at is not None and (latest[0] is None or at > latest[0]):
                latest = (at, text(holder, name))
    except RecordRejected:
        # normalize() rejects the record and says why; the raw record is kept all the same.
        pass
    return latest


def _session(value: JsonObject) -> Session:
    review = child(value, "review")
    key = identifier(value, "id")
    start = instant(value, "start_date")
    if start is None:
        raise RecordRejected("'start_date' is missing")
    ended = instant(value, "end_date")
    connection = text(value, "connection") or text(value, "role_name")
    issue = text(child(value, "integrations_metadata"), "jira_issue_key")
    return Session(
        id=key,
        subject=text(value, "user") or text(value, "user_id") or text(value, "machine_identity_id"),
        subject_kind=_IDENTITY_KINDS.get(text(value, "identity_type") or ""),
        target=connection,
        protocol=text(value, "connection_subtype") or text(value, "type"),
        interactive={"connect": True, "exec": False}.get(text(value, "verb") or ""),
        started_at=_started(review, start, ended),
        ended_at=ended,
        status=_status(value, review, ended),
        exit_code=integer(value, "exit_code"),
        grant_ids=(as_identifier(review.get("id"), "review.id"),) if review else None,
        ticket_keys=(issue,) if issue else None,
    )


def _only_asked_for(value: JsonObject) -> bool:
    """Tell whether the "session" is a request that was never carried out; then it is no use of access at all."""
    review_status = text(child(value, "review"), "status")
    ran = instant(value, "end_date") is not None or integer(value, "exit_code") is not None
    return not ran and (review_status == "PENDING" or text(value, "status") == "ready")


def _started(review: JsonObject, start: int, ended: int | None) -> int:
    """Return when the session began: ``start_date``, or the approval that it waited for.

    The gateway fills ``start_date`` with the row's ``created_at`` (models/session.go), and makes the review after it.
    Such a session runs once the review is approved, so the approval is the earliest instant at which it can have begun.
    One that had ended before the approval did not wait for it, and one whose review is older than itself started when
    it says.
    """
    requested = instant(review, "created_at")
    approved = decided_at(review)
    if requested is None or approved is None or requested < start:
        return start
    return approved if start < approved and (ended is None or approved <= ended) else start


def _status(value: JsonObject, review: JsonObject, ended: int | None) -> SessionStatus:
    """Return the session's status; one that a guardrail, an analysis or a reviewer stopped is an attempt."""
    blocked = any(text(each, "direction") == "input" for each in objects(value, "guardrails_info"))
    refused = text(child(value, "ai_analysis"), "action") == "block_execution"
    if blocked or refused or text(review, "status") == "REJECTED":
        return "failed_attempt"
    status = text(value, "status")
    if status == "done" or ended is not None:
        return "closed"
    return "open" if status == "open" else "unknown"


def _recording(value: JsonObject, session: Session) -> Recording | None:
    """Return what is claimed of the stored stream. hoop keeps no digest of it, and nothing stops it being changed."""
    size = integer(value, "event_size")
    if not size and not value.get("event_stream"):
        return None
    return Recording(
        id=session.id, session_id=session.id, state="stored_claimed", kind=_recording_kind(value), size=size or None
    )


def _recording_kind(value: JsonObject) -> RecordingKind:
    if text(value, "connection_subtype") == "rdp":
        return "video"
    # The stream of a database connection is its wire protocol: the queries and what they returned.
    return "query_log" if text(value, "type") == "database" else "transcript"
