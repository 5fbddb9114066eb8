# SPDX-License-Identifier: Apache-2.0

"""The vendors' own samples, where a checkout has them: every record is accepted, unused or rejected, and counted."""

import re
from collections import Counter

import pytest

from app.connectors.base import Window
from app.connectors.postgresql.pgaudit import parse_audit
from app.connectors.registry import open_files
from app.errors import InvalidInput, RecordRejected
from app.records.folding import fold
from app.records.model import Approval, Grant, Observation, Session


def census(name, path):
    """Return (accepted, unused, rejected) source records, and the access records by kind."""
    connector = open_files(name, [path])
    counts, kinds = Counter(), Counter()
    for page in connector.fetch(Window(), None):
        counts["rejected"] += len(page.rejects)
        for record in page.records:
            try:
                stated = connector.normalize(record)
            except RecordRejected:
                counts["rejected"] += 1
                continue
            counts["accepted" if stated else "unused"] += 1
            kinds.update(type(each).__name__ for each in stated)
    return (counts["accepted"], counts["unused"], counts["rejected"]), dict(kinds)


@pytest.mark.parametrize(
    ("name", "file", "counts", "kinds"),
    [
        (
            "teleport",
            "teleport/gravitational-webapps.audit-fixtures.jsonl",
            (16, 93, 1),
            {"SessionEvent": 5, "Grant": 1, "Approval": 1, "Session": 11, "Recording": 1},
        ),
        # One use of a file has no id of its own. In the next, one session start has a time without a zone.
        (
            "teleport",
            "teleport/panther-analysis.Gravitational.TeleportAudit.jsonl",
            (8, 9, 1),
            {"SessionEvent": 8},
        ),
        (
            "openbao",
            "live-captured/openbao-2.7.2.file-audit.jsonl",
            (38, 62, 0),
            {"Grant": 37, "Approval": 2, "Credential": 2},
        ),
        (
            "postgresql",
            "live-captured/postgres15-pgaudit.jsonlog.jsonl",
            (22, 17, 0),
            {"Session": 8, "SessionEvent": 17, "AccessEvent": 3, "Recording": 3},
        ),
        (
            "sudo",
            "live-captured/sudo-1.9.13p3.logsrvd-events.json",
            (7, 0, 0),
            {"Session": 5, "SessionEvent": 5, "Recording": 4},
        ),
    ],
)
def test_counts_of_the_samples(samples, name, file, counts, kinds):
    assert census(name, samples / file) == (counts, kinds)


def test_the_captured_story_is_one_chain(samples):
    """Request, second-person approval and lease of the live capture join exactly."""
    connector = open_files("openbao", [samples / "live-captured/openbao-2.7.2.file-audit.jsonl"])
    observations = [
        Observation(source="bao", ledger_index=0, observed_at=record.occurred_at or 0, record=each)
        for page in connector.fetch(Window(), None)
        for record in page.records
        for each in connector.normalize(record)
    ]
    known = [each.record for each in fold(observations)]
    (lease,) = [each for each in known if isinstance(each, Grant) and each.basis == "lease"]
    (approval,) = [each for each in known if isinstance(each, Approval)]
    assert (approval.grant_id, approval.decision, approval.approver) == (lease.id, "approved", "userpass-bob")
    assert (lease.subject, lease.role) == ("userpass-alice", "billing-ro")
    assert approval.decided_at <= lease.starts_at
    assert lease.credential_ref.startswith("hmac-sha256:77096b21")


def test_the_leased_user_of_the_capture_has_its_session(samples):
    connector = open_files("postgresql", [samples / "live-captured/postgres15-pgaudit.jsonlog.jsonl"])
    pages = list(connector.fetch(Window(), None))
    assert [page.gaps for page in pages] == [()]
    stated = [each for page in pages for record in page.records for each in connector.normalize(record)]
    leased = [each for each in stated if isinstance(each, Session) and (each.run_as or "").startswith("v-userpass-")]
    assert {each.id for each in leased} == {"6b015206.6e1a"}


def test_parses_the_expected_output_of_pgaudits_own_tests(samples):
    text = (samples / "pgaudit/pgaudit.expected.out").read_text()
    messages = re.findall(r'^NOTICE:  AUDIT: ((?:"(?:[^"]|"")*"|[^"\n])*)$', text, re.MULTILINE)
    entries = [parse_audit(message) for message in messages]
    assert len(entries) == text.count("NOTICE:  AUDIT: ") > 100
    assert None not in entries


def test_an_io_log_is_not_an_event_log(samples):
    with pytest.raises(InvalidInput, match="I/O log"):
        census("sudo", samples / "sudo/iolog-log_json-id.json")
