# SPDX-License-Identifier: Apache-2.0

"""Commands and recordings as items of their own: which are in, and what is linked to each."""

import hashlib
import json
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from app.records.folding import fold
from app.records.model import (
    Account,
    Alert,
    Grant,
    Identity,
    Recording,
    Review,
    Session,
    SessionEvent,
    Target,
    Ticket,
    Waiver,
    Workflow,
)
from app.trails.flags import Flags
from app.trails.linking import build_populations
from app.trails.populations import EventRef, EventView, FlagView
from app.trails.segments import read_rows
from app.trails.service import TrailService

DAY = 86_400_000
END = 90 * DAY


class Words:
    """Flags every word that starts with 'risky', and counts how often it is asked."""

    asked = 0

    def flags_of(self, texts: Sequence[str]) -> list[list[FlagView]]:
        """Return a flag per risky word of each."""
        self.asked += len(texts)
        return [
            [FlagView(rule=word, family="risky", severity="high") for word in text.split() if "risky" in word]
            for text in texts
        ]


@pytest.fixture
def told(world: Any) -> Any:
    """Return a world with one session that has everything, and two events in it."""
    world.person("ana", tp="ana")
    world.tell("hr", Workflow(id="w", name="payments"))
    world.tell("cmdb", Target(id="db", env="prod", workflow_id="w"), Account(id="ops", name="ops", target="db"))
    world.tell("tp", Grant(id="g", subject="ana", targets=("db",), starts_at=5, ticket_keys=("CHG-1",)))
    world.tell(
        "tp", Session(id="s", subject="ana", run_as="ops", target="db", started_at=10, grant_ids=("g",), via="jump")
    )
    world.tell(
        "tp",
        SessionEvent(id="e1", session_id="s", at=11, text="risky.b risky.a", rows=7),
        SessionEvent(id="e2", session_id="s", at=12, text="ls"),
    )
    world.tell("jira", Ticket(id="CHG-1"))
    return world


def test_an_event_stands_with_its_session_and_everything_that_belongs_to_it(told: Any) -> None:
    row, session = told.row("tp/session_event/e1"), told.row("tp/session/s")
    assert (row.event.text, row.event.rows, row.at, row.source) == ("risky.b risky.a", 7, 11, "tp")
    assert row.session == session.session
    assert (row.identity, row.account, row.target, row.workflow) == (
        session.identity,
        session.account,
        session.target,
        session.workflow,
    )
    assert row.grant == session.grant
    assert [each.id for each in row.tickets] == ["CHG-1"]
    assert {"tp", "hr", "cmdb", "jira"} == {told.told[index].source for index in row.ledger}


def test_a_session_shows_its_events_without_their_text(told: Any) -> None:
    events = told.row("tp/session/s").events
    assert [type(each) for each in events] == [EventRef, EventRef]
    assert set(EventView.__struct_fields__) - set(EventRef.__struct_fields__) == {"text"}
    assert "risky" not in json.dumps([each.text_sha256 for each in events] + [each.id for each in events])


@pytest.mark.parametrize(
    ("at", "heard_at", "inside"),
    [(0, -1, True), (-1, 5, False), (END - 1, 0, True), (END, 5, False), (None, 5, True), (None, END, False)],
)
def test_events_of_the_period(world: Any, at: int | None, heard_at: int, inside: bool) -> None:
    world.tell("tp", SessionEvent(id="e", session_id="s", at=at), at=heard_at)
    assert ("tp/session_event/e" in world.rows("session_event")) is inside


def test_an_event_whose_session_is_not_known_or_lies_outside_the_period(world: Any) -> None:
    world.person("ana", tp="ana")
    world.tell("tp", SessionEvent(id="lost", session_id="none", at=3), SessionEvent(id="late", session_id="s", at=4))
    world.tell("tp", Session(id="s", subject="ana", started_at=-5))
    lost, late = world.row("tp/session_event/lost"), world.row("tp/session_event/late")
    assert (lost.session, lost.identity, lost.grant, lost.tickets) == (None, None, None, [])
    assert (late.session.id, late.identity.id) == ("s", "ana")
    assert world.rows("session") == {}


def test_the_status_of_people_is_that_of_the_event_and_not_of_the_session(world: Any) -> None:
    world.tell("hr", Identity(id="ana", email="ana@x.example", employment_end_at=20, status="terminated"))
    world.tell("tp", Session(id="s", subject="ana@x.example", started_at=10))
    world.tell("tp", *(SessionEvent(id=f"e{at}", session_id="s", at=at) for at in (15, 19, 20, 25)))
    rows = world.rows("session_event")
    assert [rows[f"tp/session_event/e{at}"].identity.status for at in (15, 19, 20, 25)] == [
        "active",
        "active",
        "terminated",
        "terminated",
    ]


