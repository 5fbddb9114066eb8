# SPDX-License-Identifier: Apache-2.0

"""What HR and the inventory tell of Larkfield Health, and what follows from each access without a vendor's log.

In:  the organisation and accesses. Out: access records with the source that tells them: ``hr`` (people),
``inventory`` (targets, workflows, accounts, grants through sudo, audit hashes) and ``siem`` (logins seen by targets).
"""

from collections.abc import Iterable, Iterator

from app.demo.model import Access, Person, Story, System, Told
from app.demo.organisation import PEOPLE, SYSTEMS, WORKFLOWS, person, system, team
from app.demo.times import DAY, HOUR, PERIOD_START, SECOND, instant, stable_int
from app.demo.writers import hoop, openbao, postgresql, sudo, teleport
from app.records.model import (
    AccessEvent,
    AccessRecord,
    Account,
    Alias,
    Approval,
    Credential,
    Grant,
    Identity,
    Target,
)

_SNAPSHOT = PERIOD_START - 6 * HOUR
"""The first nightly export; it speaks for the state before the period."""
_EMERGENCY_OWNER = "rashid.karimov"
_EMERGENCY_REVIEWER = "tobias.lindqvist"
EMERGENCY_TARGETS = ("app-01", "app-02")
EMERGENCY_ACCOUNT = "emergency"


def tell(source: str, record: AccessRecord, at: int = _SNAPSHOT) -> Told:
    """Return a record as the named source tells it from ``at`` on."""
    return Told(source=source, observed_at=at, record=record)


def organisation() -> Story:
    """Return what is known of people, targets, workflows and accounts, deviations excluded."""
    told = [
        *(tell("hr", identity(each)) for each in PEOPLE),
        *(tell("hr", _leaver(each), each.left_at) for each in PEOPLE if each.left_at is not None),
        *(tell("inventory", target(each)) for each in SYSTEMS),
        *(tell("inventory", each) for each in WORKFLOWS),
        *(tell("inventory", each) for each in _accounts()),
    ]
    return Story(told=tuple(told))


def consequences(accesses: Iterable[Access]) -> Story:
    """Return what the inventory and the targets tell of these accesses besides the vendors' logs."""
    return Story(told=tuple(told for access in accesses for told in _told(access)))


def identity(who: Person) -> Identity:
    """Return a person as HR and the identity provider know them, with each system's spelling of them."""
    spellings = [
        ("hoop", who.email),
        ("hoop", hoop.user_id(who.key)),
        ("teleport", who.email),
        ("openbao", openbao.entity_id(who.key)),
        ("openbao", openbao.display_name(who.key)),
        *(("sudo", f"{who.unix}@{host}") for host in sudo.HOSTS),
        ("inventory", who.unix),
        ("siem", who.unix),
    ]
    if who.second_login is not None:
        spellings += [("hoop", who.second_login), ("hoop", hoop.user_id(who.second_login))]
        spellings += [("teleport", who.second_login)]
    return Identity(
        id=who.key,
        kind=who.kind,
        display=who.name,
        email=who.email,
        person_id=f"LF-{stable_int('person', who.key, below=9000) + 1000}",
        status="active",
        manager_person_id=None if who.manager is None else identity_number(who.manager),
        owner=None if who.kind == "human" or who.manager is None else person(who.manager).email,
        purpose=None if who.kind == "human" else who.title,
        workflow_id={"svc-backup": "patient-records", "svc-deploy": "cluster-operations"}.get(who.key),
        privileged=True if who.kind == "service" else None,
        employer=who.employer,
        aliases=tuple(Alias(source=source, subject=subject) for source, subject in spellings),
    )


def identity_number(key: str) -> str:
    """Return the staff number of a person."""
    return f"LF-{stable_int('person', key, below=9000) + 1000}"


def _leaver(who: Person) -> Identity:
    return Identity(id=who.key, status="terminated", employment_end_at=who.left_at)


def target(each: System) -> Target:
    """Return a target with the names that the other sources use for it."""
    database = each.key.removesuffix("-db")
    return Target(
        id=each.key,
        name=each.key,
        env=each.env,
        brokered=each.brokered,
        data_classes=each.data_classes,
        workflow_id=each.workflow,
        aliases=(teleport.host_id(each.key), *((database, openbao.BILLING_PATH) if "openbao" in each.doors else ())),
    )


def _accounts() -> Iterator[Account]:
    for each in SYSTEMS:
        if "teleport_ssh" in each.doors:
            yield shared_account(each.key, "ops", "amara.okafor")
    for key in ("integration-01", "app-stg-01"):
        yield shared_account(key, "root", "amara.okafor")
    for on, team_name in (("kube-prod", "platform"), ("analytics-dw", "analytics"), ("billing-db", "dba")):
        for who in team(team_name):
            yield personal_account(on, who.key)
    for key in EMERGENCY_TARGETS:
        yield emergency_account(key)


def personal_account(on: str, key: str) -> Account:
    """Return the privileged account of one person on a target."""
    who = person(key)
    return Account(
        id=f"{on}/{who.unix}",
        name=who.unix,
        target=on,
        subject=who.email,
        shared=False,
        privileged=True,
        enabled=True,
        created_at=instant("2025-02-03 09:00"),
        last_login_at=instant("2026-06-30 12:00"),
    )


def shared_account(on: str, name: str, owner: str) -> Account:
    """Return a shared account of a target; ``owner`` answers for it."""
    return Account(
        id=f"{on}/{name}",
        name=name,
        target=on,
        subject=person(owner).email,
        shared=True,
        privileged=True,
        enabled=True,
        created_at=instant("2025-02-03 09:00"),
        service_owner=person(owner).email,
    )


def emergency_account(on: str) -> Account:
    """Return the break-glass account of a target, in order: owned, reviewed by another, alarmed, tested in spring."""
    return Account(
        id=f"{on}/{EMERGENCY_ACCOUNT}",
        name=EMERGENCY_ACCOUNT,
        target=on,
        subject=person(_EMERGENCY_OWNER).email,
        shared=True,
        privileged=True,
        enabled=True,
        created_at=instant("2025-02-03 09:00"),
        rotated_at=instant("2026-05-20 10:00"),
        service_owner=person(_EMERGENCY_OWNER).email,
        break_glass=True,
        owner=person(_EMERGENCY_OWNER).email,
        reviewer=person(_EMERGENCY_REVIEWER).email,
        owner_assigned_at=instant("2026-01-12 09:00"),
        alert_configured=True,
        last_tested_at=instant("2026-05-20 09:00"),
    )


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
        case "teleport_db" | "teleport_kube" | "hoop":
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
        case "openbao":
            return f"openbao/grant/{openbao.request_id(access)}"
        case "sudo":
            return f"inventory/grant/{register_id(access)}"


def session_items(access: Access) -> tuple[str, ...]:
    """Return the item ids of an access's sessions in the populations."""
    match access.door:
        case "hoop":
            return tuple(f"hoop/session/{hoop.session_id(use)}" for use in access.uses)
        case "teleport_ssh" | "teleport_db" | "teleport_kube":
            return tuple(f"teleport/session/{teleport.session_id(use)}" for use in access.uses)
        case "openbao":
            return tuple(f"postgresql/session/{postgresql.session_id(use)}" for use in access.uses)
        case "sudo":
            return tuple(f"sudo/session/{sudo.session_id(use)}" for use in access.uses)


def days_later(at: int, days: int) -> int:
    """Return the instant some days later."""
    return at + days * DAY
