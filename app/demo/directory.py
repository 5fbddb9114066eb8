# SPDX-License-Identifier: Apache-2.0

"""What HR and the inventory tell of Larkfield Health: people, targets, workflows and accounts.

In:  the organisation. Out: access records with the source that tells them, ``hr`` or ``inventory``.
"""

from collections.abc import Iterator

from app.demo.model import Person, Story, System, Told
from app.demo.organisation import PEOPLE, SYSTEMS, WORKFLOWS, person, team
from app.demo.times import HOUR, MINUTE, PERIOD_END, PERIOD_START, instant, stable_int
from app.demo.writers import hoop, openbao, sudo, teleport
from app.records.model import AccessRecord, Account, Alias, Identity, Target

_SNAPSHOT = PERIOD_START - 6 * HOUR
"""The first nightly export; it speaks for the state before the period."""
_EMERGENCY_OWNER = "rashid.karimov"
_EMERGENCY_REVIEWER = "tobias.lindqvist"
_WORKFLOWS_OF_MACHINES = {
    "svc-backup": "patient-records",
    "svc-deploy": "cluster-operations",
    "agent-invoices": "claims-support",
}
_LAST_NIGHT = PERIOD_END - 30 * MINUTE
EMERGENCY_TARGETS = ("app-01", "app-02")
EMERGENCY_ACCOUNT = "emergency"
FORGOTTEN_ACCOUNT = "imaging-gw/ops"
"""The shared account whose secret the vault was never told to change."""
_SHARED = (
    *(f"{each.key}/ops" for each in SYSTEMS if "teleport_ssh" in each.doors), "integration-01/root", "app-stg-01/root",
)  # fmt: skip


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
        *(tell("inventory", changed_secret(key), _LAST_NIGHT) for key in _SHARED if key != FORGOTTEN_ACCOUNT),
    ]
    return Story(told=tuple(told))


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
        workflow_id=_WORKFLOWS_OF_MACHINES.get(who.key),
        privileged=True if who.kind in ("service", "agent") else None,
        employer=who.employer,
        sponsor=None if who.kind != "vendor" or who.manager is None else person(who.manager).email,
        contract_ref=who.contract,
        evidence_clause=who.evidence_clause,
        aliases=tuple(Alias(source=source, subject=subject) for source, subject in spellings),
    )


def identity_number(key: str) -> str:
    """Return the staff number of a person."""
    return f"LF-{stable_int('person', key, below=9000) + 1000}"


def _leaver(who: Person) -> Identity:
    return Identity(id=who.key, status="terminated", employment_end_at=who.left_at)


def target(each: System) -> Target:
    """Return a target with the names that the other sources use for it."""
    return Target(
        id=each.key,
        name=each.key,
        env=each.env,
        brokered=each.brokered,
        data_classes=each.data_classes,
        workflow_id=each.workflow,
        aliases=(teleport.host_id(each.key), *_other_names(each)),
    )


def changed_secret(account: str, used: str = "2026-09-28 16:40", rotated: str = "2026-09-28 23:10") -> Account:
    """Return what the last nightly export says of a shared account: when it was used, and when its secret changed."""
    return Account(id=account, last_login_at=instant(used), rotated_at=instant(rotated))


def _other_names(each: System) -> tuple[str, ...]:
    if "openbao" in each.doors:
        return (each.key.removesuffix("-db"), openbao.BILLING_PATH)
    return (openbao.SIGNING_PATH,) if "openbao_ssh" in each.doors else ()


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