@pytest.mark.parametrize(
    ("fields", "first", "second"),
    [
        ({"event_id": "e1"}, True, False),
        ({"event_id": "tp/session_event/e1"}, True, False),
        ({"session_id": "s"}, True, True),
        ({"session_id": "tp/session/s"}, True, True),
        ({"session_id": "s", "event_id": "e1"}, True, False),
        ({"session_id": "s", "event_id": "unknown"}, False, False),
        ({}, False, False),
    ],
)
def test_who_looked_at_an_event_or_raised_a_ticket_about_it(
    told: Any, fields: dict[str, str], first: bool, second: bool
) -> None:
    told.tell("grc", Review(id="r", kind="event", completed_at=50, **fields))
    told.tell("jira", Ticket(id="INC-1", kind="incident", **fields))
    rows = [told.row(f"tp/session_event/{name}") for name in ("e1", "e2")]
    assert [[each.id for each in row.reviews] == ["r"] for row in rows] == [first, second]
    assert [any(each.id == "INC-1" for each in row.tickets) for row in rows] == [first, second]
    about = {each.about for row in rows for each in row.tickets if each.id == "INC-1"}
    assert about <= {"event" if "event_id" in fields else "session"}
    assert [each.id for each in told.row("tp/session/s").tickets] == ["CHG-1"]


def test_a_ticket_that_is_the_reason_and_was_raised_about_it_says_the_latter(told: Any) -> None:
    told.tell("jira", Ticket(id="CHG-1", session_id="s"))
    (ticket,) = told.row("tp/session_event/e1").tickets
    assert (ticket.about, ticket.link_basis) == ("session", "exact")
    (reason,) = told.row("tp/session/s").tickets
    assert reason.about is None


def test_an_event_id_that_two_sources_know_settles_nothing(told: Any) -> None:
    told.tell("sudo", SessionEvent(id="e1", at=11))
    told.tell("grc", Review(id="r", event_id="e1"))
    told.tell("jira", Ticket(id="INC-1", event_id="e1"))
    for source in ("tp", "sudo"):
        row = told.row(f"{source}/session_event/e1")
        assert (row.reviews, [each.about for each in row.tickets if each.about]) == ([], [])


def test_alarms_about_the_event_and_about_its_session(told: Any) -> None:
    told.tell("siem", Alert(id="a", about_type="session_event", about_id="e1"))
    told.tell("siem", Alert(id="b", about_type="session", about_id="s"))
    assert [each.id for each in told.row("tp/session_event/e1").alerts] == ["a", "b"]
    assert [each.id for each in told.row("tp/session_event/e2").alerts] == ["b"]
    assert [each.id for each in told.row("tp/session/s").alerts] == ["b"]


def test_what_an_event_says_of_itself(world: Any) -> None:
    world.tell("cmdb", Target(id="t-9", aliases=("lake",)))
    said: dict[str, Any] = {
        "parent_id": "e0", "tool": "psql", "credential_ref": "c", "within_policy": False, "masked": True,
        "privileged": True, "rows": 3, "outcome": "ok", "kind": "query",
    }  # fmt: skip
    world.tell("agent", SessionEvent(id="e", at=1, downstream="lake", **said))
    event = world.row("agent/session_event/e").event
    assert {name: getattr(event, name) for name in said} == said
    assert event.downstream == "t-9"
    assert event.flags == []


def test_texts_are_flagged_once_each_in_order_of_rules(told: Any) -> None:
    told.tell("tp", SessionEvent(id="e3", session_id="s", at=13, text="risky.b risky.a"), SessionEvent(id="e4", at=2))
    words = Words()
    rows = build_populations(fold(told.told), told.runs(), told.period, 0, flagger=words)
    flags = {row.item_id: [each.rule for each in row.event.flags] for row in rows["session_event"]}
    assert flags == {
        "tp/session_event/e1": ["risky.a", "risky.b"],
        "tp/session_event/e2": [],
        "tp/session_event/e3": ["risky.a", "risky.b"],
        "tp/session_event/e4": [],
    }
    (session,) = rows["session"]
    assert [[flag.rule for flag in each.flags] for each in session.events] == [["risky.a", "risky.b"], [], flags[
        "tp/session_event/e3"]]  # fmt: skip
    assert words.asked == 2
    assert Flags(words).of(None) == Flags(words).of("") == []


