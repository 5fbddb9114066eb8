# SPDX-License-Identifier: Apache-2.0

"""Larkfield Health: its people, its systems and its privileged workflows. All of them are invented.

Nothing goes in; tables come out. The records that HR and the inventory tell of them are made in ``directory.py``.
"""

from app.demo.model import Person, System
from app.demo.times import PERIOD_END, instant
from app.records.model import Workflow

NAME = "Larkfield Health"

# key, name, unix account, team, title, manager
_STAFF = (
    ("helena.varga", "Helena Varga", "hvarga", "executive", "Chief operating officer", None),
    ("tobias.lindqvist", "Tobias Lindqvist", "tlindqvist", "security", "Head of information security", "helena.varga"),
    ("ngozi.adeyemi", "Ngozi Adeyemi", "nadeyemi", "security", "Security engineer", "tobias.lindqvist"),
    ("pavel.horak", "Pavel Horak", "phorak", "security", "Security analyst", "tobias.lindqvist"),
    ("marguerite.dumas", "Marguerite Dumas", "mdumas", "clinical", "Head of patient records", "helena.varga"),
    ("osei.boateng", "Osei Boateng", "oboateng", "claims", "Head of claims", "helena.varga"),
    ("ingrid.solheim", "Ingrid Solheim", "isolheim", "business", "Head of analytics", "helena.varga"),
    ("rashid.karimov", "Rashid Karimov", "rkarimov", "operations", "Head of operations", "helena.varga"),
    ("dunja.brandt", "Dunja Brandt", "dbrandt", "dba", "Lead database administrator", "rashid.karimov"),
    ("silvio.marchetti", "Silvio Marchetti", "smarchetti", "dba", "Database administrator", "dunja.brandt"),
    ("yuki.tanabe", "Yuki Tanabe", "ytanabe", "dba", "Database administrator", "dunja.brandt"),
    ("emeka.nwosu", "Emeka Nwosu", "enwosu", "dba", "Database administrator", "dunja.brandt"),
    ("amara.okafor", "Amara Okafor", "aokafor", "platform", "Lead platform engineer", "rashid.karimov"),
    ("jonas.weller", "Jonas Weller", "jweller", "platform", "Platform engineer", "amara.okafor"),
    ("priya.raman", "Priya Raman", "praman", "platform", "Platform engineer", "amara.okafor"),
    ("lucia.ferreira", "Lucia Ferreira", "lferreira", "platform", "Platform engineer", "amara.okafor"),
    ("magnus.eide", "Magnus Eide", "meide", "platform", "Platform engineer", "amara.okafor"),
    ("tomas.riva", "Tomas Riva", "triva", "linux", "Linux administrator", "amara.okafor"),
    ("sena.yildiz", "Sena Yildiz", "syildiz", "linux", "Linux administrator", "amara.okafor"),
    ("callum.reid", "Callum Reid", "creid", "linux", "Linux administrator", "amara.okafor"),
    ("noor.haddad", "Noor Haddad", "nhaddad", "analytics", "Data engineer", "ingrid.solheim"),
    ("elif.demir", "Elif Demir", "edemir", "analytics", "Data engineer", "ingrid.solheim"),
    ("felix.aubert", "Felix Aubert", "faubert", "analytics", "Data engineer", "ingrid.solheim"),
)

_ADMIN_LOGINS = {"emeka.nwosu": "adm-nwosu@larkfield.example"}
_LEAVERS = {"callum.reid": instant("2026-08-14 16:00"), "felix.aubert": instant("2026-09-04 16:00")}

_VENDORS = (
    Person(
        key="irene.castell",
        name="Irene Castell",
        team="vendor",
        title="Field engineer",
        unix="v-castell",
        kind="vendor",
        manager="rashid.karimov",
        employer="Vireo Imaging",
        contract="V-2026-02",
        evidence_clause=True,
    ),
    Person(
        key="otto.lind",
        name="Otto Lind",
        team="vendor of the old machines",
        title="Field engineer",
        unix="v-lind",
        kind="vendor",
        manager="rashid.karimov",
        employer="Vireo Imaging",
        contract="V-2019-04",
        evidence_clause=False,
    ),
)

_SERVICES = tuple(
    Person(key=key, name=name, team="services", title=title, unix=key, kind="service", manager=manager)
    for key, name, title, manager in (
        ("svc-backup", "Backup agent", "Nightly backups of patient-db", "dunja.brandt"),
        ("svc-deploy", "Release pipeline", "Releases to kube-prod", "jonas.weller"),
    )
)

_AGENTS = (
    Person(
        key="agent-invoices",
        name="Invoice agent",
        team="services",
        title="Answers questions of billing about open invoices",
        unix="agent-invoices",
        kind="agent",
        manager="dunja.brandt",
    ),
)

