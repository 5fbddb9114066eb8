# SPDX-License-Identifier: Apache-2.0

"""The neutral story: what happened at Larkfield Health, before any vendor's spelling.

An ``Access`` is one request with its decisions, its grant and the sessions that used it; the writers spell it the way
the named door's product would have logged it. What needs no vendor (people, tickets, reviews) is an access record at
once, told by a source. Nothing in here reads the connectors: the demo must not be able to agree with them by design.
"""

from typing import Literal

import msgspec

from app.records.model import AccessRecord

Door = Literal["hoop", "teleport_ssh", "teleport_db", "teleport_kube", "openbao", "openbao_ssh", "sudo"]
"""The product through which an access was asked for and used; it decides which files tell of it."""


class Person(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody at, or working for, Larkfield Health.

    Attributes:
        key: first and last name, also the local part of the e-mail address.
        unix: name of the Linux account.
        second_login: a further login of the same person, when there is one.
        left_at: when the employment ended.
        contract: of somebody from outside, and whether it has a clause on evidence.
    """

    key: str
    name: str
    team: str
    title: str
    unix: str
    kind: Literal["human", "vendor", "service", "agent"] = "human"
    manager: str | None = None
    employer: str = "Larkfield Health"
    second_login: str | None = None
    left_at: int | None = None
    contract: str | None = None
    evidence_clause: bool | None = None

    @property
    def email(self) -> str:
        """Return the address, which is also the login at hoop and Teleport."""
        domain = "larkfield.example" if self.kind != "vendor" else "vireo-imaging.example"
        return f"{self.key}@{domain}"


class System(msgspec.Struct, frozen=True, kw_only=True):
    """A target. ``doors`` are the ways in; ``run_as`` is the account that sessions use on it (``own`` = one's own)."""

    key: str
    env: Literal["prod", "staging"]
    workflow: str
    doors: tuple[Door, ...]
    run_as: str
    brokered: bool = True
    data_classes: tuple[str, ...] = ()


class Decision(msgspec.Struct, frozen=True, kw_only=True):
    """What an approver, or a rule, said to a request. ``login`` is set where it is not the approver's usual one."""

    at: int
    approver: str
    approved: bool = True
    login: str | None = None
    policy: str | None = None


class Use(msgspec.Struct, frozen=True, kw_only=True):
    """One session under an access.

    Attributes:
        ended: None where the source lost the end.
        recording: ``missing`` = policy on, but no artefact arrived; ``off`` = switched off.
        linked: whether the session names its request, where the door can say so.
    """

    key: str
    started: int
    ended: int | None
    commands: tuple[str, ...]
    run_as: str
    recording: Literal["on", "missing", "off"] = "on"
    mfa: bool = True
    linked: bool = True


class Access(msgspec.Struct, frozen=True, kw_only=True):
    """One privileged access, from request to last session; instants in epoch milliseconds.

    Attributes:
        expires: the end that was granted. ``approved_until``: the end that was approved; the same unless planted.
        ended: when it was revoked or given back early. removed: when the right was gone from the target.
        asked: whether a request was made at this door; without one, the sessions rest on a right told elsewhere.
    """

    key: str
    door: Door
    person: str
    target: str
    role: str
    ticket: str | None
    purpose: str
    requested: int
    decisions: tuple[Decision, ...]
    starts: int
    expires: int
    approved_until: int | None = None
    ended: int | None = None
    removed: int | None = None
    onetime: bool = False
    asked: bool = True
    uses: tuple[Use, ...] = ()


class Told(msgspec.Struct, frozen=True, kw_only=True):
    """An access record that a source of normalized records tells, and since when it says so."""

    source: str
    observed_at: int
    record: AccessRecord


class Story(msgspec.Struct, frozen=True, kw_only=True):
    """A stretch of the story; stretches add up."""

    accesses: tuple[Access, ...] = ()
    told: tuple[Told, ...] = ()
    broken_lines: tuple[tuple[str, str], ...] = ()
    """Lines that are no records: the source that holds each, and its text."""

    def __add__(self, other: "Story") -> "Story":
        """Return both stretches as one."""
        return Story(
            accesses=self.accesses + other.accesses,
            told=self.told + other.told,
            broken_lines=self.broken_lines + other.broken_lines,
        )
