# SPDX-License-Identifier: Apache-2.0

"""Read the review that is embedded in a hoop.dev session: the grant it makes and the approvals behind it.

In:  a session and its ``review``. Out: a Grant, and an Approval per group that was reviewed.
Never counts: one person in several reviewer groups fills all of them with one click, so ``approver`` is kept on every
row and the trails count people.
"""

from typing import Literal

from app.connectors.strictjson import JsonObject
from app.connectors.values import as_identifier, child, command_text, flag, instant, integer, long_text, objects, text
from app.errors import RecordRejected
from app.records.model import Approval, ApprovalMode, Decision, Grant, GrantBasis, Session
from app.records.redaction import sha256_text

_BASES: dict[str, GrantBasis] = {"jit": "jit", "onetime": "onetime"}
_STATES: dict[str, Literal["requested", "active", "ended", "denied"]] = {
    "PENDING": "requested",
    "APPROVED": "active",
    "PROCESSING": "active",
    "EXECUTED": "active",
    "REJECTED": "denied",
    "REVOKED": "ended",
}
_DECISIONS: dict[str, Decision] = {"APPROVED": "approved", "REJECTED": "denied", "REVOKED": "revoked"}
_NANOSECONDS_PER_MILLISECOND = 1_000_000


def grant_of(value: JsonObject, session: Session) -> Grant | None:
    """Return the right that the session's review asks for or gives; None for a session without a review.

    ``revoke_at`` is the expiry and not a revocation: the gateway sets it to approval plus duration on every approval.
    A one-time right has no duration, so its ``revoke_at`` is the approval itself and is no expiry.
    """
    review = child(value, "review")
    if not review:
        return None
    basis = _BASES.get(text(review, "type") or "")
    status = text(review, "status")
    approved = decided_at(review)
    revoke_at = instant(review, "revoke_at")
    duration = (integer(review, "access_duration") or 0) // _NANOSECONDS_PER_MILLISECOND
    starts = revoke_at - duration if basis == "jit" and revoke_at and 0 < duration <= revoke_at else approved
    used = basis == "onetime" and status == "EXECUTED" and session.ended_at is not None
    revoked = _revoked_at(review)
    end_reason: Literal["used", "revoked"] | None = "revoked" if status == "REVOKED" else "used" if used else None
    return Grant(
        id=as_identifier(review.get("id"), "review.id"),
        subject=session.subject,
        requester=session.subject,
        targets=(session.target,) if session.target else None,
        basis="break_glass" if _is_forced(review) else basis,
        requested_at=instant(review, "created_at"),
        starts_at=starts,
        expires_at=_expiry(basis, starts, revoke_at, duration),
        ended_at=revoked if status == "REVOKED" else session.ended_at if used else None,
        end_reason=end_reason,
        ticket_keys=session.ticket_keys,
        state="ended" if used else _STATES.get(status or ""),
        scope_level="resource",
        scope_digest=_scope_digest(value),
        required_approvals=integer(review, "min_approvals"),
    )


def approvals_of(value: JsonObject, grant: Grant | None) -> list[Approval]:
    """Return one approval per group that somebody reviewed; groups that still wait give none."""
    if grant is None:
        return []
    review = child(value, "review")
    return [
        _approval(review, row, grant)
        for row in objects(review, "review_groups_data")
        if text(row, "status") in _DECISIONS
    ]


def decided_at(review: JsonObject) -> int | None:
    """Return when the last approving group approved; None while no group has."""
    dates = [
        instant(row, "review_date")
        for row in objects(review, "review_groups_data")
        if text(row, "status") in ("APPROVED", "REVOKED")
    ]
    return max((date for date in dates if date is not None), default=None)


def _approval(review: JsonObject, row: JsonObject, grant: Grant) -> Approval:
    group = text(row, "group")
    row_id = text(row, "id") or group
    if row_id is None:
        raise RecordRejected("a row of 'review_groups_data' has neither 'id' nor 'group'")
    reviewer = child(row, "reviewed_by")
    reason = long_text(review, "rejection_reason")
    decision = _DECISIONS[text(row, "status") or ""]
    return Approval(
        id=as_identifier(f"{grant.id}/{row_id}", "review_groups_data.id"),
        grant_id=grant.id,
        decision=decision,
        requested_at=grant.requested_at,
        decided_at=instant(row, "review_date"),
        approver=text(reviewer, "email") or text(reviewer, "id"),
        mode=_mode(review, row, reviewer),
        group=group,
        scope_digest=grant.scope_digest,
        approved_until=grant.expires_at,
        policy_id=text(review, "access_request_rule_name"),
        comment=command_text(reason) if reason and decision == "denied" else None,
    )


def _mode(review: JsonObject, row: JsonObject, reviewer: JsonObject) -> ApprovalMode | None:
    """Return how the row came to be decided.

    ``POST /sessions/provision`` makes a review and its approvals in one go, in the name of the API key: the review's
    ``created_at`` and the row's ``review_date`` are the same instant (api/session/session.go, createApprovedReview).
    No person reviews within the millisecond, so such a row only asserts that somebody approved elsewhere.
    """
    if flag(row, "forced_review"):
        return "forced"
    decided = instant(row, "review_date")
    if not reviewer or (decided is not None and decided == instant(review, "created_at")):
        return "asserted"
    return "human"


def _is_forced(review: JsonObject) -> bool:
    """Tell whether somebody overrode the reviewers: an emergency way in, so the grant counts as break-glass."""
    return any(flag(row, "forced_review") for row in objects(review, "review_groups_data"))


def _revoked_at(review: JsonObject) -> int | None:
    dates = [
        instant(row, "review_date") for row in objects(review, "review_groups_data") if text(row, "status") == "REVOKED"
    ]
    return max((date for date in dates if date is not None), default=None)


def _expiry(basis: GrantBasis | None, starts: int | None, revoke_at: int | None, duration: int) -> int | None:
    if basis != "jit":
        return None
    if revoke_at is not None:
        return revoke_at
    return starts + duration if starts is not None and duration > 0 else None


def _scope_digest(value: JsonObject) -> str | None:
    """Return the digest of what was put before the reviewers.

    A one-time right is for one command. A right for a time is for the request itself, which names person, connection
    and duration and cannot be changed once it is made. The list call leaves commands out: then nothing is known.
    """
    review = child(value, "review")
    if text(review, "type") == "jit":
        return sha256_text(f"hoop review {review.get('id')}")
    script = long_text(child(value, "script"), "data")
    return None if script is None else sha256_text(script)
