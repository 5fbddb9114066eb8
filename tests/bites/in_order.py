# SPDX-License-Identifier: Apache-2.0

"""An organisation where everything is in order: whatever a control test asks, the records here answer well.

Read it as the positive half of the control tests: this is what evidence of well-run privileged access looks like. The
bites (``bites_*.py``) take one thing of it out of order. Sizes, names and times come from ``Shape``.
"""

from app.records.model import LegalHold, RecorderEvent, Workflow
from tests.bites.making import QUIET_DAY, Access, Making, Shape
from tests.bites.organisation import AS_OF, DAY, END, HOUR, MINUTE, START

__all__ = ["AS_OF", "DAY", "END", "HOUR", "MINUTE", "QUIET_DAY", "START", "Access", "InOrder", "Shape"]


class InOrder(Making):
    """The organisation itself; people, targets and accesses are there to be picked from."""

    def __init__(self, shape: Shape | None = None) -> None:
        super().__init__(shape or Shape())
        self._people()
        self._workflows()
        self._targets()
        self.accesses = [self.access(self.worker(), self.database()) for _ in range(self.shape.accesses)]
        self._unusual_accesses()
        self._standing_right()
        self._governance()

    def some_access(self) -> Access:
        """Return one of the ordinary accesses."""
        return self._random.choice(self.accesses)

    def _people(self) -> None:
        self.owner = self.person("owner", manager_person_id=None)
        self.operator = self.person("operator")
        self.approvers = [self.person("approver-one"), self.person("approver-two")]
        self.auditor = self.person("auditor")
        self.workers = [self.person(key) for key in self.shape.people]
        self.vendor = self.person(
            "vendor",
            kind="vendor",
            employer="Vireo Imaging",
            sponsor="owner@order.example",
            contract_ref="C-17",
            evidence_clause=True,
        )
        self.service = self.person(
            "svc-backup",
            kind="service",
            owner="operator@order.example",
            purpose="Nightly copies of the databases",
            workflow_id="databases",
            privileged=True,
        )
        self.agent = self.person(
            "agent-triage",
            kind="agent",
            owner="operator@order.example",
            purpose="Looks at slow queries for the people on duty",
            workflow_id="databases",
            privileged=True,
        )
        self.leaver = self.person("leaver", status="terminated", employment_end_at=END - 20 * DAY)

    def _workflows(self) -> None:
        said = {
            "active": True,
            "business_owner": "owner@order.example",
            "technical_operator": "operator@order.example",
            "owner_confirmed_at": START - 30 * DAY,
            "approvers": ("approver-one@order.example", "approver-two@order.example"),
            "auto_policies": ("read-office-hours",),
            "accepted_recording_kinds": ("pty", "query_log"),
            "allowed_shared_accounts": ("ops",),
            "allowed_broad_roles": (),
            "retention_documented": True,
        }
        self.workflow = self.tell(
            "inventory", Workflow(id="databases", name="Databases", recording_required=True, **said)
        )
        self.support = self.tell("inventory", Workflow(id="support", name="Support", recording_required=False, **said))

    def _targets(self) -> None:
        self.databases = [
            self.target(f"db-{number}", data_classes=("pii",)) for number in range(1, self.shape.databases + 1)
        ]
        self.host = self.target("host-1")
        self.desk = self.target("desk-1", workflow_id="support")
        self.lab = self.target("lab-1", env="staging", brokered=False)
        shared = {
            "shared": True,
            "subject": "operator@order.example",
            "service_owner": "operator@order.example",
            "last_login_at": END - 9 * DAY,
            "rotated_at": END - 9 * DAY + 2 * HOUR,
        }
        self.ops = self.account("ops", self.host, **shared)
        self.root = self.account("root", self.host, **shared)
        self.emergency = self.account(
            "emergency",
            self.host,
            shared=True,
            subject="owner@order.example",
            service_owner="owner@order.example",
            break_glass=True,
            owner="owner@order.example",
            reviewer="auditor@order.example",
            owner_assigned_at=START - 200 * DAY,
            alert_configured=True,
            last_tested_at=START - 20 * DAY,
        )

    def _unusual_accesses(self) -> None:
        self.shared_access = self.access(target=self.host, run_as="ops", commands=("uptime",), protocol="ssh")
        self.desk_access = self.access(target=self.desk, commands=("show queue",))
        self.vendor_access = self.access(self.vendor, self.host, commands=("uptime",), supervised=True)
        self.approvers_access = self.access(self.approvers[0])
        self.approvers_access.approval.change(approver=self.approvers[1].record.email)
        self.leavers_access = self.access(self.leaver)
        self.accounts["leaver", self.leavers_access.target.record.id].change(enabled=False)
        self.service_access = self.access(self.service, interactive=False, mfa=False, mfa_at=None, mfa_method=None)
        self._agents_access()
        self._export()
        self._tampering()
        self._mistake()
        self._hidden_code()
        self.tunnel = self.access(target=self.host, commands=("ssh -L 8080:db-1:5432 db-1",), protocol="ssh")
        self._habit()
        self._emergency()
        self._maintenance()

    def _agents_access(self) -> None:
        """Let an agent work for a person: each step names its cause, tool and credential."""
        self.agent_access = self.access(
            self.agent,
            commands=(),
            interactive=False,
            mfa=False,
            mfa_at=None,
            mfa_method=None,
            delegator=self.workers[0].record.email,
            policy_id="triage-read-only",
            credential_ref="cred-agent",
        )
        session = self.agent_access.session
        texts = ("slow queries of today", "SELECT state FROM orders WHERE id = 18")
        steps = [self.event(session, text, kind="api", tool="database", credential_ref="cred-agent") for text in texts]
        steps[1].change(parent_id=steps[0].record.id, downstream=self.agent_access.target.record.id)
        self.agent_access.events.extend(steps)

    def _export(self) -> None:
        """Let customer data be exported under a grant that says so, masked and looked at; once on a Sunday."""
        text = "COPY orders TO '/srv/export/orders.csv'"
        self.export = self.access(commands=(text,))
        self.night_export = self.access(commands=(text,), starts=QUIET_DAY + 23 * HOUR)
        for access in (self.export, self.night_export):
            access.events[0].change(masked=True, rows=100_000)
            self.judged_event(access)

    def _tampering(self) -> None:
        """Let a log be switched off in a session, and an incident be opened about it within the hour."""
        self.tampering = self.access(target=self.host, commands=("systemctl stop auditd",), protocol="ssh")
        event = self.tampering.events[0]
        self.tampering_review = self.judged_event(self.tampering)
        self.incident = self.ticket(
            "INC-7", event.record.at + 4 * HOUR, event.record.at + 20 * HOUR, kind="incident", event_id=event.id
        )

    def _mistake(self) -> None:
        """Let somebody change all rows, and let it be found out and handled the same day."""
        self.mistake = self.access(commands=("UPDATE orders SET state = 'open'",))
        event = self.mistake.events[0]
        self.mistake_review = self.judged_event(self.mistake, outcome="error")
        self.mistake.review.change(outcome="error")
        at = event.record.at + 4 * HOUR
        self.mistake_incident = self.ticket("INC-8", at, at + DAY, kind="incident", event_id=event.id)

    def _hidden_code(self) -> None:
        """Let code that was written down encoded be run, and be explained by somebody else."""
        self.hidden = self.access(
            target=self.host, commands=("echo bHMgLWwK | base64 -d | sh",), protocol="ssh", run_as="ops"
        )
        self.hidden_review = self.judged_event(self.hidden)

    def _habit(self) -> None:
        """Let somebody need the same right day after day, and let the auditor have asked why."""
        self.busy = self.person("busy")
        self.habit = [self.access(self.busy, self.databases[0]) for _ in range(12)]
        self.habit_review = self.review(
            "R-habit", self.habit[-1].ends + DAY, kind="pattern", subject=self.busy.record.email, outcome="automate"
        )

    def _emergency(self) -> None:
        """Let the emergency account be used in an emergency, with everything that belongs to it.

        The second factor may be what is broken then; the address is one that is known from other days.
        """
        access = self.access(
            self.busy,
            self.host,
            run_as="emergency",
            commands=("df -h",),
            protocol="ssh",
            grant_ids=None,
            mfa=False,
            mfa_at=None,
            mfa_method=None,
        )
        access.grant.drop()
        access.approval.drop()
        access.ticket.change(kind="incident", priority="P1")
        access.review.change(kind="break_glass")
        self.emergency_access = access
        self.emergency_review = self.review("R-emergency", access.ends + 3 * HOUR, session_id=access.session.id)
        self.emergency_alert = self.alert(access.session, access.starts + MINUTE)
        self.emergency.change(rotated_at=access.ends + 2 * HOUR)

    def _maintenance(self) -> None:
        """Let a recorder be paused for maintenance."""
        at = self.free_day() + 10 * HOUR
        ticket = self.ticket("CHG-recorder", at, at + HOUR)
        record = RecorderEvent(
            id="recorder-1",
            at=at,
            action="paused",
            target="host-1",
            actor="operator@order.example",
            ticket_keys=(ticket.record.id,),
        )
        self.pause = self.tell("siem", record)
        self.pause_alert = self.alert(self.pause, at + 2 * MINUTE)

    def _standing_right(self) -> None:
        self.standing = self.standing_right(self.workers[0], self.lab)

    def _governance(self) -> None:
        self.credential = self.new_credential("key-backup", END - 40 * DAY, END + 20 * DAY)
        self.old_credential = self.new_credential("key-before", START + 5 * DAY, START + 50 * DAY)
        self._campaign()
        self.waiver = self.new_waiver("W-1", "GRT-02")
        self.recording_waiver = self.new_waiver("W-2", "REC-01")
        self.hold = self.tell(
            "grc",
            LegalHold(
                id="H-1",
                matter_ref="M-2026-4",
                custodian="auditor@order.example",
                placed_by="owner@order.example",
                placed_at=START + 20 * DAY,
                matched_count=12,
                present_count=12,
                changed_count=0,
            ),
        )

    def _campaign(self) -> None:
        """Let all rights be reviewed in the period, as in the one before: one is kept, one is removed."""
        done = START + 40 * DAY
        for key, at in (("campaign-0", done - 80 * DAY), ("campaign-1", done)):
            campaign = self.review(key, at, kind="access", due_at=at + 5 * DAY, outcome="done", population_count=2,
                                   snapshot_count=2)  # fmt: skip
        self.campaign = campaign
        said = {"kind": "access_item", "campaign_id": "campaign-1"}
        self.kept = self.review("item-1", done - DAY, outcome="keep", grant_id=self.standing.id, **said)
        self.removed = self.review(
            "item-2", done - DAY, outcome="remove", subject="operator@order.example", executed_at=done,
            verified_removed=True, **said,
        )  # fmt: skip
