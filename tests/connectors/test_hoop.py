# SPDX-License-Identifier: Apache-2.0

"""hoop.dev: what its sessions state, and each trap between its documentation and its source."""

import json

import pytest

from app.connectors.base import Window
from app.connectors.hoop.connector import HoopFile
from app.errors import RecordRejected
from app.records.model import Approval, Grant, Recording, Session, SessionEvent
from app.records.redaction import sha256_text
from app.records.times import parse_instant
from tests.connectors.reading import DATA, FIXTURES, all_stated, of, pages_of, records_of, stated_by

FIXTURE = DATA / FIXTURES["hoop"]


def session(**changes):
    value = {
        "id": "s-1",
        "user": "ana@acme.example",
        "user_id": "idp|ana",
        "identity_type": "user",
        "connection": "billing-db",
        "type": "database",
        "verb": "connect",
        "status": "done",
        "start_date": "2026-08-03T10:00:00Z",
        "end_date": "2026-08-03T10:30:00Z",
    }
    return value | changes


def review(**changes):
    value = {
        "id": "r-1",
        "type": "jit",
        "status": "APPROVED",
        "access_duration": 1_800_000_000_000,
        "created_at": "2026-08-03T09:00:00Z",
        "revoke_at": "2026-08-03T10:20:00Z",
        "review_groups_data": [row()],
    }
    return value | changes


def row(**changes):
    value = {
        "id": "g-1",
        "group": "dba",
        "status": "APPROVED",
        "forced_review": False,
        "review_date": "2026-08-03T09:50:00Z",
        "reviewed_by": {"id": "u-bo", "email": "bo@acme.example"},
    }
    return value | changes


def test_reads_a_reviewed_session_whole():
    stated = all_stated("hoop", FIXTURE)
    first = next(each for each in stated if isinstance(each, Session))
    assert first == Session(
        id="5a000000-0000-4000-8000-000000000001",
        subject="ana@acme.example",
        subject_kind="human",
        target="billing-db",
        protocol="postgres",
        interactive=False,
        started_at=parse_instant("2026-08-03T09:30:00.5Z"),
        ended_at=parse_instant("2026-08-03T09:31:00Z"),
        status="closed",
        exit_code=0,
        grant_ids=("4e000000-0000-4000-8000-000000000001",),
        ticket_keys=("OPS-7",),
    )
    counts = {kind: sum(type(each) is kind for each in stated) for kind in (Session, Grant, Approval, Recording)}
    assert counts == {Session: 3, Grant: 1, Approval: 2, Recording: 2}
    assert sum(isinstance(each, SessionEvent) for each in stated) == 3


def test_trap_1_a_forced_review_shows_and_makes_the_grant_break_glass():
    stated = stated_by("hoop", session(review=review(review_groups_data=[row(forced_review=True)])))
    assert of(Approval, stated).mode == "forced"
    assert of(Grant, stated).basis == "break_glass"


def test_trap_2_an_admin_who_approves_his_own_request_can_be_told():
    own = row(reviewed_by={"id": "u-ana", "email": "ana@acme.example"})
    stated = stated_by("hoop", session(review=review(review_groups_data=[own])))
    assert of(Approval, stated).approver == of(Session, stated).subject == of(Grant, stated).requester


def test_trap_3_one_person_who_fills_two_groups_stays_one_person():
    rows = [row(), row(id="g-2", group="sre")]
    approvals = [
        each
        for each in stated_by("hoop", session(review=review(min_approvals=2, review_groups_data=rows)))
        if isinstance(each, Approval)
    ]
    assert [(each.id, each.group) for each in approvals] == [("r-1/g-1", "dba"), ("r-1/g-2", "sre")]
    assert len({each.approver for each in approvals}) == 1


def test_trap_4_revoke_at_is_the_expiry_of_a_jit_right():
    grant = of(Grant, stated_by("hoop", session(review=review())))
    assert grant.expires_at == parse_instant("2026-08-03T10:20:00Z")
    assert (grant.ended_at, grant.end_reason, grant.state) == (None, None, "active")


def test_trap_4_revoke_at_is_no_expiry_of_a_one_time_right():
    one_time = review(type="onetime", status="EXECUTED", access_duration=0, revoke_at="2026-08-03T09:50:00Z")
    grant = of(Grant, stated_by("hoop", session(review=one_time)))
    assert (grant.starts_at, grant.expires_at) == (parse_instant("2026-08-03T09:50:00Z"), None)
    assert (grant.ended_at, grant.end_reason) == (parse_instant("2026-08-03T10:30:00Z"), "used")


