# SPDX-License-Identifier: Apache-2.0

"""Planted: rights that are too long, standing, removed late, outlived or impossible to link."""

from app.demo.consequences import sudo_grant
from app.demo.directory import tell
from app.demo.model import Access, Decision, Story
from app.demo.organisation import person
from app.demo.planting import Planted, changed, clean_access, on_grant, on_session, with_ticket
from app.demo.story import ticket
from app.demo.times import HOUR, MINUTE, instant
from app.records.model import Waiver


def planted_grants() -> tuple[Planted, ...]:
    """Return the deviations of grants, and of sessions against their grants."""
    return (
        _too_long(), _standing(), _standing_waived(), _removed_late(), _outlived(), _no_review(), _long_session(),
        _ambiguous(),
    )  # fmt: skip


def standing_access(key: str, who: str, target: str, since: str, *, approver: str, number: int) -> Access:
    """Return a standing right that was approved when it was given; the register of the request desk tells of it."""
    given = instant(since)
    return Access(
        key=key,
        door="sudo",
        person=who,
        target=target,
        role="standing",
        ticket=f"OPS-{number}",
        purpose="standing right, see the ticket for the reason",
        requested=given - HOUR,
        decisions=(Decision(at=given - 10 * MINUTE, approver=approver),),
        starts=given,
        expires=instant("2027-06-30"),
    )


def standing_story(access: Access) -> Story:
    """Return what is told of a standing right: the register's entry and a ticket that stays open."""
    opened = ticket(access.ticket or "", opened=access.requested - HOUR, closed=None, kind="request")
    return Story(told=(*sudo_grant(access, basis="standing"), opened))


def _too_long() -> Planted:
    access = clean_access(
        "too-long", "jonas.weller", "app-01", "2026-07-29 06:10", approver="amara.okafor", number=9011, hours=14
    )
    return Planted(
        id="P10",
        what="A temporary right lasted fourteen hours",
        background="The role's limit in Teleport had been raised for a migration in spring and was never put back.",
        trips=(on_grant(access, "GRT-01"),),
        story=with_ticket(access),
    )


def _standing() -> Planted:
    right = standing_access(
        "standing-root", "sena.yildiz", "imaging-gw", "2026-07-06 08:00", approver="rashid.karimov", number=9012
    )
    return Planted(
        id="P11",
        what="A standing right to production without a waiver",
        background="Sena Yildiz was given lasting root on the imaging gateway for a project that ended in July.",
        trips=(on_grant(right, "GRT-02"),),
        story=standing_story(right),
    )


def _standing_waived() -> Planted:
    right = standing_access(
        "standing-backup", "svc-backup", "patient-db", "2026-07-02 08:00", approver="ngozi.adeyemi", number=9013
    )
    waiver = Waiver(
        id="W-2026-07",
        test_ids=("GRT-02",),
        targets=("patient-db",),
        subjects=(person("svc-backup").email,),
        reason="Backups must run at night without anybody asking for access",
        risk_owner="marguerite.dumas@larkfield.example",
        requested_by="dunja.brandt@larkfield.example",
        approved_by="tobias.lindqvist@larkfield.example",
        approved_at=instant("2026-07-01 09:00"),
        expires_at=instant("2026-12-15"),
        renewals=0,
        compensating_controls=("Reads only", "Alarm on use outside the backup window"),
    )
    return Planted(
        id="P12",
        what="A standing right to production under a waiver that is in order",
        background="The backup agent needs a lasting right. The risk was accepted by the head of patient records "
        "until December, so the deviation stays visible and counts as waived.",
        trips=(on_grant(right, "GRT-02", "waived"),),
        story=standing_story(right) + Story(told=(tell("reviews", waiver, instant("2026-07-01 09:00")),)),
    )


def _removed_late() -> Planted:
    access = clean_access(
        "removed-late", "tomas.riva", "integration-01", "2026-09-05 09:30", approver="amara.okafor", number=9014
    )
    access = changed(access, removed=access.expires + 5 * HOUR)
    return Planted(
        id="P13",
        what="A right was taken from the target five hours after it ended",
        background="The job that rewrites sudoers had failed, and nobody looked before the evening.",
        trips=(on_grant(access, "GRT-03"),),
        story=with_ticket(access),
    )


def _outlived() -> Planted:
    access = clean_access(
        "outlived", "priya.raman", "app-01", "2026-08-26 17:00", approver="amara.okafor", number=9015, hours=1
    )
    access = changed(access, use_ended=access.expires + 40 * MINUTE)
    return Planted(
        id="P14",
        what="A session went on for forty minutes after its grant had ended",
        background="Teleport does not cut a session at the expiry of a request unless the role says so.",
        trips=(on_session(access, "SES-01"),),
        story=with_ticket(access),
    )


def _no_review() -> Planted:
    access = changed(
        clean_access("no-review", "yuki.tanabe", "claims-db", "2026-09-09 17:30", approver="dunja.brandt", number=9016),
        use_linked=False,
        decisions=(),
    )
    return Planted(
        id="P15",
        what="A database session ran without any grant",
        background="The rule that asks for a review had been detached from the connection for an hour.",
        trips=(on_session(access, "SES-01"), on_session(access, "SES-04")),
        story=with_ticket(access),
    )


def _long_session() -> Planted:
    right = standing_access(
        "standing-staging", "sena.yildiz", "app-stg-01", "2026-07-03 08:00", approver="amara.okafor", number=9017
    )
    access = clean_access(
        "long-session", "sena.yildiz", "integration-01", "2026-09-12 06:30", approver="amara.okafor", number=9018
    )
    access = changed(
        access, target="app-stg-01", asked=False, decisions=(), use_ended=access.uses[0].started + 12 * HOUR
    )
    return Planted(
        id="P16",
        what="A session stayed open for twelve hours",
        background="A root shell on staging, forgotten on a Saturday. Her right there is a standing one, which is "
        "allowed outside production.",
        trips=(on_session(access, "SES-03"),),
        story=standing_story(right) + Story(accesses=(access,)),
    )


def _ambiguous() -> Planted:
    first = clean_access(
        "ambiguous-a", "tomas.riva", "integration-01", "2026-08-15 08:30", approver="amara.okafor", number=9019, hours=4
    )
    second = clean_access(
        "ambiguous-b", "tomas.riva", "integration-01", "2026-08-15 09:00", approver="rashid.karimov", number=9020,
        hours=3,
    )  # fmt: skip
    first = changed(first, uses=())
    return Planted(
        id="P17",
        what="Two grants cover one session, so it cannot be told which one was used",
        background="Two requests for one repair were approved by two people. sudo records no request, so the link is "
        "ambiguous, and a test of it has no evidence.",
        trips=(on_session(second, "SES-01", "no_evidence"), on_session(second, "SES-04", "no_evidence")),
        story=with_ticket(first) + with_ticket(second),
    )
