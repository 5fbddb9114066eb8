# SPDX-License-Identifier: Apache-2.0

"""PostgreSQL: sessions, statements and logins from jsonlog with pgaudit, and the proof that lines are missing."""

import json

import pytest

from app.connectors.base import SequenceGap
from app.connectors.postgresql.pgaudit import parse_audit
from app.connectors.sequences import Sequences
from app.errors import RecordRejected
from app.records.folding import fold
from app.records.model import AccessEvent, Observation, Recording, Session, SessionEvent
from app.records.redaction import sha256_text
from app.records.times import parse_instant
from tests.connectors.reading import DATA, FIXTURES, all_stated, of, pages_of, records_of, stated_by

FIXTURE = DATA / FIXTURES["postgresql"]


def line(number=2, message="AUDIT: SESSION,1,1,READ,SELECT,,,select 1,<none>", **members):
    value = {
        "timestamp": "2026-08-03 09:10:01.000 UTC",
        "user": "ana",
        "dbname": "billing",
        "remote_host": "192.0.2.1",
        "session_id": "1.1",
        "line_num": number,
        "session_start": "2026-08-03 09:10:00 UTC",
        "error_severity": "LOG",
        "message": message,
    }
    return value | members


def written(tmp_path, *lines):
    path = tmp_path / "x.jsonl"
    path.write_text("".join(json.dumps(each) + "\n" for each in lines))
    return path


def test_reads_a_session_from_its_login_to_its_end():
    observations = [
        Observation(source="pg", ledger_index=0, observed_at=index, record=each)
        for index, each in enumerate(all_stated("postgresql", FIXTURE))
    ]
    known = {(type(each.record), each.record.id): each.record for each in fold(observations)}
    assert known[Session, "68000010.20"] == Session(
        id="68000010.20",
        subject="v-ana-1",
        run_as="v-ana-1",
        target="billing",
        protocol="postgresql",
        client_address="127.0.0.1",
        started_at=parse_instant("2026-08-03T09:10:00.608Z"),
        ended_at=parse_instant("2026-08-03T09:10:04.614Z"),
        status="closed",
    )
    assert known[AccessEvent, "68000010.20"] == AccessEvent(
        id="68000010.20",
        at=parse_instant("2026-08-03T09:10:00.610Z"),
        target="billing",
        account="v-ana-1",
        client_address="127.0.0.1",
        method="scram-sha-256",
    )
    recording = known[Recording, "68000010.20"]
    assert (recording.state, recording.kind) == ("stored_claimed", "query_log")


def test_statements_are_parsed_redacted_and_numbered():
    events = [each for each in all_stated("postgresql", FIXTURE) if isinstance(each, SessionEvent)]
    assert [(each.id, each.kind, each.outcome, each.rows) for each in events] == [
        ("68000010.20/4", "query", None, None),
        ("68000010.20/5", "query", None, 3),
        ("68000010.20/6", "denied", "denied", None),
    ]
    assert events[0].text == 'select "id",\n  amount\nfrom invoices'
    assert events[1].text == "alter role app password [redacted]"
    assert events[1].text_sha256 == sha256_text("alter role app password 'hunter2'")


def test_a_refused_login_is_an_attempt():
    refused = line(message='password authentication failed for user "ana"', error_severity="FATAL", state_code="28P01")
    assert of(Session, stated_by("postgresql", refused)).status == "failed_attempt"


def test_a_failed_statement_is_an_event_of_its_own():
    failed = line(message="syntax error", error_severity="ERROR", state_code="42601", statement="selec 1")
    assert of(SessionEvent, stated_by("postgresql", failed)).outcome == "error"


def test_a_log_without_connection_lines_still_has_its_sessions():
    stated = stated_by("postgresql", line())
    assert (of(Session, stated).subject, of(Session, stated).started_at) == ("ana", None)
    later = stated_by("postgresql", line(message="AUDIT: SESSION,2,1,READ,SELECT,,,select 2,<none>"))
    assert [type(each) for each in later] == [SessionEvent]


@pytest.mark.parametrize(
    "message", ["checkpoint starting: time", "duration: 3 ms", "connection received: host=127.0.0.1 port=1"]
)
def test_other_lines_state_nothing_and_are_no_rejects(message):
    assert stated_by("postgresql", line(message=message)) == ()
    background = line()
    del background["user"]
    assert stated_by("postgresql", background) == ()


