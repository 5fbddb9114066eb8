# SPDX-License-Identifier: Apache-2.0

"""Teleport: what its audit events state, and what must not be taken for what it is not."""

import json

import pytest

from app.errors import RecordRejected
from app.records.model import Approval, Grant, Recording, Session, SessionEvent
from app.records.redaction import sha256_text
from app.records.times import parse_instant
from tests.connectors.reading import DATA, FIXTURES, all_stated, of, pages_of, records_of, stated_by

FIXTURE = DATA / FIXTURES["teleport"]


def event(name, **members):
    return {"event": name, "uid": "u-1", "code": "T0000I", "time": "2026-08-03T09:00:00Z", **members}


def test_a_request_becomes_a_grant_and_its_review_an_approval():
    stated = all_stated("teleport", FIXTURE)
    requested, approved = [each for each in stated if isinstance(each, Grant) and each.id == "r-1"]
    assert requested == Grant(
        id="r-1",
        subject="ana@acme.example",
        requester="ana@acme.example",
        role="prod-dba",
        basis="jit",
        requested_at=parse_instant("2026-08-03T09:00:00Z"),
        expires_at=parse_instant("2026-08-03T13:00:00Z"),
        purpose="OPS-7: rotate password=[redacted]",
        state="requested",
        scope_digest=approved.scope_digest,
    )
    assert (approved.state, approved.starts_at, approved.subject) == (
        "active",
        parse_instant("2026-08-03T09:05:00Z"),
        None,
    )
    approval = of(Approval, stated)
    assert approval.scope_digest == requested.scope_digest is not None
    assert (approval.grant_id, approval.approver, approval.mode, approval.decision) == (
        "r-1",
        "bo@acme.example",
        "human",
        "approved",
    )


def test_a_session_names_its_requests_exactly():
    start, end = [each for each in all_stated("teleport", FIXTURE) if isinstance(each, Session) and each.id == "s-1"]
    assert start == Session(
        id="s-1",
        subject="ana@acme.example",
        subject_kind="human",
        run_as="root",
        target="db-1",
        protocol="ssh",
        interactive=True,
        client_address="198.51.100.7",
        started_at=parse_instant("2026-08-03T09:10:00.123Z"),
        status="open",
        mfa=True,
        grant_ids=("r-1",),
        recording_policy="on",
    )
    assert (end.ended_at, end.status, end.grant_ids) == (parse_instant("2026-08-03T09:19:59.5Z"), "closed", ("r-1",))


def test_a_session_without_a_request_came_in_by_standing_roles():
    stated = stated_by("teleport", event("session.start", sid="s", user="ana", user_roles=["b", "a"]))
    grant = of(Grant, stated)
    assert (grant.basis, grant.subject, grant.role, grant.state) == ("standing", "ana", "a, b", "active")
    assert of(Session, stated).grant_ids == (grant.id,) == ("standing:ana:a,b",)


def test_an_old_event_without_roles_does_not_say_what_let_the_user_in():
    stated = stated_by("teleport", event("session.start", sid="s", user="ana"))
    assert of(Session, stated).grant_ids is None
    assert not any(isinstance(each, Grant) for each in stated)


def test_a_standing_grant_of_endless_roles_keeps_a_short_id():
    roles = [f"role-{number}" for number in range(100)]
    stated = stated_by("teleport", event("session.start", sid="s", user="ana", user_roles=roles))
    assert of(Grant, stated).id.startswith("standing:")
    assert len(of(Grant, stated).id) < 100


@pytest.mark.parametrize("failure", [{"code": "TDB00W"}, {"code": "T2000E"}, {"success": False}])
def test_a_failed_start_is_an_attempt_and_not_an_unrecorded_session(failure):
    start = event("db.session.start", sid="s", user="ana", db_service="db", session_recording="off", **failure)
    stated = stated_by("teleport", start)
    assert of(Session, stated).status == "failed_attempt"
    assert not any(isinstance(each, Recording) for each in stated)


def test_a_rejected_session_is_an_attempt():
    stated = of(Session, stated_by("teleport", event("session.rejected", user="ana", reason="too many sessions")))
    assert (stated.id, stated.status, stated.end_reason) == ("u-1", "failed_attempt", "too many sessions")


