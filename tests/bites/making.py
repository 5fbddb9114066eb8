# SPDX-License-Identifier: Apache-2.0

"""How one thing is told: a person, a target, an access from request to review, a review, a waiver; each in order.

Every verb writes what the sources of a well-run organisation would say, takes fields that say otherwise, and returns
what was told, so that it can be changed afterwards.
"""

import random
from dataclasses import dataclass
from itertools import count

from app.records.model import (
    AccessEvent,
    Account,
    Alert,
    Approval,
    Credential,
    Grant,
    Identity,
    Recording,
    Review,
    Session,
    SessionEvent,
    Target,
    Ticket,
    Waiver,
)
from tests.bites.organisation import DAY, END, HOUR, MINUTE, START, Organisation, Told

QUIET_DAY = START + 10 * DAY
"""A Sunday, on which nobody does anything."""


@dataclass(frozen=True)
class Shape:
    """How large an organisation is, and when and by whom its ordinary work is done.

    Attributes:
        people: keys of those who do the work.
        databases: how many production databases there are.
        accesses: how many ordinary accesses there are, each on a day of its own.
        seed: decides who works where, and at what hour of the working day.
    """

    people: tuple[str, ...] = ("ana", "ben", "eva")
    databases: int = 2
    accesses: int = 5
    seed: int = 1


@dataclass(frozen=True)
class Access:
    """One access from request to review; every part can be changed. ``starts`` and ``ends`` are of the session."""

    person: Told
    target: Told
    starts: int
    ends: int
    ticket: Told
    grant: Told
    approval: Told
    session: Told
    events: list[Told]
    recording: Told
    login: Told
    review: Told


