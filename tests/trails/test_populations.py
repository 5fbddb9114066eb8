# SPDX-License-Identifier: Apache-2.0

"""What becomes a row, what is linked to it, and that the order of arrival never matters."""

import time
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.records.folding import fold
from app.records.model import (
    AccessEvent,
    Account,
    Alert,
    Approval,
    Credential,
    Grant,
    Identity,
    LegalHold,
    RecorderEvent,
    Recording,
    Review,
    Session,
    SessionEvent,
    Target,
    Ticket,
    Workflow,
)
from app.trails.linking import build_populations
from app.trails.populations import POPULATIONS
from app.trails.service import TrailService

MINUTE = 60_000


def test_every_population_is_there_even_if_nothing_is(world: Any) -> None:
    assert world.populations() == {name: [] for name in POPULATIONS}


@pytest.mark.parametrize(
    ("started_at", "heard_at", "inside"),
    [
        (0, 0, True),
        (-1, 50, False),
        (90 * 86_400_000 - 1, 0, True),
        (90 * 86_400_000, 0, False),
        (None, 5, True),
        (None, -5, False),
    ],
)
def test_sessions_that_started_in_the_period(world: Any, started_at: int | None, heard_at: int, inside: bool) -> None:
    world.tell("tp", Session(id="s", started_at=started_at, status="failed_attempt"), at=heard_at)
    assert ("tp/session/s" in world.rows("session")) is inside


@pytest.mark.parametrize(
    ("fields", "inside"),
    [
        ({"starts_at": 10, "expires_at": 20}, True),
        ({"starts_at": -9, "expires_at": 20}, True),
        ({"starts_at": -9}, True),
        ({"starts_at": -9, "expires_at": 0}, False),
        ({"starts_at": -9, "expires_at": 20, "ended_at": -1}, False),
        ({"starts_at": 90 * 86_400_000}, False),
        ({"requested_at": 10}, True),
        ({"starts_at": 10, "state": "denied"}, False),
        ({"requested_at": 10, "state": "requested"}, False),
        ({"starts_at": 10, "expires_at": 5}, True),  # Nonsense that started in the period is for a test to say.
    ],
)
def test_grants_that_started_or_were_in_force(world: Any, fields: dict[str, Any], inside: bool) -> None:
    world.tell("tp", Grant(id="g", **fields))
    assert ("tp/grant/g" in world.rows("grant")) is inside


def test_the_end_of_a_grant_is_the_earlier_one(world: Any) -> None:
    world.tell("tp", Grant(id="g", starts_at=1, expires_at=9, ended_at=5), Grant(id="h", starts_at=1, expires_at=9))
    assert [world.row(f"tp/grant/{key}").grant.ends_at for key in "gh"] == [5, 9]


def test_unknown_privilege_is_tested_as_privilege(world: Any) -> None:
    world.tell(
        "tp",
        Session(id="s", started_at=1),
        Session(id="no", started_at=1, privileged=False),
        Grant(id="g", starts_at=1),
    )
    assert world.row("tp/session/s").session.privileged
    assert not world.row("tp/session/no").session.privileged
    assert world.row("tp/grant/g").grant.privileged


def test_everything_that_belongs_to_a_session(world: Any) -> None:
    world.person("ana", tp="ana")
    world.person("ro")
    world.tell("cmdb", Target(id="db", name="Database", env="prod", workflow_id="wf"))
    world.tell("cmdb", Workflow(id="wf", business_owner="ro@x.example", approvers=("ro@x.example", "nobody")))
    world.tell("cmdb", Account(id="db/ops", name="ops", target="db", subject="ana@x.example", shared=True))
    world.tell("jira", Ticket(id="CHG-1"), Ticket(id="INC-2"), Ticket(id="OPS-3"))
    world.tell("tp", Grant(id="g", subject="ana", purpose="as in INC-2, UTF-8", ticket_keys=("CHG-1",), starts_at=1))
    world.tell(
        "tp",
        Session(
            id="s",
            subject="ana",
            run_as="ops",
            target="db",
            started_at=5,
            grant_ids=("g",),
            ticket_keys=("OPS-3", "LOST-4"),
        ),
    )
    world.tell("tp", SessionEvent(id="e2", session_id="s", seq=10), SessionEvent(id="e1", session_id="s", seq=9))
    world.tell("tp", Recording(id="r", session_id="s", state="stored_claimed"))
    world.tell("other", Recording(id="r2", session_id="s"))  # Another source's session "s", for all we know.
    world.tell("other", Recording(id="r3", session_id="tp/session/s", state="verified"))
    world.tell("rev", Review(id="v", session_id="tp/session/s", reviewer="ro@x.example", kind="session"))
    world.tell("rev", Review(id="bare", session_id="s"), Review(id="of-event", event_id="e1"))
    world.tell(
        "siem", Alert(id="al", about_type="session", about_id="s"), Alert(id="no", about_type="grant", about_id="s")
    )
    row = world.row("tp/session/s")
    assert (row.target.env, row.workflow.id, row.workflow.owner_status, row.account.shared) == (
        "prod",
        "wf",
        "active",
        True,
    )
    assert row.workflow.approver_ids == ["nobody", "ro"]
    assert [each.id for each in row.events] == ["e1", "e2"]
    assert [each.id for each in row.recordings] == ["r3", "r"]
    assert [(each.id, each.link_basis) for each in row.tickets] == [
        ("CHG-1", "exact"),
        ("INC-2", "derived"),
        ("OPS-3", "exact"),
    ]
    assert sorted(each.id for each in row.reviews) == ["bare", "of-event", "v"]
    assert [each.id for each in row.alerts] == ["al"]
    missing = [each for each in world.trail("tp/session/s").links if each.relation == "ticket" and each.basis == "none"]
    assert len(missing) == 1
    assert "'LOST-4'" in missing[0].explanation


