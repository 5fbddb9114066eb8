# SPDX-License-Identifier: Apache-2.0

"""What follows from each access without a vendor's log, and what its grant and sessions are called.

In:  accesses. Out: access records that ``inventory`` (the request desk's register, audit hashes) and ``siem`` (logins
seen by targets) tell; and item ids, as the populations will spell them.
"""

from collections.abc import Iterable, Iterator

from app.demo.directory import tell
from app.demo.model import Access, Story, Told
from app.demo.organisation import person, system
from app.demo.times import SECOND
from app.demo.writers import hoop, openbao, postgresql, sudo, teleport
from app.records.model import AccessEvent, Approval, Credential, Grant


def consequences(accesses: Iterable[Access]) -> Story:
    """Return what the inventory and the targets tell of these accesses besides the vendors' logs."""
    return Story(told=tuple(told for access in accesses for told in _told(access)))


def _told(access: Access) -> Iterator[Told]:
    match access.door:
        case "sudo":
            if access.asked:
                yield from sudo_grant(access)
        case "openbao":
            for text in (openbao.leased_user(access), openbao.lease_id(access)):
                hashed = Credential(id=openbao.audit_hash(text), subject=text, kind="audit-hash")
                yield tell("inventory", hashed, openbao.issued_at(access))
            for use in access.uses:
                yield native_login(access.target, openbao.leased_user(access), use.started + SECOND, use.key)
        case "teleport_ssh":
            if system(access.target).brokered:
                for use in access.uses:
                    yield native_login(access.target, use.run_as, use.started + SECOND, use.key)
        case "teleport_db" | "teleport_kube" | "hoop" | "openbao_ssh":
            return


def native_login(on: str, account: str, at: int, key: str) -> Told:
    """Return a login as the target's own log reported it to the SIEM."""
    record = AccessEvent(id=login_id(key), at=at, target=on, account=account, privileged=True, method="publickey")
    return tell("siem", record, at)


def login_id(key: str) -> str:
    """Return the id that the SIEM gave to a login."""
    return f"login-{key}"


def sudo_grant(access: Access, *, basis: str = "jit") -> Iterator[Told]:
    """Yield the grant and the approvals of an access that no product brokers: the request desk's own register."""
    who = person(access.person)
    digest = f"{who.unix}:{access.role}@{access.target}"
    grant = Grant(
        id=register_id(access),
        subject=who.email,
        requester=who.email,
        role=access.role,
        targets=(access.target,),
        basis="jit" if basis == "jit" else "standing" if basis == "standing" else "break_glass",
        privileged=True,
        requested_at=access.requested,
        starts_at=access.starts,
        expires_at=None if basis == "standing" else access.expires,
        ended_at=access.ended,
        removed_at=access.removed,
        purpose=access.purpose,
        ticket_keys=(access.ticket,) if access.ticket else (),
        state="active" if basis == "standing" else "ended",
        scope_level="resource",
        wildcard=False,
        scope_digest=digest,
        required_approvals=1,
        workflow_id=system(access.target).workflow,
    )
    yield tell("inventory", grant, access.removed or access.starts)
    for number, decision in enumerate(access.decisions, start=1):
        approval = Approval(
            id=f"{register_id(access)}-{number}",
            grant_id=register_id(access),
            decision="approved" if decision.approved else "denied",
            requested_at=access.requested,
            decided_at=decision.at,
            approver=decision.login or person(decision.approver).email,
            mode="human" if decision.policy is None else "automatic",
            scope_digest=digest,
            approved_until=None if basis == "standing" else access.approved_until or access.expires,
            policy_id=decision.policy,
        )
        yield tell("inventory", approval, decision.at)


def register_id(access: Access) -> str:
    """Return the number of a request in the request desk's register."""
    return f"REQ-{access.key}"


def grant_item(access: Access) -> str:
    """Return the item id of an access's grant in the populations."""
    match access.door:
        case "hoop":
            return f"hoop/grant/{hoop.review_id(access)}"
        case "teleport_ssh" | "teleport_db" | "teleport_kube":
            return f"teleport/grant/{teleport.request_id(access)}"
        case "openbao" | "openbao_ssh":
            return f"openbao/grant/{openbao.request_id(access)}"
        case "sudo":
            return f"inventory/grant/{register_id(access)}"


def command_item(access: Access) -> str:
    """Return the item id of the first command of an access's first session in the populations."""
    use = access.uses[0]
    match access.door:
        case "hoop":
            return f"hoop/session_event/{hoop.session_id(use)}/query-1"
        case "teleport_ssh" | "teleport_db":
            return f"teleport/session_event/{teleport.command_id(access, use, 1)}"
        case "sudo":
            return f"sudo/session_event/{sudo.command_id(use, 1)}"
        case "teleport_kube" | "openbao" | "openbao_ssh":
            raise ValueError(f"the item ids of commands by {access.door} are not known here")


def session_items(access: Access) -> tuple[str, ...]:
    """Return the item ids of an access's sessions in the populations."""
    match access.door:
        case "hoop":
            return tuple(f"hoop/session/{hoop.session_id(use)}" for use in access.uses)
        case "teleport_ssh" | "teleport_db" | "teleport_kube":
            return tuple(f"teleport/session/{teleport.session_id(use)}" for use in access.uses)
        case "openbao" | "openbao_ssh":
            return tuple(f"postgresql/session/{postgresql.session_id(use)}" for use in access.uses)
        case "sudo":
            return tuple(f"sudo/session/{sudo.session_id(use)}" for use in access.uses)