@pytest.mark.parametrize(
    ("members", "state"),
    [
        ({"session_recording": "off"}, "off"),
        ({"session_recording": "node"}, "configured"),
        ({"session_recording": "proxy-sync"}, "configured"),
        ({}, None),
    ],
)
@pytest.mark.parametrize("name", ["session.start", "session.end", "db.session.start"])
def test_a_recording_mode_is_what_was_set_up_and_no_recording(name, members, state):
    stated = stated_by("teleport", event(name, sid="s", user="ana", **members))
    found = [each.state for each in stated if isinstance(each, Recording)]
    assert found == ([] if state is None else [state])


def test_only_an_upload_claims_that_a_recording_exists():
    upload = of(Recording, stated_by("teleport", event("session.upload", sid="s", url="s3://b/s.tar")))
    assert (upload.id, upload.state, upload.location) == ("s", "stored_claimed", "s3://b/s.tar")
    assert upload.registered_at == parse_instant("2026-08-03T09:00:00Z")


@pytest.mark.parametrize(("recorded", "state"), [(True, "configured"), (False, "off")])
def test_a_desktop_says_whether_it_was_recorded(recorded, state):
    end = event("windows.desktop.session.end", sid="s", user="ana", desktop_addr="192.0.2.1:3389", recorded=recorded)
    stated = stated_by("teleport", end)
    assert (of(Recording, stated).state, of(Recording, stated).kind) == (state, "video")
    assert (of(Session, stated).target, of(Session, stated).protocol) == ("192.0.2.1", "rdp")


def test_a_bot_that_approves_is_no_person():
    review = event("access_request.review", id="r", proposed_state="APPROVED", reviewer="@teleport-access-approval-bot")
    assert of(Approval, stated_by("teleport", review)).mode == "automatic"


def test_a_review_that_a_plugin_hands_in_is_only_asserted():
    review = event("access_request.review", id="r", proposed_state="DENIED", reviewer="bo", submitted_by="slack-plugin")
    approval = of(Approval, stated_by("teleport", review))
    assert (approval.mode, approval.decision, approval.approver) == ("asserted", "denied", "bo")


def test_a_review_has_a_reviewer_and_its_user_is_not_the_requester():
    review = event(
        "access_request.review", id="r", proposed_state="APPROVED", reviewer="bo", user="bo", state="PENDING"
    )
    stated = stated_by("teleport", review)
    assert of(Approval, stated).approver == "bo"
    assert (of(Grant, stated).subject, of(Grant, stated).starts_at) == (None, None)


def test_an_update_without_a_review_is_a_decision_of_who_updated():
    stated = stated_by("teleport", event("access_request.update", id="r", state="APPROVED", updated_by="bo"))
    assert (of(Approval, stated).approver, of(Approval, stated).mode) == ("bo", "human")
    named = event("access_request.update", id="r", state="APPROVED", updated_by="plugin", delegator="bo")
    assert of(Approval, stated_by("teleport", named)).mode == "asserted"


@pytest.mark.parametrize("never", ["0001-01-01T00:00:00Z", "", None])
def test_a_zero_time_means_never(never):
    created = event("access_request.create", id="r", user="ana", roles=["x"], expires=never, max_duration=never)
    assert of(Grant, stated_by("teleport", created)).expires_at is None


def test_an_approval_may_start_later():
    update = event(
        "access_request.update", id="r", state="APPROVED", updated_by="bo", assume_start_time="2026-08-04T09:00:00Z"
    )
    assert of(Grant, stated_by("teleport", update)).starts_at == parse_instant("2026-08-04T09:00:00Z")


def test_a_request_expires_and_a_promoted_one_is_superseded():
    expired = of(Grant, stated_by("teleport", event("access_request.expire", id="r")))
    assert (expired.state, expired.end_reason) == ("ended", "expired")
    promoted = of(Grant, stated_by("teleport", event("access_request.update", id="r", state="PROMOTED")))
    assert (promoted.state, promoted.end_reason) == ("ended", "superseded")