PEOPLE: tuple[Person, ...] = (
    *(
        Person(
            key=key,
            name=name,
            unix=unix,
            team=team,
            title=title,
            manager=manager,
            second_login=_ADMIN_LOGINS.get(key),
            left_at=_LEAVERS.get(key),
        )
        for key, name, unix, team, title, manager in _STAFF
    ),
    *_VENDORS,
    *_SERVICES,
    *_AGENTS,
)

SYSTEMS: tuple[System, ...] = (
    System(key="patient-db", env="prod", workflow="patient-records", doors=("hoop",), run_as="",
           data_classes=("phi", "pii")),
    System(key="claims-db", env="prod", workflow="claims-support", doors=("hoop",), run_as="",
           data_classes=("pii",)),
    System(key="billing-db", env="prod", workflow="claims-support", doors=("openbao",), run_as="leased",
           data_classes=("pii",)),
    System(key="analytics-dw", env="prod", workflow="analytics", doors=("teleport_db",), run_as="own",
           data_classes=("pii",)),
    System(key="app-01", env="prod", workflow="server-operations", doors=("teleport_ssh",), run_as="ops"),
    System(key="app-02", env="prod", workflow="server-operations", doors=("teleport_ssh",), run_as="ops"),
    System(key="imaging-gw", env="prod", workflow="server-operations", doors=("teleport_ssh", "openbao_ssh"),
           run_as="ops", data_classes=("phi",)),
    System(key="integration-01", env="prod", workflow="server-operations", doors=("sudo",), run_as="root"),
    System(key="kube-prod", env="prod", workflow="cluster-operations", doors=("teleport_kube",), run_as="own"),
    System(key="app-stg-01", env="staging", workflow="server-operations", doors=("teleport_ssh",), run_as="ops",
           brokered=False),
    System(key="claims-stg-db", env="staging", workflow="claims-support", doors=("hoop",), run_as="",
           brokered=False),
    System(key="archive-01", env="prod", workflow="archive-restore", doors=(), run_as="restore"),
)  # fmt: skip

_CONFIRMED = instant("2026-03-16 10:00")

WORKFLOWS: tuple[Workflow, ...] = tuple(
    Workflow(
        id=key,
        name=name,
        active=True,
        business_owner=f"{owner}@larkfield.example",
        technical_operator=f"{operator}@larkfield.example",
        owner_confirmed_at=_CONFIRMED,
        approvers=tuple(f"{approver}@larkfield.example" for approver in approvers),
        auto_policies=auto_policies,
        recording_required=True,
        accepted_recording_kinds=("pty", "transcript", "query_log", "video"),
        allowed_shared_accounts=shared,
        allowed_broad_roles=(),
        retention_documented=True,
    )
    for key, name, owner, operator, approvers, auto_policies, shared in (
        ("patient-records", "Patient record database administration", "marguerite.dumas", "dunja.brandt",
         ("dunja.brandt", "ngozi.adeyemi", "tobias.lindqvist"), (), ()),
        ("claims-support", "Claims and billing database support", "osei.boateng", "dunja.brandt",
         ("dunja.brandt", "osei.boateng", "ngozi.adeyemi"), (), ()),
        ("server-operations", "Linux server operations", "rashid.karimov", "amara.okafor",
         ("amara.okafor", "rashid.karimov", "ngozi.adeyemi"), (), ("ops", "root")),
        ("cluster-operations", "Production cluster operations", "rashid.karimov", "amara.okafor",
         ("amara.okafor", "rashid.karimov", "tobias.lindqvist"), (), ()),
        ("analytics", "Analytics warehouse engineering", "ingrid.solheim", "noor.haddad",
         ("ingrid.solheim", "ngozi.adeyemi"), ("dw-read-office-hours",), ()),
    )
)  # fmt: skip

ORPHANED_WORKFLOW = Workflow(
    id="archive-restore",
    name="Restores from the archive",
    active=True,
    technical_operator="rashid.karimov@larkfield.example",
    owner_confirmed_at=_CONFIRMED,
    approvers=("rashid.karimov@larkfield.example",),
    recording_required=True,
    accepted_recording_kinds=("pty", "video"),
    retention_documented=True,
)

NOBODY = Person(key="oncall", name="On-call pager", unix="oncall", team="none", title="Login without a person")
"""A login that somebody made and no directory knows; HR tells nothing of it."""

_PERSON = {person.key: person for person in (*PEOPLE, NOBODY)}
_SYSTEM = {system.key: system for system in SYSTEMS}


def person(key: str) -> Person:
    """Return a person by key; an unknown key is a mistake in the story and raises KeyError."""
    return _PERSON[key]


def system(key: str) -> System:
    """Return a target by key; an unknown key is a mistake in the story and raises KeyError."""
    return _SYSTEM[key]


def team(name: str) -> tuple[Person, ...]:
    """Return the people of a team who are still employed at the end of the period."""
    return tuple(each for each in PEOPLE if each.team == name and (each.left_at is None or each.left_at > PERIOD_END))