def test_a_bare_id_that_two_sources_know_links_nothing_and_is_told(world: Any) -> None:
    world.tell("a", Session(id="s", started_at=1))
    world.tell("b", Session(id="s", started_at=1))
    world.tell("rev", Review(id="v", session_id="s"))
    for source in "ab":
        assert not world.row(f"{source}/session/s").reviews
        doubts = [each for each in world.trail(f"{source}/session/s").links if each.relation == "review"]
        assert [(each.basis, each.candidates) for each in doubts] == [("ambiguous", ("a/session/s", "b/session/s"))]


def test_a_ticket_key_that_two_sources_know_links_nothing(world: Any) -> None:
    world.tell("jira", Ticket(id="CHG-1"))
    world.tell("snow", Ticket(id="CHG-1"))
    world.tell("tp", Grant(id="g", starts_at=1, ticket_keys=("CHG-1",)))
    assert not world.row("tp/grant/g").tickets


@pytest.mark.parametrize("hostile", ["A" * 200_000, "A1" * 100_000 + "-", "A-" * 100_000, "AB-1" * 100_000])
def test_hostile_text_is_searched_for_keys_in_linear_time(world: Any, hostile: str) -> None:
    world.tell("jira", Ticket(id="AB-1"))
    world.tell("tp", Grant(id="g", starts_at=1, purpose=hostile))
    begin = time.process_time()
    assert not world.row("tp/grant/g").tickets
    assert time.process_time() - begin < 5


@pytest.mark.parametrize(
    ("event", "sessions"),
    [
        ({"at": 10 * MINUTE}, ["closed"]),
        ({"at": 8 * MINUTE}, ["closed"]),  # Two minutes before the start is still inside,
        ({"at": 8 * MINUTE - 1}, []),
        ({"at": 22 * MINUTE}, ["closed"]),  # and so are two minutes after the end.
        ({"at": 22 * MINUTE + 1}, []),
        ({"at": 10 * MINUTE, "account": "root"}, []),
        ({"at": 10 * MINUTE, "target": "other"}, []),
        ({"at": 10 * MINUTE, "target": "db.internal"}, ["closed"]),
        ({"at": 50 * MINUTE}, ["lost-end"]),  # Where the end is unknown, only the start explains a login.
        ({"at": 55 * MINUTE}, []),
        ({"at": 70 * MINUTE}, []),  # A failed attempt explains nothing.
        ({"at": 85 * MINUTE, "account": "long"}, ["open"]),
        ({"at": 10 * MINUTE, "session_id": "tp/session/open"}, ["open"]),  # What it names goes before what fits.
    ],
)
def test_which_sessions_explain_a_login(world: Any, event: dict[str, Any], sessions: list[str]) -> None:
    world.tell("cmdb", Target(id="db", aliases=("db.internal",)))
    world.tell(
        "tp",
        Session(id="closed", target="db", run_as="ops", started_at=10 * MINUTE, ended_at=20 * MINUTE, status="closed"),
        Session(id="lost-end", target="db", run_as="ops", started_at=50 * MINUTE, status="unknown"),
        Session(id="attempt", target="db", run_as="ops", started_at=70 * MINUTE, status="failed_attempt"),
        Session(id="open", target="db", run_as="long", started_at=80 * MINUTE, status="open"),
    )
    world.tell("siem", AccessEvent(id="e", **{"target": "db", "account": "ops", **event}))
    assert [each.id for each in world.row("siem/access_event/e").sessions] == [f"tp/session/{key}" for key in sessions]


