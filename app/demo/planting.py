# SPDX-License-Identifier: Apache-2.0

"""Tools for planting: a clean access to be spoilt in one respect, and the record of what was planted.

In:  a few words about an access. Out: stretches of the story, and ``Planted`` entries that say which test must find
which item. An access made here is clean in every respect that the caller does not change.
"""

from typing import Literal

import msgspec

from app.demo.consequences import grant_item, session_items
from app.demo.model import Access, Decision, Door, Story, Use
from app.demo.organisation import person
from app.demo.story import account_on, ticket
from app.demo.times import HOUR, MINUTE, instant

OutcomeWord = Literal["fail", "waived", "no_evidence", "error"]

_DOORS: dict[str, tuple[Door, str, str]] = {
    "patient-db": ("hoop", "patient-db", "select id, state from appointment.slot where id = 771204"),
    "claims-db": ("hoop", "claims-db", "select id, state from claim where id = 550913"),
    "billing-db": ("openbao", "billing-ro", "select count(*) from invoice where state = 'open'"),
    "analytics-dw": ("teleport_db", "dw-engineer", "select count(*) from mart.visits"),
    "app-01": ("teleport_ssh", "app-ops", "/usr/bin/systemctl status appointment-worker"),
    "app-02": ("teleport_ssh", "app-ops", "/usr/bin/df -h"),
    "imaging-gw": ("teleport_ssh", "imaging-ops", "/usr/bin/df -h"),
    "app-stg-01": ("teleport_ssh", "staging-ops", "/usr/bin/df -h"),
    "kube-prod": ("teleport_kube", "cluster-ops", "/bin/sh -c ps aux"),
    "integration-01": ("sudo", "root", "/usr/bin/systemctl restart hl7-router"),
}


class Trip(msgspec.Struct, frozen=True, order=True):
    """One verdict that the evaluation must reach: this test, this item, this outcome."""

    test_id: str
    item_id: str
    outcome: OutcomeWord


class Planted(msgspec.Struct, frozen=True, kw_only=True):
    """A deviation that was put into the demo on purpose.

    Attributes:
        id: stable, such as ``P03``.
        what: the deviation, in one line.
        background: the story behind it, for the reader of docs/demo.md.
        trips: the verdicts it must cause, the one it was planted for first.
        story: what it adds to the ordinary days.
        limit: no deviation, but something that a source cannot say; it has a verdict for every item it touches.
    """

    id: str
    what: str
    background: str
    trips: tuple[Trip, ...]
    story: Story
    limit: bool = False

    @property
    def test_id(self) -> str:
        """Return the test that it was planted for."""
        return self.trips[0].test_id

    @property
    def outcome(self) -> OutcomeWord:
        """Return the outcome that it must have there."""
        return self.trips[0].outcome

    @property
    def item_id(self) -> str:
        """Return the item that must be found."""
        return self.trips[0].item_id

    @property
    def source(self) -> str:
        """Return the source that holds the item."""
        return self.item_id.split("/", 1)[0]


def clean_access(key: str, who: str, target: str, at: str, *, approver: str, number: int, hours: int = 2) -> Access:
    """Return an access that is in order: approved after six minutes, used once for a quarter of an hour.

    ``at`` is the UTC time of the request, such as ``2026-07-14 09:30``; ``number`` is that of its ticket, which the
    caller tells of with ``with_ticket``.
    """
    door, role, command = _DOORS[target]
    requested = instant(at)
    starts = requested + 6 * MINUTE
    started = starts + 4 * MINUTE
    use = Use(
        key=f"{key}-1",
        started=started,
        ended=started + 15 * MINUTE,
        commands=(command,),
        run_as=account_on(target, person(who)),
    )
    expires = starts + hours * HOUR
    ended = started + 18 * MINUTE if door == "openbao" else None
    return Access(
        key=key,
        door=door,
        person=who,
        target=target,
        role=role,
        ticket=f"OPS-{number}",
        purpose="look into the fault that the ticket describes",
        requested=requested,
        decisions=(Decision(at=starts, approver=approver),),
        starts=starts,
        expires=expires,
        ended=ended,
        removed=(ended or expires) + MINUTE,
        uses=(use,),
    )


def changed(access: Access, **fields: object) -> Access:
    """Return the access with some fields changed; fields of its only session are given as ``use_<name>``."""
    of_use = {name.removeprefix("use_"): value for name, value in fields.items() if name.startswith("use_")}
    of_access = {name: value for name, value in fields.items() if not name.startswith("use_")}
    if of_use:
        of_access["uses"] = (msgspec.structs.replace(access.uses[0], **of_use),)
    return msgspec.structs.replace(access, **of_access)


def with_ticket(access: Access, *, closed: int | None = None) -> Story:
    """Return the access with a ticket that fits it: opened an hour before, closed an hour after its end."""
    if access.ticket is None:
        return Story(accesses=(access,))
    end = closed or access.expires + HOUR
    told = ticket(access.ticket, opened=access.requested - HOUR, closed=end, kind="incident")
    return Story(accesses=(access,), told=(told,))


def on_grant(access: Access, test_id: str, outcome: OutcomeWord = "fail") -> Trip:
    """Return the verdict on the grant of an access."""
    return Trip(test_id, grant_item(access), outcome)


def on_session(access: Access, test_id: str, outcome: OutcomeWord = "fail") -> Trip:
    """Return the verdict on the first session of an access."""
    return Trip(test_id, session_items(access)[0], outcome)