def test_a_request_for_resources_names_them():
    created = event(
        "access_request.create",
        id="r",
        user="ana",
        resource_ids=[{"cluster": "acme", "kind": "node", "name": "n-1"}],
        assume_start_time="0001-01-01T00:00:00Z",
    )
    grant = of(Grant, stated_by("teleport", created))
    assert (grant.targets, grant.scope_level) == (("n-1",), "resource")


def test_commands_are_redacted():
    events = [each for each in all_stated("teleport", FIXTURE) if isinstance(each, SessionEvent)]
    assert [each.kind for each in events] == ["command", "join", "query"]
    assert events[0].text == "/usr/bin/psql -c 'alter role app password [redacted]'"
    assert events[0].seq == 4


def test_a_kube_exec_without_a_terminal_states_its_session():
    run = event("exec", sid="s", user="ana", proto="kube", kubernetes_cluster="prod", command="cat /x", exitCode="1")
    stated = stated_by("teleport", run | {"code": "T3002E"})
    assert (of(Session, stated).target, of(Session, stated).exit_code) == ("prod", 1)
    assert (of(SessionEvent, stated).outcome, of(SessionEvent, stated).text_sha256) == ("error", sha256_text("cat /x"))
    plain = stated_by("teleport", run | {"proto": "ssh"})
    assert not any(isinstance(each, Session) for each in plain)


@pytest.mark.parametrize(
    ("members", "kind"),
    [
        ({"user_kind": 1}, "human"),
        ({"user_kind": 2}, "workload"),
        ({"user_kind": 3}, "system"),
        ({"user_kind": "USER_KIND_BOT"}, "workload"),
        ({"bot_name": "ci"}, "workload"),
        ({}, None),
    ],
)
def test_tells_people_from_bots(members, kind):
    assert of(Session, stated_by("teleport", event("session.start", sid="s", user="x", **members))).subject_kind == kind


def test_events_outside_a_session_state_nothing():
    for name in ("scp", "sftp", "user.login", "session.recording.access", "cert.create", "lock.created"):
        assert stated_by("teleport", event(name, sid="", user="ana", path="/x")) == ()


def test_missing_event_numbers_prove_nothing():
    pages = pages_of("teleport", FIXTURE)
    assert [page.gaps for page in pages] == [()]


@pytest.mark.parametrize(
    ("name", "members", "why"),
    [
        ("session.start", {"sid": None}, "sid"),
        ("session.start", {"sid": "s", "time": "2023-09-18 11:22:33"}, "time"),
        ("session.start", {"sid": "s", "time": None}, "time"),
        ("session.start", {"sid": "s", "user": {"user": "x"}}, "user"),
        ("session.start", {"sid": "s", "access_requests": [1]}, "access_requests"),
        ("access_request.create", {"id": ""}, "id"),
        ("access_request.create", {"id": "r", "expires": "soon"}, "expires"),
    ],
)
def test_rejects_what_it_cannot_use(name, members, why):
    with pytest.raises(RecordRejected, match=why):
        stated_by("teleport", event(name) | members)


def test_a_bad_time_of_an_event_that_states_nothing_does_no_harm(tmp_path):
    path = tmp_path / "x.jsonl"
    path.write_text(json.dumps(event("user.login", user="a") | {"time": "2023-09-18 00:00:00"}))
    (record,) = records_of("teleport", path)
    assert (record.occurred_at, record.occurred_at_text) == (None, "2023-09-18 00:00:00")


def test_an_event_without_uid_is_named_by_its_digest(tmp_path):
    path = tmp_path / "x.jsonl"
    path.write_text('{"event":"cert.create","code":"TC000I","time":"2026-08-03T09:00:00Z"}\n')
    (record,) = records_of("teleport", path)
    assert record.key == f"sha256:{record.raw_sha256}"


def test_reads_what_the_web_api_answers(tmp_path):
    path = tmp_path / "x.json"
    events = [event("user.login", user="a"), event("session.upload", sid="s") | {"uid": "u-2"}]
    path.write_text(json.dumps({"events": events, "startKey": "x"}))
    assert [record.kind for record in records_of("teleport", path)] == ["user.login", "session.upload"]