def test_first_use_of_a_break_glass_account(world: Any) -> None:
    world.tell(
        "cmdb",
        Account(id="1", name="emergency", target="db", break_glass=True),
        Account(id="2", name="quiet", target="db"),
    )
    world.tell("tp", Session(id="before", target="db", run_as="emergency", started_at=-9))
    world.tell("tp", Session(id="failed", target="db", run_as="emergency", started_at=3, status="failed_attempt"))
    world.tell("tp", Session(id="s", target="db", run_as="emergency", started_at=50))
    world.tell("siem", AccessEvent(id="e", target="db", account="emergency", at=40))  # Past the broker.
    assert world.row("cmdb/account/1").account.first_use_in_period == 40
    assert world.row("cmdb/account/2").account.first_use_in_period is None
    assert world.row("tp/session/s").account.first_use_in_period == 40


def test_a_targets_own_log_explains_a_login_only_by_a_session_that_used_a_grant(world: Any) -> None:
    """Else every login around the broker would be its own excuse."""
    world.tell("pg", AccessEvent(id="around", target="db", account="postgres", at=40, session_id="s1"))
    world.tell("pg", Session(id="s1", target="db", run_as="postgres", started_at=40, ended_at=90))
    world.tell("bao", Grant(id="g", basis="lease", starts_at=30, expires_at=80, credential_ref="hmac:1"))
    world.tell("inventory", Credential(id="hmac:1", subject="v-ana", kind="audit-hash"))
    world.tell("pg", AccessEvent(id="leased", target="db", account="v-ana", at=41, session_id="s2"))
    world.tell("pg", Session(id="s2", target="db", run_as="v-ana", started_at=41, ended_at=60))
    assert world.row("pg/access_event/around").sessions == []
    assert [each.id for each in world.row("pg/access_event/leased").sessions] == ["pg/session/s2"]


def test_recorder_events_have_their_alarms_tickets_and_actor(world: Any) -> None:
    world.person("ana", tp="ana")
    world.tell("jira", Ticket(id="CHG-1"))
    world.tell("tp", RecorderEvent(id="x", at=5, action="disabled", actor="ana", ticket_keys=("CHG-1",)))
    world.tell("siem", Alert(id="al", about_type="recorder_event", about_id="tp/recorder_event/x"))
    row = world.row("tp/recorder_event/x")
    assert (row.recorder_event.actor_person_id, len(row.alerts), len(row.tickets)) == ("P-ana", 1, 1)


def test_a_session_that_ended_is_not_open(world: Any) -> None:
    world.tell("tp", Session(id="s", started_at=5, ended_at=5, status="open"))
    assert world.row("tp/session/s").session.status == "closed"


def test_the_trail_tells_the_story_in_order_and_has_the_rows_very_row(world: Any) -> None:
    world.tell("tp", Grant(id="g", requested_at=1, starts_at=3, expires_at=9))
    world.tell("tp", Approval(id="a", grant_id="g", decision="approved", decided_at=2, approver="bo"))
    world.tell("tp", Session(id="s", started_at=4, ended_at=8, grant_ids=("g",)), Session(id="t", started_at=5))
    world.tell("tp", Review(id="v", session_id="s", completed_at=20))
    trail = world.trail("tp/session/s")
    assert trail.row == world.row("tp/session/s")
    assert [each.what for each in trail.steps] == [
        "access requested",
        "approved by 'bo'",
        "grant started",
        "session started",
        "session ended",
        "grant ended",
        "reviewed",
    ]
    assert world.trail("tp/grant/g").row == world.row("tp/grant/g")
    trails = TrailService(world).trails(world.period)
    assert (len(trails), trails[0], [each.item_id for each in trails[1:]]) == (2, trail, ["tp/session/t"])


