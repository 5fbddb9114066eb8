# SPDX-License-Identifier: Apache-2.0

"""Our own records: every type, both spellings of an instant, and errors that name the field."""

import json

import msgspec
import pytest

from app.errors import RecordRejected
from app.records.model import RECORD_CLASSES, RecordType, Session, SessionEvent, record_type
from app.records.redaction import sha256_text
from app.records.times import parse_instant
from tests.connectors.reading import DATA, FIXTURES, all_stated, of, records_of, stated_by

FIXTURE = DATA / FIXTURES["records"]


def test_reads_every_record_type():
    assert {record_type(each) for each in all_stated("records", FIXTURE)} == set(RecordType)


def test_an_instant_is_rfc_3339_or_epoch_milliseconds():
    session = of(Session, all_stated("records", FIXTURE))
    assert session.started_at == parse_instant("2026-08-03T09:10:00.5Z")
    assert session.ended_at == 1_785_748_800_000


def test_a_record_that_we_write_reads_back():
    for each in all_stated("records", FIXTURE):
        value = json.loads(msgspec.json.encode(each))
        assert stated_by("records", value) == (each,)


def test_a_record_is_as_of_what_it_says_or_of_its_latest_past_instant():
    known = {record.key: (record.occurred_at, record.occurred_at_text) for record in records_of("records", FIXTURE)}
    assert known["identity/i-1"] == (parse_instant("2026-08-01T00:00:00Z"), "2026-08-01T00:00:00Z")
    assert known["session/s-1"] == (1_785_748_800_000, None)
    assert known["grant/g-1"] == (parse_instant("2026-08-03T09:00:00Z"), "2026-08-03T09:00:00Z")
    assert known["review/v-1"] == (None, None)
    assert known["ticket/OPS-7"][0] == parse_instant("2026-08-02T12:00:00Z")


def test_commands_are_redacted_whoever_wrote_them():
    event = of(SessionEvent, all_stated("records", FIXTURE))
    assert event.text == "export TOKEN=[redacted]"
    assert event.text_sha256 == sha256_text("export TOKEN=hunter2")
    given = stated_by("records", {"type": "session_event", "id": "e", "text": "ls", "text_sha256": "ab"})
    assert of(SessionEvent, given).text_sha256 == "ab"


@pytest.mark.parametrize("kind", sorted(RecordType))
def test_a_record_may_say_nothing_but_its_id(kind):
    (stated,) = stated_by("records", {"type": kind.value, "id": "x"})
    assert stated == RECORD_CLASSES[kind](id="x")


@pytest.mark.parametrize(
    ("members", "why"),
    [
        ({"type": "sesion"}, "'type' is not a record type"),
        ({"type": None}, "'type' is not a record type"),
        ({"type": ["session"]}, "'type' is not a record type"),
        ({"id": None}, "'id' is missing"),
        ({"id": ""}, "'id' is missing"),
        ({"id": 7}, "'id' is missing"),
        ({"id": "a\nb"}, "'id' cannot serve as an id"),
        ({"id": "x" * 513}, "'id' cannot serve as an id"),
        ({"subjekt": "ana"}, "there is no field 'subjekt'"),
        ({"started_at": "2026-08-03T09:10:00"}, "'started_at'.*is not an instant"),
        ({"started_at": -1}, "'started_at' is neither"),
        ({"started_at": 1e12}, "'started_at' is neither"),
        ({"started_at": True}, "'started_at' is neither"),
        ({"observed_at": "then"}, "'observed_at'"),
        ({"status": "finished" * 50}, "'status': this value is not one of those allowed"),
        ({"grant_ids": ["g", 1]}, r"'grant_ids\[1\]': expected 'str', got 'int'"),
        ({"mfa": "yes"}, "'mfa': expected 'bool"),
        ({"subject": "a\x00b"}, "NUL"),
        ({"exit_code": 1 << 63}, "64 bits"),
        ({"subject": ["ana"]}, "'subject'"),
    ],
)
def test_an_error_names_the_field(members, why):
    with pytest.raises(RecordRejected, match=why) as caught:
        stated_by("records", {"type": "session", "id": "s"} | members)
    assert len(str(caught.value)) < 300


def test_a_nested_error_names_the_whole_path():
    with pytest.raises(RecordRejected, match=r"aliases\[0\]"):
        stated_by("records", {"type": "identity", "id": "i", "aliases": [{"source": 1, "subject": "x"}]})


def test_a_backslash_in_a_command_is_no_nul():
    stated = stated_by("records", {"type": "session_event", "id": "e", "text": "printf '\\u0000'"})
    assert of(SessionEvent, stated).text == "printf '\\u0000'"
