# SPDX-License-Identifier: Apache-2.0

"""Every field that an expression looks at is named, whatever stands between."""

import pytest

from app.cel.check import check_types
from app.cel.reads import reads
from app.trails.populations import SessionRow

CASES = {
    "session.status == 'closed'": {"session", "session.status"},
    "has(session.subject) && true": {"session", "session.subject"},
    "session.subject == null": {"session", "session.subject"},
    "approvals.exists(a, a.mode == 'human')": {"approvals", "approvals.mode"},
    "size(approvals) == 0": {"approvals"},
    "size(events.filter(e, e.privileged == true)) > 0": {"events", "events.privileged"},
    "events.filter(e, e.kind == 'query').all(q, q.text_sha256 != null)": {
        "events",
        "events.kind",
        "events.text_sha256",
    },
    "events.exists(e, e.flags.exists(f, f.rule == 'a'))": {"events", "events.flags", "events.flags.rule"},
    "events.exists(e, approvals.exists(a, a.approver == e.tool))": {
        "events",
        "events.tool",
        "approvals",
        "approvals.approver",
    },
    "session.mfa == true ? session.role == 'a' : session.via == 'b'": {
        "session",
        "session.mfa",
        "session.role",
        "session.via",
    },
    "account != null && account.name in ['a', session.protocol]": {
        "account",
        "account.name",
        "session",
        "session.protocol",
    },
    "size(session.id + session.status) > 3": {"session", "session.id", "session.status"},
    "true": set(),
}


@pytest.mark.parametrize(("expression", "expected"), CASES.items(), ids=CASES.keys())
def test_every_field_that_is_looked_at_is_named(expression: str, expected: set[str]) -> None:
    assert reads(check_types(expression, row=SessionRow, parameters={}).tree) == expected