@pytest.mark.parametrize(
    ("text", "statement", "rows"),
    [
        ("SESSION,1,1,READ,SELECT,,,select 1,<not logged>", "select 1", None),
        ('SESSION,1,1,READ,SELECT,TABLE,public.t,"select ""a"", b",<none>', 'select "a", b', None),
        ('OBJECT,1,2,WRITE,UPDATE,TABLE,"public.""a,b""","update\n\tx",<none>,7', "update\n\tx", 7),
        ("SESSION,1,1,READ,SELECT,,,<not logged>,<not logged>", None, None),
        ("SESSION,1,1,READ,SELECT,,,<previously logged>,<previously logged>", None, None),
        ("SESSION,1,1,READ,SELECT,,,select 1,a,b,c", "select 1", None),
        ("SESSION,1,1,MISC,BEGIN,,,,", "", None),
    ],
)
def test_parses_the_fields_of_pgaudit(text, statement, rows):
    entry = parse_audit(text)
    assert entry is not None
    assert (entry.statement, entry.rows) == (statement, rows)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "SESSION,1,1,READ",
        "OTHER,1,1,READ,SELECT,,,select 1,<none>",
        "SESSION,x,1,READ,SELECT,,,select 1,<none>",
        'SESSION,1,1,READ,SELECT,,,"select 1,<none>',
        'SESSION,1,1,READ,SELECT,,,sel"ect 1,<none>',
        'SESSION,1,1,READ,SELECT,,,"a"b,<none>',
    ],
)
def test_what_is_not_pgaudit_is_not_taken_for_it(text):
    assert parse_audit(text) is None
    with pytest.raises(RecordRejected, match="AUDIT"):
        stated_by("postgresql", line(message=f"AUDIT: {text}"))


def test_parses_hostile_quotes_in_linear_time():
    assert parse_audit('SESSION,1,1,READ,SELECT,,,"' + '""' * 500_000 + '",<none>') is not None
    assert parse_audit('SESSION,1,1,READ,SELECT,,,"' + '""' * 500_000) is None


@pytest.mark.parametrize(
    ("numbers", "gaps"),
    [
        ([1, 2, 3], []),
        ([1, 3], [(2, 2)]),
        ([1, 2, 6, 9, 10], [(3, 5), (7, 8)]),
        ([3, 4], [(1, 2)]),
        ([3, 1, 2], []),
        ([1, 2, 1, 2], []),
    ],
)
def test_a_missing_line_number_is_a_proven_gap(tmp_path, numbers, gaps):
    opening = line(1, message="ready", session_id="0.1", timestamp="2026-08-03 09:00:00.000 UTC")
    (page,) = pages_of("postgresql", written(tmp_path, opening, *(line(number) for number in numbers)))
    expected = [
        SequenceGap(what="line_num of session 1.1", first_missing=first, last_missing=last) for first, last in gaps
    ]
    assert list(page.gaps) == expected


def test_a_session_that_began_before_the_file_has_its_first_lines_elsewhere(tmp_path):
    (page,) = pages_of("postgresql", written(tmp_path, line(7), line(8)))
    assert page.gaps == ()


def test_lines_spread_over_files_in_any_order_are_no_gap(tmp_path):
    parts = []
    for number, span in enumerate([(1, 2), (5, 6), (3, 4)]):
        parts.append(tmp_path / f"{number}.jsonl")
        parts[-1].write_text("".join(json.dumps(line(each)) + "\n" for each in span))
    (page,) = pages_of("postgresql", *parts)
    assert page.gaps == ()


def test_whole_sequences_are_forgotten_and_gaps_are_limited():
    sequences = Sequences("n of")
    for number in range(1, 4):
        sequences.see("a", number, began_here=True)
    sequences.close("a")
    assert sequences._seen == {}
    for number in range(1, 5000, 2):
        sequences.see("b", number, began_here=True)
    gaps = sequences.gaps()
    assert len(gaps) == 1000
    assert gaps[-1].what == "n of b, and more"


@pytest.mark.parametrize(
    ("members", "why"),
    [
        ({"timestamp": "2026-08-03 09:10:01.000 CEST"}, "log_timezone"),
        ({"timestamp": None}, "timestamp"),
        ({"session_id": ""}, "session_id"),
        ({"dbname": 1}, "dbname"),
    ],
)
def test_rejects_what_it_cannot_use(members, why):
    with pytest.raises(RecordRejected, match=why):
        stated_by("postgresql", line() | members)


@pytest.mark.parametrize("number", [None, 0, -1, "1", True])
def test_a_line_without_its_number_is_rejected_when_it_is_read(tmp_path, number):
    (page,) = pages_of("postgresql", written(tmp_path, line(1), line(number)))
    assert [reject.locator for reject in page.rejects] == ["x.jsonl:2"]
    assert len(records_of("postgresql", tmp_path / "x.jsonl")) == 1
