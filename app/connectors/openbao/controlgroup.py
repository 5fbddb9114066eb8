# SPDX-License-Identifier: Apache-2.0

"""Read OpenBao control groups: what was asked for, and who authorized it.

In:  response entries. Out: a requested Grant with its pending Approval, and the Approvals that follow.

The request's response is the only entry that holds both the request's id, which the lease will have, and the accessor
of the wrapping token, which the approvers name. So it states a pending Approval with the accessor as id and the request
as grant; the authorization that completes the group has the same id, and folding joins them exactly.
"""

from app.connectors.openbao.headers import purpose_of, tickets_of
from app.connectors.openbao.leases import requester_of, role_of
from app.connectors.strictjson import JsonObject
from app.connectors.values import as_identifier, child, flag, text
from app.records.model import AccessRecord, Approval, Grant
from app.records.redaction import sha256_text


def request_of(value: JsonObject, at: int) -> tuple[AccessRecord, ...]:
    """Read the answer to a request that a control group holds back: a wrapping token, and nothing in it yet.

    An ordinary wrapped answer has ``data`` or a lease beside its ``wrap_info``; this one has neither.
    """
    request, response = child(value, "request"), child(value, "response")
    wrapping = child(response, "wrap_info")
    accessor, request_id = text(wrapping, "accessor"), text(request, "id")
    if accessor is None or request_id is None or response.keys() & {"data", "secret", "auth"}:
        return ()
    path, subject = text(request, "path"), requester_of(value)
    scope = sha256_text(f"{text(request, 'operation')} {path}")
    grant = Grant(
        id=as_identifier(request_id, "request.id"),
        subject=subject,
        requester=subject,
        role=role_of(path),
        targets=(path,) if path else None,
        basis="lease",
        requested_at=at,
        purpose=purpose_of(request),
        ticket_keys=tickets_of(request),
        state="requested",
        scope_level="resource",
        scope_digest=scope,
    )
    pending = Approval(
        id=as_identifier(accessor, "wrap_info.accessor"),
        grant_id=grant.id,
        decision="pending",
        requested_at=at,
        scope_digest=scope,
    )
    return (grant, pending)


def approval_of(value: JsonObject, at: int) -> tuple[AccessRecord, ...]:
    """Read an authorization. The audit log is the only place that has its time.

    ``approved`` is true once the group is complete. Earlier authorizations of a group that needs several cannot have
    the same id; theirs is the accessor with the approver, and their ``grant_id`` is the accessor, the only name they
    know.
    """
    accessor = text(child(child(value, "request"), "data"), "accessor")
    complete = flag(child(child(value, "response"), "data"), "approved")
    if accessor is None or complete is None:
        return ()
    approver = requester_of(value)
    policies = child(child(value, "auth"), "policy_results").get("granting_policies")
    accessor = as_identifier(accessor, "accessor")
    return (
        Approval(
            id=accessor if complete else as_identifier(f"{accessor}/{approver or at}", "accessor"),
            grant_id=None if complete else accessor,
            decision="approved",
            decided_at=at,
            approver=approver,
            mode="human" if text(child(value, "auth"), "entity_id") else None,
            policy_id=_first_name(policies),
        ),
    )


def _first_name(policies: object) -> str | None:
    match policies:
        case [{"name": str() as name}, *_] if name.isprintable():
            return name
        case _:
            return None
