# SPDX-License-Identifier: Apache-2.0

"""Planted: services, agents, outsiders, secrets and addresses."""

from app.demo.directory import FORGOTTEN_ACCOUNT, changed_secret, tell
from app.demo.model import Story
from app.demo.organisation import person
from app.demo.planting import Planted, Trip, clean_access, on_session, with_ticket
from app.demo.registers import agent_session
from app.demo.times import PERIOD_END, instant
from app.demo.told_sessions import told_session
from app.records.model import Credential, Identity


def planted_machines() -> tuple[Planted, ...]:
    """Return the deviations of machines, outsiders, secrets and addresses."""
    return (
        _unowned(), _old_secret(), _by_hand(), _overstepped(), _lent(), _outsider(), _odd_address(), _known_secret(),
        _dead_key(),
    )  # fmt: skip


def _unowned() -> Planted:
    record = Identity(
        id="svc-report", kind="service", display="Report mailer", person_id="LF-0999", status="active",
        purpose="Sends the monthly reports", privileged=True, employer="Larkfield Health",
    )  # fmt: skip
    return Planted(
        id="P38",
        what="A privileged service account has no owner and no workflow",
        background="svc-report was made for a project of 2024. Its maker has left; nobody else remembers it.",
        trips=(Trip("SVC-01", "hr/identity/svc-report", "fail"),),
        story=Story(told=(tell("hr", record),)),
    )


def _old_secret() -> Planted:
    record = Credential(
        id="svc-deploy/registry-token", subject=person("svc-deploy").email, kind="api-key", privileged=True,
        issued_at=instant("2024-11-05 10:00"), last_used_at=instant("2026-09-28 14:00"),
    )  # fmt: skip
    return Planted(
        id="P39",
        what="A token of the release pipeline is almost two years old",
        background="It is written into three pipelines, and nobody dares to change it.",
        trips=(Trip("SVC-02", f"inventory/credential/{record.id}", "fail"),),
        story=Story(told=(tell("inventory", record, instant("2026-09-28 23:30")),)),
    )


def _by_hand() -> Planted:
    item, _, story = told_session("service-shell", "svc-backup", "patient-db", "2026-08-13 17:30",
                                  approver="ngozi.adeyemi", number=9211)  # fmt: skip
    return Planted(
        id="P40",
        what="Somebody worked at a terminal under the backup agent's name",
        background="The service's key lies on an administrator's machine. The database saw svc-backup; who typed is "
        "not known.",
        trips=(Trip("SVC-03", item, "fail"),),
        story=story,
    )


def _overstepped() -> Planted:
    item, story = agent_session("agent-overstepped", "2026-09-17 08:15", number=9212, allowed=False)
    return Planted(
        id="P41",
        what="An agent did something that its policy does not allow",
        background="The invoice agent asked the payroll table a question. The gateway noted that the policy does not "
        "allow it, and let it pass.",
        trips=(Trip("SVC-04", item, "fail"),),
        story=story,
    )


def _lent() -> Planted:
    item, _, story = told_session("lent-pipeline", "svc-deploy", "app-02", "2026-08-06 17:35",
                                  approver="amara.okafor", number=9213, interactive=False)  # fmt: skip
    return Planted(
        id="P42",
        what="The release pipeline's account was used in another workflow",
        background="It belongs to the cluster. Somebody lent it to a script on a server, which has no account of its "
        "own.",
        trips=(Trip("SVC-05", item, "fail"),),
        story=story,
    )


def _outsider() -> Planted:
    access = clean_access("outsider", "otto.lind", "imaging-gw", "2026-09-03 17:30", approver="ngozi.adeyemi",
                          number=9214)  # fmt: skip
    return Planted(
        id="P43",
        what="An outsider worked under a contract that says nothing on evidence",
        background="The old machines are served under a contract of 2019. He has a sponsor, and was recorded.",
        trips=(on_session(access, "VEN-01"),),
        story=with_ticket(access),
    )


def _odd_address() -> Planted:
    item, _, story = told_session("odd-address", "lucia.ferreira", "app-01", "2026-08-16 10:30",
                                  approver="amara.okafor", number=9215, mfa=False,
                                  client_address="192.0.2.251")  # fmt: skip
    return Planted(
        id="P44",
        what="Hijacked login? A session without a second factor from an address never seen with one",
        background="The web console of the SIEM takes a password. Lucia Ferreira's password was used from an address "
        "that no session of hers ever came from.",
        trips=(Trip("IDN-05", "hr/identity/lucia.ferreira", "fail"), Trip("IDN-04", item, "fail")),
        story=story,
    )


def _known_secret() -> Planted:
    record = changed_secret(FORGOTTEN_ACCOUNT, used="2026-09-22 16:40", rotated="2026-06-02 23:10")
    return Planted(
        id="P45",
        what="The secret of a shared account was not changed since June",
        background="The vault changes the other shared accounts each night. The imaging gateway was never enrolled.",
        trips=(Trip("IDN-06", f"inventory/account/{FORGOTTEN_ACCOUNT}", "fail"),),
        story=Story(told=(tell("inventory", record, PERIOD_END - 1),)),
    )


def _dead_key() -> Planted:
    record = Credential(
        id="felix.aubert/warehouse-key", subject=person("felix.aubert").email, kind="ssh-key", privileged=True,
        issued_at=instant("2026-05-04 10:00"), last_used_at=instant("2026-09-09 21:14"),
    )  # fmt: skip
    return Planted(
        id="P46",
        what="A leaver's key was used five days after he had left",
        background="His rights were gone the same evening; the key on the warehouse's jump host was not on the list.",
        trips=(Trip("IDN-07", f"inventory/credential/{record.id}", "fail"),),
        story=Story(told=(tell("inventory", record, instant("2026-09-28 23:30")),)),
    )