def test_flags_are_frozen_with_the_text_they_are_of(told: Any, tmp_path: Path) -> None:
    told.boxes = told.runs()
    TrailService(told).freeze(told.period, tmp_path, Words())
    rows = {row.item_id: row for row in read_rows(tmp_path, "session_event")}
    assert [each.rule for each in rows["tp/session_event/e1"].event.flags] == ["risky.a", "risky.b"]
    day = pq.read_schema(tmp_path / "session" / "1970-01-01.parquet")
    names = {field.name for field in day.field("events").type.value_type}
    assert ("text" in names, "flags" in names) == (False, True)


def test_a_waiver_covers_an_event_by_its_person_its_target_or_itself(told: Any) -> None:
    said: dict[str, Any] = {
        "test_ids": ("RSK-01",), "reason": "r", "risk_owner": "x", "approved_by": "y", "approved_at": 0,
        "expires_at": 99,
    }  # fmt: skip
    told.tell("grc", Waiver(id="person", subjects=("P-ana",), **said), Waiver(id="target", targets=("db",), **said))
    told.tell("grc", Waiver(id="item", items=("tp/session_event/e2",), **said))
    assert [each.id for each in told.row("tp/session_event/e1").waivers] == ["person", "target"]
    assert [each.id for each in told.row("tp/session_event/e2").waivers] == ["item", "person", "target"]


@pytest.mark.parametrize(
    ("fields", "at"),
    [
        ({"starts_at": 50}, 50),
        ({"starts_at": 50, "session_id": "s"}, 50),
        ({"session_id": "s"}, 10),
        ({}, 7),
        ({"starts_at": -50}, 0),
        ({"starts_at": END}, None),
        ({"starts_at": -50, "disposed_at": -1}, None),
        ({"starts_at": -50, "disposed_at": 0}, 0),
        ({"starts_at": 50, "disposed_at": 60}, 50),
    ],
)
def test_recordings_kept_in_the_period_and_their_instant(world: Any, fields: dict[str, Any], at: int | None) -> None:
    world.tell("tp", Session(id="s", started_at=10))
    world.tell("tp", Recording(id="r", **fields), at=7)
    row = world.rows("recording").get("tp/recording/r")
    assert (None if row is None else row.at) == at


def test_a_recording_stands_with_its_session_target_and_workflow(told: Any) -> None:
    said: dict[str, Any] = {
        "chained": True, "retrievable": False, "retrieved_at": 30, "disposed_at": 40, "retention_class": "sox",
        "on_hold": True, "state": "verified",
    }  # fmt: skip
    told.tell("tp", Recording(id="r", session_id="s", starts_at=10, **said))
    row, session = told.row("tp/recording/r"), told.row("tp/session/s")
    assert {name: getattr(row.recording, name) for name in said} == said
    assert (row.session, row.target, row.workflow) == (session.session, session.target, session.workflow)
    assert session.recordings == [row.recording]
    told.tell("tp", Recording(id="lost", session_id="none", starts_at=10))
    lost = told.row("tp/recording/lost")
    assert (lost.session, lost.target, lost.workflow) == (None, None, None)


def test_the_draw_of_a_session_can_be_done_again_by_anybody(world: Any) -> None:
    world.tell("tp", *(Session(id=f"s{number}", started_at=1) for number in range(400)))
    draws = {item_id: row.session.draw for item_id, row in world.rows("session").items()}
    for item_id, draw in draws.items():
        digest = hashlib.sha256(b"proofroom-draw:" + item_id.encode()).hexdigest()
        assert draw == int(digest[:12], 16) / 2**48
        assert 0 <= draw < 1
    assert 20 < sum(draw < 0.1 for draw in draws.values()) < 65


def test_what_a_session_says_of_how_it_was_held(world: Any) -> None:
    said: dict[str, Any] = {"via": "bastion", "supervised": True, "credential_ref": "c", "end_reason": "idle"}
    world.tell("tp", Session(id="s", started_at=1, **said), Session(id="t", started_at=1))
    session, silent = world.row("tp/session/s").session, world.row("tp/session/t").session
    assert {name: getattr(session, name) for name in said} == said
    assert {getattr(silent, name) for name in said} == {None}


def test_forty_thousand_events_share_what_their_session_gives_them(world: Any) -> None:
    world.person("ana", tp="ana")
    world.tell("cmdb", Target(id="db"))
    for number in range(40):
        world.tell("tp", Session(id=f"s{number}", subject="ana", target="db", started_at=number))
        world.tell(
            "tp",
            *(SessionEvent(id=f"e{number}-{each}", session_id=f"s{number}", at=number + each) for each in range(1000)),
        )
    begin = time.process_time()
    rows = world.populations()["session_event"]
    assert time.process_time() - begin < 20
    assert len(rows) == 40_000
    assert len({id(row.session) for row in rows}) == 40