def test_trap_4_only_the_status_revokes():
    rows = [row(), row(id="g-2", status="REVOKED", review_date="2026-08-03T10:05:00Z")]
    stated = stated_by("hoop", session(review=review(status="REVOKED", review_groups_data=rows)))
    grant = of(Grant, stated)
    assert (grant.state, grant.end_reason, grant.ended_at) == (
        "ended",
        "revoked",
        parse_instant("2026-08-03T10:05:00Z"),
    )
    assert [each.decision for each in stated if isinstance(each, Approval)] == ["approved", "revoked"]


def test_trap_5_a_session_that_reuses_a_jit_review_names_no_grant():
    assert of(Session, stated_by("hoop", session(review=None))).grant_ids is None


def test_trap_6_a_duration_is_in_nanoseconds():
    grant = of(Grant, stated_by("hoop", session(review=review())))
    assert grant.starts_at == parse_instant("2026-08-03T09:50:00Z")
    without = of(Grant, stated_by("hoop", session(review=review(revoke_at=""))))
    assert (without.starts_at, without.expires_at) == (grant.starts_at, grant.expires_at)


@pytest.mark.parametrize(
    "pre_approved",
    [
        row(review_date="2026-08-03T09:00:00Z", reviewed_by={"id": "key-1", "email": "ci@acme.example"}),
        row(reviewed_by=None),
    ],
)
def test_trap_7_an_approval_made_together_with_its_review_is_only_asserted(pre_approved):
    stated = stated_by("hoop", session(review=review(review_groups_data=[pre_approved])))
    assert of(Approval, stated).mode == "asserted"


def test_trap_8_a_group_that_still_waits_has_decided_nothing():
    rows = [row(), row(id="g-2", status="PENDING", reviewed_by=None, review_date=None)]
    stated = stated_by("hoop", session(review=review(review_groups_data=rows)))
    assert of(Approval, stated).id == "r-1/g-1"


def test_trap_9_a_review_takes_its_owner_and_target_from_the_session():
    grant = of(Grant, stated_by("hoop", session(review=review())))
    assert (grant.subject, grant.targets) == ("ana@acme.example", ("billing-db",))


def test_a_session_that_waited_for_its_approval_began_no_earlier_than_that():
    waited = review(type="onetime", status="EXECUTED", created_at="2026-08-03T10:00:00.1Z", revoke_at="")
    waited["review_groups_data"] = [row(review_date="2026-08-03T10:10:00Z")]
    stated = of(Session, stated_by("hoop", session(review=waited)))
    assert stated.started_at == parse_instant("2026-08-03T10:10:00Z")
    assert stated.ended_at == parse_instant("2026-08-03T10:30:00Z")


def test_a_right_for_a_time_is_for_the_request_that_was_approved():
    stated = stated_by("hoop", session(review=review(type="jit")))
    grant, approval = of(Grant, stated), of(Approval, stated)
    other = of(Grant, stated_by("hoop", session(review=review(type="jit", id="another"))))
    assert grant.scope_digest == approval.scope_digest != other.scope_digest


@pytest.mark.parametrize(
    ("created_at", "review_date"),
    [("2026-08-03T10:00:00.1Z", "2026-08-03T11:00:00Z"), ("2026-08-03T09:00:00Z", "2026-08-03T10:10:00Z")],
)
def test_a_session_approved_afterwards_keeps_its_start(created_at, review_date):
    late = review(type="onetime", created_at=created_at, review_groups_data=[row(review_date=review_date)])
    assert of(Session, stated_by("hoop", session(review=late))).started_at == parse_instant("2026-08-03T10:00:00Z")


@pytest.mark.parametrize("status", [("open", "PENDING", "requested"), ("ready", "APPROVED", "active")])
def test_a_request_that_was_not_carried_out_is_no_session(status):
    waiting = session(status=status[0], end_date=None, review=review(status=status[1]))
    stated = stated_by("hoop", waiting)
    assert not any(isinstance(each, Session) for each in stated)
    assert of(Grant, stated).state == status[2]


@pytest.mark.parametrize(
    "changes",
    [
        {"review": review(status="REJECTED", review_groups_data=[row(status="REJECTED")])},
        {"guardrails_info": [{"rule_name": "no-drop", "direction": "input", "matched_words": ["hunter2"]}]},
        {"ai_analysis": {"action": "block_execution"}},
    ],
)
def test_a_stopped_session_is_an_attempt(changes):
    stated = stated_by("hoop", session(**changes))
    assert of(Session, stated).status == "failed_attempt"
    assert "hunter2" not in repr(stated)


