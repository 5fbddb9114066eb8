# SPDX-License-Identifier: Apache-2.0

"""Planted: leavers, orphan accounts, ways around the broker, silent recorders, and the registers themselves."""

import msgspec

from app.demo.consequences import login_id, native_login, sudo_grant
from app.demo.directory import personal_account, tell
from app.demo.model import Story
from app.demo.organisation import ORPHANED_WORKFLOW
from app.demo.planted_grants import standing_access
from app.demo.planting import Planted, Trip
from app.demo.story import ticket
from app.demo.times import DAY, instant
from app.records.model import RecorderEvent, Waiver


def planted_governance() -> tuple[Planted, ...]:
    """Return the deviations of people, accounts, recorders, workflows, waivers and data."""
    return (_around(), _silent_recorder(), _leaver(), _orphan(), _ownerless(), _own_waiver(), _broken_line())


def _around() -> Planted:
    at = instant("2026-08-20 22:47")
    return Planted(
        id="P24",
        what="A login to a server that did not come through the broker",
        background="sshd on app-01 still took a key from the time before Teleport. The server saw the login; no "
        "brokered session fits it, and no alarm was raised.",
        trips=(Trip("SES-02", f"siem/access_event/{login_id('around')}", "fail"),),
        story=Story(told=(native_login("app-01", "root", at, "around"),)),
    )


def _silent_recorder() -> Planted:
    at = instant("2026-09-11 13:05")
    event = RecorderEvent(
        id="recorder-app-02-0911", at=at, action="disabled", target="app-02", actor="tomas.riva@larkfield.example"
    )
    return Planted(
        id="P25",
        what="A recorder was switched off, and no alarm was raised",
        background="Somebody edited the configuration of the node and restarted it. The heartbeat rule had been muted.",
        trips=(Trip("REC-03", f"siem/recorder_event/{event.id}", "fail"),),
        story=Story(told=(tell("siem", event, at),)),
    )


def _leaver() -> Planted:
    right = standing_access(
        "leaver-root", "callum.reid", "app-stg-01", "2026-07-02 09:00", approver="amara.okafor", number=9031
    )
    left = instant("2026-08-14 16:00")
    right = msgspec.structs.replace(right, ended=left + 6 * DAY, removed=left + 6 * DAY)
    opened = ticket("OPS-9031", opened=right.requested - DAY, closed=left + 7 * DAY, kind="request")
    return Planted(
        id="P26",
        what="A leaver kept a privileged right for six days",
        background="Callum Reid left on 14 August. HR's export says so; the request desk took his right away when the "
        "monthly list came.",
        trips=(Trip("IDN-01", "hr/identity/callum.reid", "fail"),),
        story=Story(told=(*sudo_grant(right, basis="standing"), opened)),
    )


def _orphan() -> Planted:
    account = msgspec.structs.replace(
        personal_account("billing-db", "yuki.tanabe"), id="billing-db/jhansen", name="jhansen", subject="jhansen"
    )
    return Planted(
        id="P27",
        what="A privileged account belongs to nobody",
        background="jhansen on the billing database: no employee, no contractor, no service of that name.",
        trips=(Trip("IDN-02", "inventory/account/billing-db/jhansen", "fail"),),
        story=Story(told=(tell("inventory", account),)),
    )


def _ownerless() -> Planted:
    return Planted(
        id="P28",
        what="A privileged workflow has no business owner",
        background="Restores from the archive were run by a department that no longer exists.",
        trips=(Trip("GOV-01", f"inventory/workflow/{ORPHANED_WORKFLOW.id}", "fail"),),
        story=Story(told=(tell("inventory", ORPHANED_WORKFLOW),)),
    )


def _own_waiver() -> Planted:
    waiver = Waiver(
        id="W-2026-11",
        test_ids=("REC-01",),
        targets=("archive-01",),
        reason="The archive's console cannot be recorded yet",
        risk_owner="rashid.karimov@larkfield.example",
        requested_by="rashid.karimov@larkfield.example",
        approved_by="rashid.karimov@larkfield.example",
        approved_at=instant("2026-07-20 10:00"),
        expires_at=instant("2026-10-15"),
        renewals=0,
        compensating_controls=("Restores are done by two people",),
    )
    return Planted(
        id="P29",
        what="A waiver was approved by the person who asked for it",
        background="The head of operations accepted his own risk. A waiver that is not in order covers nothing.",
        trips=(
            Trip("GOV-04", "reviews/waiver/W-2026-11", "fail"),
            Trip("REC-04", "reviews/waiver/W-2026-11", "fail"),
        ),
        story=Story(told=(tell("reviews", waiver, instant("2026-07-20 10:00")),)),
    )


def _broken_line() -> Planted:
    return Planted(
        id="P30",
        what="One line of the ticket export is cut off",
        background="The export was interrupted and resumed. The line is set aside and counted, and every test that "
        "needs tickets says that they may be incomplete.",
        trips=(Trip("DAT-01", "tickets/source/tickets", "fail"),),
        story=Story(broken_lines=(("tickets", '{"type":"ticket","id":"OPS-1188","kind":"change","stat'),)),
    )