_IDS = st.sampled_from(["1", "2", "tp/session/1"])
_MAYBE = st.none() | _IDS
_TEXTS = st.none() | st.sampled_from(["ana", "bo", "ana@x.example", "ops"])
_TIMES = st.none() | st.integers(0, 6)
_RECORDS = st.one_of(
    st.builds(Identity, id=_IDS, email=_TEXTS, person_id=st.sampled_from([None, "p", "q"]), employment_end_at=_TIMES),
    st.builds(Target, id=_IDS, name=_TEXTS),
    st.builds(Account, id=_IDS, name=_TEXTS, target=_MAYBE, subject=_TEXTS),
    st.builds(Grant, id=_IDS, subject=_TEXTS, targets=st.none() | st.tuples(_IDS), starts_at=_TIMES,
              expires_at=_TIMES, credential_ref=_MAYBE),
    st.builds(Approval, id=_IDS, grant_id=_MAYBE, session_id=_MAYBE, decided_at=_TIMES, decision=st.just("approved")),
    st.builds(Session, id=_IDS, subject=_TEXTS, run_as=_TEXTS, target=_MAYBE, started_at=_TIMES, credential_ref=_MAYBE,
              grant_ids=st.none() | st.lists(_IDS, max_size=2).map(tuple)),
    st.builds(SessionEvent, id=_IDS, session_id=_MAYBE, seq=_TIMES, at=_TIMES, text=_TEXTS, downstream=_MAYBE),
    st.builds(Recording, id=_IDS, session_id=_MAYBE, starts_at=_TIMES),
    st.builds(Credential, id=_IDS, subject=_TEXTS),
    st.builds(LegalHold, id=_IDS, custodian=_TEXTS),
    st.builds(Ticket, id=st.sampled_from(["A1-1", "A1-2"]), session_id=_MAYBE, event_id=_MAYBE),
    st.builds(Review, id=_IDS, session_id=_MAYBE, event_id=_MAYBE, campaign_id=_MAYBE, grant_id=_MAYBE,
              subject=_TEXTS, completed_at=_TIMES, due_at=_TIMES,
              kind=st.sampled_from(["access", "access_item", "event"])),
    st.builds(AccessEvent, id=_IDS, at=_TIMES, target=_MAYBE, account=_TEXTS, session_id=_MAYBE),
    st.builds(Alert, id=_IDS, about_type=st.sampled_from(["session", "session_event"]), about_id=_MAYBE),
)  # fmt: skip
_TOLD = st.lists(st.tuples(st.sampled_from(["tp", "hr"]), _RECORDS, st.integers(0, 2)), max_size=14)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.data())
def test_populations_and_trails_do_not_depend_on_the_order_of_arrival(
    new_world: Callable[[], Any], data: st.DataObject
) -> None:
    world, other = new_world(), new_world()
    for source, record, at in data.draw(_TOLD):
        world.tell(source, record, at=at)
    other.told = data.draw(st.permutations(world.told))
    runs = world.runs()
    populations = build_populations(fold(world.told), runs, world.period, 0)
    assert populations == build_populations(reversed(fold(other.told)), runs[::-1], world.period, 0)
    world.boxes = other.boxes = runs or [world.box("tp")]
    mine, theirs = TrailService(world).trails(world.period), TrailService(other).trails(world.period)
    assert list(mine) == list(theirs)
    assert [each.row for each in mine] == TrailService(other).populations(world.period)["session"]


def test_twenty_thousand_sessions_of_few_people_link_without_comparing_all_with_all(world: Any) -> None:
    """The hard case for windows: few people, few targets, each with thousands of grants."""
    for number in range(20):
        world.person(f"p{number}", hoop=f"p{number}")
    world.tell("cmdb", *(Target(id=f"t{number}") for number in range(5)))
    step = 60_000
    for number in range(20_000):
        fields: dict[str, Any] = {"subject": f"p{number % 4}", "started_at": number * step + 1}
        world.tell(
            "hoop",
            Grant(
                id=f"g{number}",
                subject=fields["subject"],
                targets=(f"t{number % 5}",),
                starts_at=number * step,
                expires_at=number * step + 40 * step,
            ),
        )
        world.tell(
            "hoop",
            Session(id=f"s{number}", target=f"t{number % 5}", run_as="ops", ended_at=number * step + step, **fields),
        )
        if number % 4 == 0:
            seen = AccessEvent(id=f"e{number}", target=f"t{number % 5}", account="ops", at=number * step + 2)
            world.tell("siem", seen)
    begin = time.process_time()
    rows = world.populations()
    assert time.process_time() - begin < 30
    assert len(rows["session"]) == len(rows["grant"]) == 20_000


def test_the_first_of_two_approvers_reaches_the_grant_through_the_pending_approval(world: Any) -> None:
    """OpenBao's control groups: the first authorization knows the accessor only."""
    world.tell("bao", Grant(id="q-1", basis="lease", starts_at=30))
    world.tell("bao", Approval(id="accessor", grant_id="q-1", decision="approved", approver="cy", decided_at=20))
    world.tell(
        "bao", Approval(id="accessor/bo", grant_id="accessor", decision="approved", approver="bo", decided_at=10)
    )
    assert [each.approver for each in world.row("bao/grant/q-1").approvals] == ["bo", "cy"]
