# SPDX-License-Identifier: Apache-2.0

"""Read Teleport access requests: the grant that is asked for, the reviews, and what became of it.

In:  an ``access_request.*`` event and its instant. Out: a Grant and, where somebody decided, an Approval.
Never takes a bot for a person: ``@teleport-access-approval-bot`` and its like approve by rule.
"""

from typing import Literal

from app.connectors.strictjson import JsonObject
from app.connectors.values import command_text, identifier, instant, long_text, objects, text, texts
from app.records.model import AccessRecord, Approval, ApprovalMode, Decision, Grant
from app.records.redaction import sha256_text

_States: dict[str, Literal["requested", "active", "ended", "denied"]] = {
    "PENDING": "requested",
    "APPROVED": "active",
    "DENIED": "denied",
    "PROMOTED": "ended",
}
_Decisions: dict[str, Decision] = {"APPROVED": "approved", "DENIED": "denied"}


def created(value: JsonObject, at: int) -> tuple[AccessRecord, ...]:
    """Read a request. ``expires`` is when the access would end; its zero means that no end is known yet."""
    return (_grant(value, requested_at=at),)


def updated(value: JsonObject, at: int) -> tuple[AccessRecord, ...]:
    """Read a change of state, which ``tctl requests approve`` and plugins make without a review."""
    grant = _grant(value, starts_at=_start(value, at))
    decision = _Decisions.get(text(value, "state") or "")
    plugin, person = text(value, "updated_by"), text(value, "delegator")
    if decision is None or (person or plugin) is None:
        return (grant,)
    approval = _approval(value, at, decision, person or plugin, asserted=person is not None and person != plugin)
    return (grant, approval)


def reviewed(value: JsonObject, at: int) -> tuple[AccessRecord, ...]:
    """Read one review. ``state`` is the request's state after it, so it may still be pending."""
    grant = _grant(value, starts_at=_start(value, at))
    decision = _Decisions.get(text(value, "proposed_state") or "")
    if decision is None:
        return (grant,)
    reviewer, submitted_by = text(value, "reviewer"), text(value, "submitted_by")
    asserted = submitted_by is not None and submitted_by != reviewer
    return (grant, _approval(value, at, decision, reviewer, asserted=asserted))


def expired(value: JsonObject, at: int) -> tuple[AccessRecord, ...]:
    """Read that a request expired: with it the last certificate it gave, since none outlives the access expiry."""
    return (Grant(id=identifier(value, "id"), ended_at=at, end_reason="expired", removed_at=at, state="ended"),)


def _grant(value: JsonObject, *, requested_at: int | None = None, starts_at: int | None = None) -> Grant:
    user, reason = text(value, "user"), long_text(value, "reason")
    roles = sorted(texts(value, "roles"))
    resources = tuple(name for each in objects(value, "resource_ids") if (name := text(each, "name")))
    state = _States.get(text(value, "state") or "")
    is_request = requested_at is not None
    return Grant(
        id=identifier(value, "id"),
        # Where an update or review has a user, it is whoever acted.
        subject=user if is_request else None,
        requester=user if is_request else None,
        role=", ".join(roles) or None,
        targets=resources or None,
        basis="jit",
        requested_at=requested_at,
        starts_at=starts_at,
        expires_at=instant(value, "expires") or instant(value, "max_duration"),
        end_reason="superseded" if text(value, "state") == "PROMOTED" else None,
        # The reason of an update or review is the decider's comment, not the purpose.
        purpose=command_text(reason) if reason and is_request else None,
        state=state or ("requested" if is_request else None),
        scope_level="resource" if resources else None,
        scope_digest=_scope_digest(value),
    )


def _start(value: JsonObject, at: int) -> int | None:
    return instant(value, "assume_start_time") or (at if text(value, "state") == "APPROVED" else None)


def _approval(value: JsonObject, at: int, decision: Decision, approver: str | None, *, asserted: bool) -> Approval:
    reason = long_text(value, "reason")
    return Approval(
        id=identifier(value, "uid"),
        grant_id=identifier(value, "id"),
        decision=decision,
        decided_at=at,
        approver=approver,
        mode=_mode(approver, asserted=asserted),
        scope_digest=_scope_digest(value),
        comment=command_text(reason) if reason else None,
    )


def _scope_digest(value: JsonObject) -> str:
    """Return what a decision binds to: the request, which names user, roles and resources and cannot be changed.

    An approver may override the roles, but only by a subset of those that were asked for
    (goteleport.com/docs, "Access Request Configuration"), so that a grant never exceeds its request.
    """
    return sha256_text(f"teleport access request {identifier(value, 'id')}")


def _mode(approver: str | None, *, asserted: bool) -> ApprovalMode | None:
    """Return how it was decided: by Teleport's own users, which start with ``@teleport``, it was decided by rule."""
    if approver is None:
        return None
    if approver.startswith("@teleport"):
        return "automatic"
    return "asserted" if asserted else "human"
