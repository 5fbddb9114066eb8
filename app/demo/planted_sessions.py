# SPDX-License-Identifier: Apache-2.0

"""Planted: sessions without recording, second factor, person or end, and in emergencies."""

import msgspec

from app.demo.consequences import session_items, sudo_grant
from app.demo.directory import EMERGENCY_ACCOUNT, EMERGENCY_TARGETS, emergency_account, tell
from app.demo.model import Access, Story, Told
from app.demo.planting import Planted, Trip, changed, clean_access, on_grant, on_session, with_ticket
from app.demo.story import ticket
from app.demo.times import HOUR, MINUTE
from app.records.model import Alert, Grant, Recording, Review, Session, SessionEvent


def planted_sessions() -> tuple[Planted, ...]:
    """Return the deviations of single sessions."""
    return (_missing(), _off(), _no_factor(), _nobody(), _no_end(), _emergency(), _weak_factor())


def _missing() -> Planted:
    access = changed(
        clean_access("recording-missing", "magnus.eide", "app-01", "2026-07-18 10:00", approver="amara.okafor",
                     number=9021),
        use_recording="missing",
    )  # fmt: skip
    return Planted(
        id="P18",
        what="A session was to be recorded, and no recording arrived",
        background="The disk of the node was full; the upload never happened. Teleport's end event still says that "
        "recording was on.",
        trips=(on_session(access, "REC-01", "no_evidence"),),
        story=with_ticket(access),
    )


def _off() -> Planted:
    access = changed(
        clean_access("recording-off", "jonas.weller", "kube-prod", "2026-08-08 11:00", approver="tobias.lindqvist",
                     number=9022),
        use_recording="off",
    )  # fmt: skip
    return Planted(
        id="P19",
        what="A session ran with recording switched off",
        background="A test role without recording had been left in the cluster.",
        trips=(on_session(access, "REC-01"),),
        story=with_ticket(access),
    )


def _no_factor() -> Planted:
    access = changed(
        clean_access("no-factor", "priya.raman", "app-01", "2026-09-16 17:35", approver="rashid.karimov", number=9023),
        use_mfa=False,
    )
    return Planted(
        id="P20",
        what="Teleport does not say that a second factor was used for a session",
        background="The role of that node does not require a touch for each session. There may have been one at the "
        "login before; the session's record does not tell.",
        trips=(on_session(access, "IDN-04", "no_evidence"),),
        story=with_ticket(access),
    )


def _nobody() -> Planted:
    access = clean_access("nobody", "oncall", "app-02", "2026-08-22 10:30", approver="rashid.karimov", number=9024)
    return Planted(
        id="P21",
        what="The shared account was used, and nobody knows by whom",
        background="The login oncall@ was made for a pager and is known to no directory. It asked, was approved, and "
        "used the shared account ops.",
        trips=(
            on_session(access, "IDN-03"),
            on_session(access, "SES-04"),
            on_session(access, "SES-01", "no_evidence"),
            on_grant(access, "APR-02", "no_evidence"),
        ),
        story=with_ticket(access),
    )


def _no_end() -> Planted:
    access = changed(
        clean_access("no-end", "lucia.ferreira", "app-01", "2026-09-19 10:15", approver="amara.okafor", number=9025),
        use_ended=None,
    )
    return Planted(
        id="P22",
        what="The end of a session is not known",
        background="The proxy was restarted while the session was open; no end event was ever written.",
        trips=(on_session(access, "SES-03", "no_evidence"), on_session(access, "REC-01", "no_evidence")),
        story=with_ticket(access),
    )