def test_commands_are_redacted_and_the_digest_is_of_the_original():
    script = "ALTER ROLE app PASSWORD 'hunter2'"
    events = [each for each in all_stated("hoop", FIXTURE) if isinstance(each, SessionEvent)]
    assert events[0].text == "ALTER ROLE app PASSWORD [redacted]"
    assert events[0].text_sha256 == sha256_text(script)
    assert [(each.text, each.at) for each in events[1:]] == [
        ("select 1", parse_instant("2026-08-03T10:00:00.25Z")),
        ("drop table x", parse_instant("2026-08-03T10:01:01.5Z")),
    ]


def test_what_was_approved_is_known_by_its_digest():
    stated = stated_by("hoop", session(verb="exec", script={"data": "select 1"}, review=review(type="onetime")))
    assert of(Grant, stated).scope_digest == of(Approval, stated).scope_digest == sha256_text("select 1")


@pytest.mark.parametrize(
    "stream", [["hello"], [[0.1, "i", "bHM="], [0.2, "o", "eA=="]], [[0.1, "i", "not base64"]], [1]]
)
def test_an_ordinary_stream_gives_no_commands(stream):
    stated = stated_by("hoop", session(event_stream=stream))
    assert not any(isinstance(each, SessionEvent) for each in stated)
    assert of(Recording, stated).state == "stored_claimed"


def test_nothing_is_said_of_a_recording_of_size_zero():
    assert not any(isinstance(each, Recording) for each in stated_by("hoop", session(event_size=0)))


def test_a_session_is_as_of_its_latest_instant():
    records = records_of("hoop", FIXTURE)
    assert [record.occurred_at_text for record in records] == [
        "2026-08-03T09:31:00Z",
        "2026-08-03T10:10:00Z",
        "2026-08-03T11:00:00Z",
    ]
    assert records[0].raw in FIXTURE.read_bytes()


def envelope(*sessions, **members):
    return json.dumps({"data": list(sessions), **members})


@pytest.mark.parametrize(
    ("envelopes", "count", "gaps"),
    [
        ([{"total": 3, "has_next_page": False}], 3, 0),
        ([{"total": 3, "has_next_page": True}, {"total": 3, "has_next_page": False}], 3, 0),
        ([{"total": 3, "has_next_page": True}], 3, 1),
        ([{"total": None, "has_next_page": False}], None, 0),
        ([{"total": 10000, "total_is_capped": True, "has_next_page": False}], None, 0),
        ([{"total": 3}, {"total": 4}], None, 0),
        ([{}], None, 0),
    ],
)
def test_the_envelope_tells_how_much_there_is(tmp_path, envelopes, count, gaps):
    paths = []
    for number, members in enumerate(envelopes):
        paths.append(tmp_path / f"{number}.json")
        paths[-1].write_text(envelope(session(id=f"s-{number}"), **members))
    page = pages_of("hoop", *paths)[-1]
    assert page.source_count == count
    assert len(page.gaps) == gaps


@pytest.mark.parametrize(
    "content",
    [
        json.dumps([session(), session(id="s-2")]),
        json.dumps([session(), session(id="s-2")], indent=2),
        json.dumps(session()) + "\n" + json.dumps(session(id="s-2")) + "\n",
        json.dumps(session(), indent=2) + "\n" + json.dumps(session(id="s-2"), indent=2),
        envelope(session(), session(id="s-2")),
        envelope(session()) + envelope(session(id="s-2")),
        "\ufeff" + envelope(session(), session(id="s-2")),
        envelope(session(), session(id="s-2")).replace("{", "{\n", 1),
    ],
)
def test_reads_every_shape_in_which_sessions_are_saved(tmp_path, content):
    path = tmp_path / "x.json"
    path.write_text(content)
    assert [record.key for record in records_of("hoop", path)] == ["s-1", "s-2"]


def test_reads_one_session_by_itself(tmp_path):
    path = tmp_path / "x.json"
    path.write_text(json.dumps(session(), indent=2))
    assert [record.key for record in records_of("hoop", path)] == ["s-1"]


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"start_date": "yesterday"}, "start_date"),
        ({"start_date": None}, "start_date"),
        ({"id": None}, "id"),
        ({"review": {"status": "APPROVED"}}, "review.id"),
        ({"review": []}, "review"),
        ({"review": review(review_groups_data=[{"status": "APPROVED"}])}, "review_groups_data"),
        ({"exit_code": "0"}, "exit_code"),
    ],
)
def test_rejects_what_the_contract_does_not_allow(changes, why):
    with pytest.raises(RecordRejected, match=why):
        stated_by("hoop", session(**changes))


def test_the_window_of_a_file_is_the_file():
    (page,) = HoopFile([FIXTURE]).fetch(Window(start=1, end=2), None)
    assert len(page.records) == 3
