# SPDX-License-Identifier: Apache-2.0

"""Planted: oversight that did not happen, rights that nobody questions, and evidence that is not kept."""

import msgspec

from app.demo.consequences import session_items
from app.demo.directory import tell
from app.demo.model import Access, Story
from app.demo.oversight import FORGOTTEN
from app.demo.planted_grants import standing_access, standing_story
from app.demo.planting import Planted, Trip, changed, clean_access, on_grant, on_session, with_ticket
from app.demo.registers import campaign, hold, read_back
from app.demo.times import instant


def planted_oversight() -> tuple[Planted, ...]:
    """Return the deviations of reviews, idle and conflicting rights, and of kept evidence."""
    return _forgotten(), _not_removed(), _again(), _idle(), _both(), _exchanged(), _gone(), _lost()


def _forgotten() -> Planted:
    access = clean_access(FORGOTTEN, "priya.raman", "app-01", "2026-08-25 17:30", approver="amara.okafor", number=9220)
    return Planted(
        id="P47",
        what="A session that the draw chose was never reviewed",
        background="One tenth of the sessions is drawn. The analyst was on leave that week.",
        trips=(on_session(access, "REV-01"),),
        story=with_ticket(access),
    )


def _not_removed() -> Planted:
    decisions = [("amara.okafor", "keep"), ("priya.raman", "keep"), ("sena.yildiz", "remove")]
    told = campaign("REVIEW-2026-Q3", "2026-09-11", "2026-09-08 16:00", decisions, carried_out=False)
    return Planted(
        id="P48",
        what="A right that the access review withdrew was not removed",
        background="The decision was mailed to a list that nobody reads any more.",
        trips=(Trip("REV-02", "reviews/review/REVIEW-2026-Q3", "fail"),),
        story=Story(told=tuple(told)),
    )


def _again() -> Planted:
    return Planted(
        id="P49",
        what="One person asked for the same right again and again, and nobody asked why",
        background="The patterns of three others were looked at in September. That of Sena Yildiz was left out.",
        trips=(Trip("TKT-02", "hr/identity/sena.yildiz", "fail"),),
        story=Story(),
    )


def _idle() -> Planted:
    right = standing_access("idle-right", "ngozi.adeyemi", "claims-stg-db", "2026-03-02 09:00",
                            approver="osei.boateng", number=9221)  # fmt: skip
    return Planted(
        id="P50",
        what="A standing right has not been used for half a year",
        background="It was given for a test of the alarms in spring. Who approved it then lies before the time that "
        "was collected, so the tests of approvals cannot tell.",
        trips=(
            on_grant(right, "GRT-05"),
            *(on_grant(right, f"APR-{number:02}", "no_evidence") for number in (1, 2, 3, 4, 6)),
        ),
        story=standing_story(right),
    )


def _both() -> Planted:
    first, second = (
        changed(
            standing_access(f"both-{number}", "ngozi.adeyemi", "app-stg-01", "2026-07-20 09:00",
                            approver="amara.okafor", number=9222 + number),
            role=role,
        )
        for number, role in enumerate(("server-admin", "recorder-admin"))
    )  # fmt: skip
    return Planted(
        id="P51",
        what="One person administers the staging server and its recorder",
        background="She set both up. Either right alone is in order.",
        trips=(Trip("GRT-06", "hr/identity/ngozi.adeyemi", "fail"),),
        story=standing_story(first) + standing_story(second),
    )


def _recorded(key: str, at: str, number: int) -> Access:
    return clean_access(key, "magnus.eide", "app-01", at, approver="amara.okafor", number=number)


def _exchanged() -> Planted:
    access = _recorded("exchanged", "2026-08-18 17:30", 9224)
    item, at = session_items(access)[0], instant("2026-09-28 08:00")
    record = read_back("drill-exchanged", item, access.uses[0], at)
    return Planted(
        id="P52",
        what="A recording has other bytes than were noted when it was made",
        background="The September drill compared digests. The object had been written anew in August.",
        trips=(Trip("REC-02", f"archive/recording/{record.id}", "fail"),),
        story=with_ticket(access)
        + Story(told=(tell("archive", msgspec.structs.replace(record, verified_sha256="0" * 64), at),)),
    )


def _gone() -> Planted:
    access = _recorded("disposed-early", "2026-07-14 17:30", 9225)
    item, at = session_items(access)[0], instant("2026-09-28 08:00")
    record = msgspec.structs.replace(
        read_back("drill-disposed", item, access.uses[0], at), disposed_at=instant("2026-08-13 02:00"),
        retrievable=False,
    )  # fmt: skip
    return Planted(
        id="P53",
        what="A recording was deleted after a month",
        background="A rule of the bucket deletes after thirty days; recordings are to be kept for four hundred.",
        trips=(Trip("GOV-02", f"archive/recording/{record.id}", "fail"),),
        story=with_ticket(access) + Story(told=(tell("archive", record, at),)),
    )


def _lost() -> Planted:
    return Planted(
        id="P54",
        what="One recording under legal hold is missing",
        background="The hold was a letter, and the same rule of the bucket does not read letters.",
        trips=(Trip("GOV-03", "archive/legal_hold/H-2026-02", "fail"),),
        story=Story(told=(tell("archive", hold("H-2026-02", present=11), instant("2026-09-28 09:00")),)),
    )
