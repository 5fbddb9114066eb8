# SPDX-License-Identifier: Apache-2.0

"""sudo: an event log in one object with repeated names, and what it cannot say."""

import json

import orjson
import pytest

from app.errors import RecordRejected
from app.records.folding import fold
from app.records.model import Grant, Observation, Recording, Session, SessionEvent
from app.records.redaction import sha256_text
from app.records.times import parse_instant
from tests.connectors.reading import DATA, FIXTURES, all_stated, of, pages_of, records_of, stated_by

FIXTURE = DATA / FIXTURES["sudo"]
COMPACT = DATA / "sudo-compact.jsonl"
LOGGED = "192.0.2.5:/io/00/00/01"


def accept(**members):
    value = {
        "uuid": "u-1",
        "submit_time": {"seconds": 1_785_747_600, "nanoseconds": 500_000_000},
        "command": "/usr/bin/id",
        "runargv": ["id"],
        "runuser": "root",
        "submithost": "web-1",
        "submituser": "ops",
    }
    return value | members


def folded(path):
    observations = [
        Observation(source="sudo", ledger_index=0, observed_at=index, record=each)
        for index, each in enumerate(all_stated("sudo", path))
    ]
    return {(type(each.record), each.record.id): each.record for each in fold(observations)}


def test_keeps_all_events_that_share_a_name():
    assert [record.kind for record in records_of("sudo", FIXTURE)] == [
        "accept", "accept", "reject", "exit", "accept", "reject", "alert",
    ]  # fmt: skip
    assert len(json.loads(FIXTURE.read_text())) == 4  # A plain reader loses three of them.


def test_each_record_is_the_exact_bytes_of_its_event():
    data = FIXTURE.read_bytes()
    for record in records_of("sudo", FIXTURE):
        assert record.raw in data
        assert orjson.loads(record.raw)["uuid"] == record.key.split("/")[0]


@pytest.mark.parametrize("path", [FIXTURE, COMPACT])
def test_a_command_its_sub_commands_and_its_end_are_one_session(path):
    known = folded(path)
    assert known[Session, LOGGED] == Session(
        id=LOGGED,
        subject="ops@web-1",
        subject_kind="unknown",
        run_as="root",
        target="web-1",
        protocol="sudo",
        interactive=True,
        privileged=True,
        started_at=parse_instant("2026-08-03T09:00:00.123Z"),
        ended_at=parse_instant("2026-08-03T09:00:09.5Z"),
        status="closed",
        exit_code=3,
    )
    events = [each for (kind, _), each in known.items() if kind is SessionEvent and each.session_id == LOGGED]
    assert sorted((each.id, each.kind) for each in events) == [
        (f"{LOGGED}/command", "command"),
        ("u-2", "command"),
        ("u-3", "denied"),
    ]
    assert sum(kind is Session for kind, _ in known) == 3


@pytest.mark.parametrize("path", [FIXTURE, COMPACT])
def test_an_io_log_is_a_claim_and_none_is_off(path):
    known = folded(path)
    logged = known[Recording, LOGGED]
    assert (logged.state, logged.kind, logged.location) == ("stored_claimed", "pty", "/io/00/00/01")
    assert logged.ends_at == parse_instant("2026-08-03T09:00:09.5Z")
    assert known[Recording, "u-4"].state == "off"
    assert (Recording, "u-5") not in known


@pytest.mark.parametrize("path", [FIXTURE, COMPACT])
def test_a_refused_command_is_an_attempt(path):
    known = folded(path)
    assert (known[Session, "u-5"].status, known[Session, "u-5"].end_reason) == (
        "failed_attempt",
        "a password is required",
    )
    assert known[SessionEvent, "u-5/command"].outcome == "denied"


@pytest.mark.parametrize("path", [FIXTURE, COMPACT])
def test_the_environment_never_leaves(path):
    assert "SECRET_TOKEN" not in repr(all_stated("sudo", path))
    assert b"SECRET_TOKEN" in records_of("sudo", path)[0].raw


def test_commands_are_redacted_and_the_digest_is_of_the_original():
    event = of(SessionEvent, stated_by("sudo", accept(runargv=["x", "--token", "hunter2 y"]), "accept"))
    assert event.text == "/usr/bin/id --token [redacted]"
    assert event.text_sha256 == sha256_text("/usr/bin/id --token 'hunter2 y'")


def test_the_sudoers_rule_is_a_standing_right():
    stated = stated_by("sudo", accept(source="/etc/sudoers:12:1"), "accept")
    grant = of(Grant, stated)
    assert (grant.basis, grant.subject, grant.role, grant.targets) == ("standing", "ops@web-1", "root", ("web-1",))
    assert of(Session, stated).grant_ids == (grant.id,)


def test_an_older_sudo_does_not_name_its_rule():
    stated = stated_by("sudo", accept(), "accept")
    assert of(Session, stated).grant_ids is None


def test_only_root_is_known_to_be_privileged():
    stated = stated_by("sudo", accept(runuser="www-data", runuid=33), "accept")
    assert of(Session, stated).privileged is None


def test_reads_what_syslog_wraps():
    stated = stated_by("sudo", {"sudo": {"accept": accept()}}, "accept")
    assert of(Session, stated).id == "u-1"


def test_a_cursor_survives_that_sudo_writes_on(tmp_path, monkeypatch):
    """Sudo overwrites the final brace with a comma and the next event."""
    monkeypatch.setattr("app.connectors.files.PAGE_RECORDS", 3)
    path = tmp_path / "sudo-events.json"
    whole = FIXTURE.read_bytes()
    early = whole[: whole.index(b'    "alert"')].rstrip().rstrip(b",")
    path.write_bytes(early + b"\n}\n")
    first, *_ = pages_of("sudo", path)
    path.write_bytes(whole)
    rest = [record for page in pages_of("sudo", path, cursor=first.cursor) for record in page.records]
    assert [*first.records, *rest] == records_of("sudo", FIXTURE)


@pytest.mark.parametrize("ending", [b"", b"\n", b",\n"])
def test_a_log_that_is_being_written_keeps_what_is_whole(tmp_path, ending):
    path = tmp_path / "events.json"
    path.write_bytes(FIXTURE.read_bytes().rstrip().removesuffix(b"}").rstrip() + ending)
    (page,) = pages_of("sudo", path)
    assert len(page.records) == 7
    assert len(page.rejects) == 1


def test_reads_a_log_on_one_line(tmp_path):
    path = tmp_path / "events.json"
    path.write_bytes(b" ".join(FIXTURE.read_bytes().split()))
    assert [record.kind for record in records_of("sudo", path)] == [
        record.kind for record in records_of("sudo", FIXTURE)
    ]


@pytest.mark.parametrize(
    ("members", "why"),
    [
        ({"uuid": ""}, "uuid"),
        ({"submit_time": None}, "submit_time"),
        ({"submit_time": {"seconds": "1"}}, "submit_time"),
        ({"submit_time": {"seconds": 10**15}}, "submit_time"),
        ({"runargv": "id"}, "runargv"),
        ({"runargv": [None, 1]}, "runargv"),
        ({"submituser": 7}, "submituser"),
    ],
)
def test_rejects_what_it_cannot_use(members, why):
    with pytest.raises(RecordRejected, match=why):
        stated_by("sudo", accept(**members), "accept")