class Making(Organisation):
    """An organisation without anything in it yet, and the verbs to fill it."""

    workers: list[Told]
    approvers: list[Told]
    databases: list[Told]

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.shape = shape
        self._random = random.Random(shape.seed)  # noqa: S311 - Not for secrets.
        self._numbers = count(1)
        self._days = (START + day * DAY for day in range(4, 85) if _is_working_day(START + day * DAY))
        self.accounts: dict[tuple[str, str], Told] = {}

    def person(self, key: str, **fields: object) -> Told:
        """Let HR know an active employee."""
        said = {
            "kind": "human",
            "display": key.title(),
            "email": f"{key}@order.example",
            "person_id": f"P-{key}",
            "status": "active",
            "manager_person_id": "P-owner",
        }
        return self.tell("hr", Identity(id=key, **said | fields))

    def target(self, key: str, **fields: object) -> Told:
        """Let the inventory know a production system that is reached through the broker only."""
        said = {"name": key, "env": "prod", "brokered": True, "data_classes": (), "workflow_id": "databases"}
        return self.tell("inventory", Target(id=key, **said | fields))

    def account(self, name: str, target: Told, **fields: object) -> Told:
        """Let the inventory know a privileged account on a target."""
        said = {"shared": False, "privileged": True, "enabled": True, "created_at": START - 300 * DAY}
        record = Account(id=f"{target.record.id}/{name}", name=name, target=target.record.id, **said | fields)
        return self.tell("inventory", record)

    def own_account(self, person: Told, target: Told) -> str:
        """Return the name of a person's own account on a target, which the inventory knows from now on."""
        key = (person.record.id, target.record.id)
        if key not in self.accounts:
            self.accounts[key] = self.account(person.record.id, target, subject=person.record.email)
        return person.record.id

    def worker(self) -> Told:
        """Return one of those who do the work."""
        return self._random.choice(self.workers)

    def database(self) -> Told:
        """Return one of the production databases."""
        return self._random.choice(self.databases)

    def approver(self) -> Told:
        """Return one of those who approve."""
        return self._random.choice(self.approvers)

    def access(
        self,
        person: Told | None = None,
        target: Told | None = None,
        *,
        run_as: str | None = None,
        commands: tuple[str, ...] = ("SELECT state FROM orders WHERE id = 17",),
        starts: int | None = None,
        **fields: object,
    ) -> Access:
        """Let somebody ask for access, get it, use it and give it back; ``fields`` are of the session.

        Without ``starts`` it is a working day on which nothing else happens, between nine and one o'clock.
        """
        number = f"{next(self._numbers):03}"
        who, where = person or self.worker(), target or self.database()
        if starts is None:
            starts = self.free_day() + 9 * HOUR + self._random.randrange(0, 240) * MINUTE
        ends = starts + 40 * MINUTE
        role, account = "operate", run_as or self.own_account(who, where)
        ticket = self.ticket(f"CHG-{number}", starts, ends)
        grant = self._grant(number, who, where, starts, ends)
        approval = self._approval(number, grant, starts)
        session = self._session(number, who, where, account, starts, ends, role=role, **fields)
        events = [self.event(session, text) for text in commands]
        return Access(
            person=who,
            target=where,
            starts=starts,
            ends=ends,
            ticket=ticket,
            grant=grant,
            approval=approval,
            session=session,
            events=events,
            recording=self._recording(number, starts, ends),
            login=self.login(f"L-{number}", where, account, starts + MINUTE),
            review=self.review(f"R-{number}", ends + 5 * HOUR, session_id=session.id),
        )

    def ticket(self, key: str, starts: int, ends: int, **fields: object) -> Told:
        """Let the desk know a ticket that was open all the time and solved soon after."""
        said = {"kind": "change", "status": "closed", "priority": "P3", "outcome": "solved"}
        times = {"opened_at": starts - 3 * HOUR, "closed_at": ends + 6 * HOUR}
        return self.tell("desk", Ticket(id=key, **said | times | fields))

    def _grant(self, number: str, who: Told, where: Told, starts: int, ends: int, **fields: object) -> Told:
        said = {
            "subject": who.record.email,
            "requester": who.record.email,
            "role": "operate",
            "targets": (where.record.id,),
            "basis": "jit",
            "privileged": True,
            "requested_at": starts - HOUR,
            "starts_at": starts - 10 * MINUTE,
            "expires_at": starts + 3 * HOUR,
            "ended_at": ends + 10 * MINUTE,
            "end_reason": "revoked",
            "removed_at": ends + 12 * MINUTE,
            "purpose": "Mend an order that the shop could not finish",
            "ticket_keys": (f"CHG-{number}",),
            "state": "ended",
            "scope_level": "resource",
            "wildcard": False,
            "scope_digest": f"digest-{number}",
            "required_approvals": 1,
            "data_access_approved": True,
            "workflow_id": where.record.workflow_id,
        }
        return self.tell("broker", Grant(id=f"G-{number}", **said | fields))

    def _approval(self, number: str, grant: Told, starts: int) -> Told:
        record = Approval(
            id=f"A-{number}",
            grant_id=grant.record.id,
            decision="approved",
            requested_at=starts - HOUR,
            decided_at=starts - 30 * MINUTE,
            approver=self.approver().record.email,
            mode="human",
            scope_digest=grant.record.scope_digest,
            approved_until=grant.record.expires_at,
        )
        return self.tell("broker", record)

    def _session(
        self, number: str, who: Told, where: Told, account: str, starts: int, ends: int, **fields: object
    ) -> Told:
        said = {
            "subject": who.record.email,
            "subject_kind": who.record.kind,
            "run_as": account,
            "target": where.record.id,
            "protocol": "postgres",
            "interactive": True,
            "privileged": True,
            "client_address": "192.0.2.10",
            "started_at": starts,
            "ended_at": ends,
            "status": "closed",
            "mfa": True,
            "mfa_at": starts - 5 * MINUTE,
            "mfa_method": "webauthn",
            "grant_ids": (f"G-{number}",),
            "ticket_keys": (f"CHG-{number}",),
            "recording_policy": "on",
            "max_idle_ms": 3 * MINUTE,
            "end_reason": "closed",
            "supervised": False,
        }
        return self.tell("broker", Session(id=f"S-{number}", **said | fields))

    def event(self, session: Told, text: str, **fields: object) -> Told:
        """Let the broker tell one more command of a session."""
        seq = 1 + sum(
            isinstance(each.record, SessionEvent) and each.record.session_id == session.record.id
            for each in self.told
        )  # fmt: skip
        said = {
            "session_id": session.record.id,
            "seq": seq,
            "at": session.record.started_at + (5 + seq) * MINUTE,
            "kind": "query",
            "text": text,
            "text_sha256": f"{seq:064x}",
            "outcome": "ok",
            "rows": 1,
            "privileged": True,
            "within_policy": True,
        }
        return self.tell("broker", SessionEvent(id=f"{session.record.id}-{seq}", **said | fields))

    def _recording(self, number: str, starts: int, ends: int) -> Told:
        record = Recording(
            id=f"V-{number}",
            session_id=f"S-{number}",
            state="verified",
            kind="pty",
            starts_at=starts,
            ends_at=ends,
            coverage=1.0,
            size=4096,
            sha256=f"{number:0>64}",
            verified_sha256=f"{number:0>64}",
            verified_at=END - 5 * DAY,
            registered_at=ends + 5 * MINUTE,
            immutable=True,
            chained=True,
            retrievable=True,
            retrieved_at=END - 5 * DAY,
            retention_class="recording",
            on_hold=False,
        )
        return self.tell("broker", record)

    def login(self, key: str, where: Told, account: str, at: int) -> Told:
        """Let the target itself tell a privileged login."""
        record = AccessEvent(
            id=key, at=at, target=where.record.id, account=account, privileged=True, client_address="198.51.100.7"
        )
        return self.tell("native", record)

    def review(self, key: str, at: int, **fields: object) -> Told:
        """Let the auditor have looked at something."""
        said = {"kind": "session", "reviewer": "auditor@order.example", "due_at": at + DAY, "outcome": "expected"}
        return self.tell("grc", Review(id=key, completed_at=at, **said | fields))

    def alert(self, about: Told, at: int, **fields: object) -> Told:
        """Let an alarm be raised about something, and be taken by the auditor ten minutes later."""
        kind, key = about.id.split("/")[1], about.id
        said = {"acknowledged_at": at + 10 * MINUTE, "acknowledged_by": "auditor@order.example"}
        record = Alert(id=f"ALARM-{about.record.id}", about_type=kind, about_id=key, raised_at=at, **said | fields)
        return self.tell("siem", record)

    def judged_event(self, access: Access, **fields: object) -> Told:
        """Let the auditor have judged the last command of an access."""
        event = access.events[-1]
        return self.review(
            f"J-{event.record.id}", event.record.at + 2 * HOUR, kind="event", event_id=event.id, **fields
        )

    def standing_right(self, who: Told, where: Told, **fields: object) -> Told:
        """Let a right stand all the time, approved long ago and used lately."""
        number = f"{next(self._numbers):03}"
        since = START - 50 * DAY
        said = {"basis": "standing", "state": "active", "role": "lab-admin", "last_used_at": END - 10 * DAY}
        gone = dict.fromkeys(("expires_at", "ended_at", "end_reason", "removed_at", "ticket_keys"))
        right = self._grant(number, who, where, since, since, **said | gone | fields)
        self._approval(number, right, since)
        return right

    def new_credential(self, key: str, since: int, until: int) -> Told:
        """Let the inventory know a key of the service, last used the day before it ended or the period did."""
        record = Credential(
            id=key,
            subject="svc-backup@order.example",
            kind="api_key",
            privileged=True,
            issued_at=since,
            rotated_at=since,
            expires_at=until,
            last_used_at=min(until, END) - DAY,
        )
        return self.tell("inventory", record)

    def new_waiver(self, key: str, test_id: str) -> Told:
        """Let the register hold a waiver for something that does not happen here."""
        record = Waiver(
            id=key,
            test_ids=(test_id,),
            targets=("attic-1",),
            reason="The system in the attic is switched off in May",
            risk_owner="owner@order.example",
            requested_by="operator@order.example",
            approved_by="owner@order.example",
            approved_at=START - 10 * DAY,
            expires_at=START + 70 * DAY,
            renewals=0,
            compensating_controls=("REV-01",),
        )
        return self.tell("grc", record)

    def free_day(self) -> int:
        """Return the start of a working day on which nothing happens yet."""
        return next(self._days)


def _is_working_day(at: int) -> bool:
    """The epoch was a Thursday."""
    return (at // DAY + 3) % 7 < 5
