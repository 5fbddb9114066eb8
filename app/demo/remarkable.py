# SPDX-License-Identifier: Apache-2.0

"""Days that were not ordinary, and still in order: an emergency, a recorder's maintenance, a leaver, reviews.

In:  the organisation. Out: a stretch of story that no test may object to; it shows that the tests tell the two apart.
"""

from app.demo.consequences import sudo_grant
from app.demo.directory import EMERGENCY_TARGETS, tell
from app.demo.model import Story
from app.demo.planted_grants import standing_access
from app.demo.planted_sessions import alert_about, emergency
from app.demo.planting import changed, clean_access, with_ticket
from app.demo.story import ticket
from app.demo.times import HOUR, MINUTE, instant
from app.records.model import RecorderEvent


def remarkable_but_in_order() -> Story:
    """Return what is out of the ordinary and in order."""
    return _emergency() + _maintenance() + _leaver() + _signed_keys()


def _emergency() -> Story:
    return emergency(
        "emergency-reviewed", "jonas.weller", EMERGENCY_TARGETS[1], "2026-07-12 03:20", number=9101, reviewed=True
    )[1]


def _maintenance() -> Story:
    at = instant("2026-08-01 08:00")
    event = RecorderEvent(
        id="recorder-app-01-0801",
        at=at,
        action="paused",
        target="app-01",
        actor="amara.okafor@larkfield.example",
        ticket_keys=("OPS-9102",),
    )
    return Story(
        told=(
            tell("siem", event, at),
            alert_about("ALERT-9102", "recorder_event", event.id, at + 2 * MINUTE),
            ticket("OPS-9102", opened=at - 20 * HOUR, closed=at + 3 * HOUR, kind="change"),
        )
    )


def _leaver() -> Story:
    """A data engineer left, and his right was gone the same evening."""
    left = instant("2026-09-04 16:00")
    right = standing_access(
        "leaver-in-order", "felix.aubert", "app-stg-01", "2026-07-02 10:00", approver="amara.okafor", number=9103
    )
    right = changed(right, ended=left + 2 * HOUR, removed=left + 2 * HOUR)
    opened = ticket("OPS-9103", opened=right.requested - HOUR, closed=left + 3 * HOUR, kind="request")
    return Story(told=(*sudo_grant(right, basis="standing"), opened))


def _signed_keys() -> Story:
    """Field engineers reach the imaging gateway's console with signed keys once a month; sshd is not collected."""
    story = Story()
    for number, day in enumerate(("2026-07-26", "2026-08-23", "2026-09-27")):
        access = clean_access(
            f"signed-key-{number}", "irene.castell", "imaging-gw", f"{day} 09:00", approver="ngozi.adeyemi",
            number=9110 + number,
        )  # fmt: skip
        story += with_ticket(changed(access, door="openbao_ssh", role="imaging-host", uses=()))
    return story