def emergency(key: str, who: str, target: str, at: str, *, number: int, reviewed: bool) -> tuple[Access, Story]:
    """Return the use of an emergency account: alarmed, with a P1 incident, rotated; reviewed or not."""
    access = clean_access(key, who, "integration-01", at, approver="rashid.karimov", number=number, hours=2)
    access = changed(access, target=target, asked=False, decisions=(), use_run_as=EMERGENCY_ACCOUNT)
    use = access.uses[0]
    ended = use.ended or use.started
    item = session_items(access)[0]
    told = [
        ticket(f"OPS-{number}", opened=access.requested, closed=access.expires + HOUR, kind="incident", priority="P1"),
        tell("inventory", _grant(access, ended), access.starts),
        tell("inventory", msgspec.structs.replace(emergency_account(target), rotated_at=ended + 3 * HOUR),
             ended + 3 * HOUR),
        alert_about(f"ALERT-{number}", "session", item, use.started + 2 * MINUTE),
    ]  # fmt: skip
    if reviewed:
        review = Review(
            id=f"REV-{number}",
            kind="break_glass",
            session_id=item,
            reviewer="tobias.lindqvist@larkfield.example",
            due_at=ended + 72 * HOUR,
            completed_at=ended + 20 * HOUR,
            outcome="justified",
        )
        told.append(tell("reviews", review, ended + 20 * HOUR))
    return access, Story(accesses=(access,), told=tuple(told))


def _grant(access: Access, ended: int) -> Grant:
    return Grant(
        id=f"EMERGENCY-{access.key}",
        subject=f"{access.person}@larkfield.example",
        requester=f"{access.person}@larkfield.example",
        role="emergency",
        targets=(access.target,),
        basis="break_glass",
        privileged=True,
        requested_at=access.requested,
        starts_at=access.starts,
        expires_at=access.expires,
        ended_at=ended + 5 * MINUTE,
        removed_at=ended + 5 * MINUTE,
        purpose="emergency, the ordinary way was not available",
        ticket_keys=(access.ticket,) if access.ticket else (),
        state="ended",
        scope_level="resource",
        wildcard=False,
    )


def alert_about(identifier: str, about: str, item: str, at: int) -> Told:
    """Return an alarm that was taken after nine minutes."""
    record = Alert(
        id=identifier,
        about_type=about,
        about_id=item,
        raised_at=at,
        acknowledged_at=at + 9 * MINUTE,
        acknowledged_by="pavel.horak@larkfield.example",
    )
    return tell("siem", record, at)


def _emergency() -> Planted:
    access, story = emergency(
        "emergency-unreviewed", "jonas.weller", EMERGENCY_TARGETS[0], "2026-08-30 02:10", number=9026, reviewed=False
    )
    return Planted(
        id="P23",
        what="An emergency account was used, and nobody reviewed it afterwards",
        background="A real emergency on a Sunday night: alarm, incident and new password are there. The review was "
        "forgotten.",
        trips=(on_session(access, "BRG-02"),),
        story=story,
    )


def _weak_factor() -> Planted:
    """The vendor's own tool is no product with a connector; the SIEM tells of its sessions in normalized records."""
    access = clean_access("weak-factor", "irene.castell", "integration-01", "2026-09-20 09:00",
                          approver="rashid.karimov", number=9027)  # fmt: skip
    access = changed(access, target="imaging-gw", role="vendor-maintenance", uses=())
    started, ended = access.starts + 10 * MINUTE, access.starts + 50 * MINUTE
    session = Session(
        id="remote-9027",
        subject="irene.castell@vireo-imaging.example",
        subject_kind="vendor",
        target="imaging-gw",
        role="vendor-maintenance",
        protocol="https",
        interactive=True,
        privileged=True,
        started_at=started,
        ended_at=ended,
        status="closed",
        mfa=True,
        mfa_at=started - MINUTE,
        mfa_method="sms",
        grant_ids=(f"inventory/grant/REQ-{access.key}",),
    )
    recording = Recording(
        id="remote-9027", session_id=session.id, state="stored_claimed", kind="video", starts_at=started, ends_at=ended,
        coverage=1.0,
    )  # fmt: skip
    event = SessionEvent(
        id="remote-9027-1", session_id=session.id, seq=1, at=started + 5 * MINUTE, kind="command",
        text="transfer queue restarted",
    )  # fmt: skip
    told = (*sudo_grant(access), *(tell("siem", each, ended) for each in (session, recording, event)))
    return Planted(
        id="P31",
        what="The second factor was a text message",
        background="The imaging vendor came in through its own remote tool, with a code sent to a telephone.",
        trips=(Trip("IDN-04", "siem/session/remote-9027", "fail"),),
        story=Story(told=(*told, *with_ticket(access).told)),
    )
