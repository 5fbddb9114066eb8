# SPDX-License-Identifier: Apache-2.0

"""What expressions of the language answer, as tables a reader can check; every line is asked of both engines."""

import duckdb
import msgspec
import pyarrow as pa
import pytest

from app.cel.check import check
from app.cel.errors import BeyondLimit, CelRuntimeError
from app.cel.interpreter import MOST_STEPS, evaluate
from app.cel.sql import to_sql
from app.trails.arrow import arrow_schema
from app.trails.example import example_row

ERROR = "error"
PARAMETERS = {"skew": "60s", "long": "90d", "kinds": ("change", "it's"), "few": 2, "share": 0.95, "word": "ok"}


def both_engines(expression, given, required=()):
    row = example_row("session", given)
    checked = check(expression, row=type(row), parameters=PARAMETERS, required=required)
    table = pa.Table.from_pylist([msgspec.to_builtins(row)], schema=arrow_schema(type(row)))
    with duckdb.connect() as connection:
        connection.register("one", table)
        [(by_sql,)] = connection.execute(f"SELECT {to_sql(checked)} FROM one").fetchall()
    by_oracle = evaluate(checked, row)
    assert by_sql == (None if isinstance(by_oracle, CelRuntimeError) else by_oracle), (by_sql, by_oracle)
    return ERROR if by_sql is None else by_sql


MARCH = {"session": {"started_at": "2026-03-10T10:00:00Z", "ended_at": "2026-03-10T12:00:00Z"}}
APPROVED = {"decision": "approved", "decided_at": "2026-03-10T09:59:00Z", "approver_id": "bea"}
DENIED = {"decision": "denied", "decided_at": None}


@pytest.mark.parametrize(
    ("expression", "given", "answer"),
    [
        # Literals, parameters, comparisons.
        ("true", {}, True),
        ("p.few == 2 && p.few != 3 && p.few < 3 && p.few <= 2 && p.few > 1 && p.few >= 2", {}, True),
        ('p.word == "ok"', {}, True),
        ('session.id == "it\'s"', {"session": {"id": "it's"}}, True),
        ('session.id == "\\u00e9"', {"session": {"id": "é"}}, True),
        ('session.id < "b"', {"session": {"id": "a"}}, True),
        ("session.privileged", {"session": {"privileged": True}}, True),
        ("session.privileged == false", {"session": {"privileged": True}}, False),
        ("session.grant_candidates == -1", {"session": {"grant_candidates": -1}}, True),
        # Presence: a missing value, and a missing view.
        ("grant == null", {}, True),
        ("grant == null", {"grant": {}}, False),
        ("grant != null && grant.role == null", {"grant": {}}, True),
        ("grant != null && has(grant.role)", {"grant": {"role": "dba"}}, True),
        ("grant != null && has(grant.role)", {"grant": {}}, False),
        ('grant == null || grant.id == "g"', {"grant": {"id": "g"}}, True),
        ('has(session.role) ? session.role == "dba" : p.few == 2', {}, True),
        ('has(session.role) ? session.role == "dba" : p.few == 2', {"session": {"role": "x"}}, False),
        ('!has(session.role) || session.role == "dba"', {}, True),
        ("target != null && has(target.data_classes) && size(target.data_classes) == 0", {"target": {}}, False),
        (
            "target != null && has(target.data_classes) && size(target.data_classes) == 0",
            {"target": {"data_classes": []}},
            True,
        ),
        # Instants and durations.
        ("period.end - period.start == p.long", {}, True),
        ("period.end - period.start == duration('2160h')", {}, True),
        ("period.start == timestamp('2026-01-01T00:00:00Z')", {}, True),
        ("period.start == timestamp('2026-01-01T01:00:00.000+01:00')", {}, True),
        ("period.start + p.skew == timestamp('2026-01-01T00:01:00Z')", {}, True),
        ("p.skew + p.skew == duration('1m60s') && p.skew - p.skew == duration('0s')", {}, True),
        ("duration('1h30m') == duration('5400000ms')", {}, True),
        (
            "has(session.started_at) && has(session.ended_at) && session.ended_at - session.started_at <= p.skew",
            MARCH,
            False,
        ),
        ("has(session.max_idle) && session.max_idle <= duration('15m')", {"session": {"max_idle": "10m"}}, True),
        # Numbers.
        ("session.grant_candidates + 1 - p.few == 0", {"session": {"grant_candidates": 1}}, True),
        ("recordings.exists(r, has(r.coverage) && r.coverage >= p.share)", {"recordings": [{"coverage": 0.95}]}, True),
        ("recordings.exists(r, has(r.coverage) && r.coverage >= p.share)", {"recordings": [{"coverage": 0.94}]}, False),
        # Texts.
        (
            'session.id.startsWith("a") && session.id.endsWith("c") && session.id.contains("b")',
            {"session": {"id": "abc"}},
            True,
        ),
        ('session.id.startsWith("%")', {"session": {"id": "abc"}}, False),
        ('session.id.startsWith("A")', {"session": {"id": "abc"}}, False),
        ("size(session.id) == 2", {"session": {"id": "é\U0001f600"}}, True),
        ("session.id.size() == 0", {}, True),
        ('session.id + "|" + session.id == "a|a"', {"session": {"id": "a"}}, True),
        ('size(session.id + "") == 0', {}, True),
        ('(session.id + "hange") in p.kinds', {"session": {"id": "c"}}, True),
        ('(session.id + "hange") in p.kinds', {"session": {"id": "C"}}, False),
        # The clock, in UTC; 2026-03-10 is a Tuesday, 1969-12-31 a Wednesday.
        ("has(session.started_at) && session.started_at.getHours() == 10", MARCH, True),
        ("has(session.started_at) && session.started_at.getDayOfWeek() == 2", MARCH, True),
        ("(period.start - duration('1ms')).getHours() == 23", {}, True),
        ("timestamp('1970-01-04T00:00:00Z').getDayOfWeek() == 0", {}, True),
        ("(timestamp('1970-01-01T00:00:00Z') - duration('1ms')).getHours() == 23", {}, True),
        ("(timestamp('1970-01-01T00:00:00Z') - duration('1ms')).getDayOfWeek() == 3", {}, True),
        # Membership.
        ('"change" in p.kinds && !("x" in p.kinds)', {}, True),
        ('session.status in ["open", "closed"]', {"session": {"status": "closed"}}, True),
        ("grant != null && session.id in grant.target_ids", {"grant": {"target_ids": ["", "b"]}}, True),
        ("grant != null && session.id in grant.target_ids", {"grant": {"target_ids": []}}, False),
        # Macros, also over nothing.
        ('approvals.exists(a, a.decision == "approved")', {}, False),
        ('approvals.exists(a, a.decision == "approved")', {"approvals": [DENIED, APPROVED]}, True),
        ('approvals.all(a, a.decision == "approved")', {}, True),
        ('approvals.all(a, a.decision == "approved")', {"approvals": [DENIED, APPROVED]}, False),
        ('size(approvals.filter(a, a.decision == "approved")) == 1', {"approvals": [DENIED, APPROVED]}, True),
        ('approvals.filter(a, a.decision == "approved").size() == 0', {}, True),
        (
            "approvals.filter(a, has(a.decided_at)).all(b, b.decided_at < period.end)",
            {"approvals": [DENIED, APPROVED]},
            True,
        ),
        (
            "size(approvals) == 2 && size(approvals.filter(a, !has(a.decided_at))) == 1",
            {"approvals": [DENIED, APPROVED]},
            True,
        ),
        (
            "grants.exists(g, approvals.exists(a, a.id in g.target_ids))",
            {"grants": [{"target_ids": ["x"]}, {"target_ids": ["y"]}], "approvals": [{"id": "y"}]},
            True,
        ),
        (
            "target != null && has(target.data_classes) && target.data_classes.exists(c, c in p.kinds)",
            {"target": {"data_classes": ["change"]}},
            True,
        ),
        ("ledger.exists(n, n > 1) && !ledger.all(n, n > 1)", {"ledger": [1, 2]}, True),
        ("size(ledger.filter(n, n + 1 > p.few)) == 1 && p.few in ledger", {"ledger": [1, 2]}, True),
    ],
)
def test_answers(expression, given, answer):
    assert both_engines(expression, given) == answer


LAST = "9999-12-31T23:59:59.999Z"


@pytest.mark.parametrize(
    ("expression", "answer"),
    [
        # Beyond the year 9999, and differences over 292 years, there is no value.
        ("session.started_at + p.skew > period.start", ERROR),
        ("session.started_at + duration('0s') > period.start", True),
        ("session.started_at - period.start > p.skew", ERROR),
        ("session.started_at - duration('876000h') > period.start", True),
        # An error is decided away by the other side, and by nothing else.
        ("session.started_at + p.skew > period.start || true", True),
        ("session.started_at + p.skew > period.start && false", False),
        ("session.started_at + p.skew > period.start || false", ERROR),
        ("!(session.started_at + p.skew > period.start)", ERROR),
        ("session.started_at + p.skew > period.start ? true : true", ERROR),
        # In a macro, one element that decides wins over one that errs.
        ("alerts.exists(a, a.raised_at + p.skew > period.start)", True),
        ("alerts.exists(a, a.raised_at + p.skew < period.start)", ERROR),
        ("alerts.all(a, a.raised_at + p.skew < period.start)", False),
        ("alerts.all(a, a.raised_at + p.skew > period.start)", ERROR),
        ("size(alerts.filter(a, a.raised_at + p.skew > period.start)) == 1", ERROR),
        ("alerts.filter(a, a.raised_at + p.skew > period.start).exists(b, true)", ERROR),
    ],
)
def test_errors_are_never_true_nor_false(expression, answer):
    given = {
        "session": {"started_at": LAST},
        "alerts": [{"raised_at": LAST}, {"raised_at": "2026-02-01T00:00:00Z"}],
    }
    assert both_engines(expression, given, required=("session.started_at", "alerts.raised_at")) == answer


def test_whole_numbers_do_not_wrap_around():
    given = {"session": {"grant_candidates": 2**63 - 1}}
    assert both_engines("session.grant_candidates + 1 > 0", given) == ERROR
    assert both_engines("session.grant_candidates - 1 > 0", given) is True


def test_the_interpreter_does_not_cut_a_text_at_nul():
    row = example_row("session", {"session": {"id": "admin\x00x"}})
    checked = check('session.id == "admin"', row=type(row), parameters={})
    assert evaluate(checked, row) is False


def test_where_the_interpreter_gives_up_it_gives_no_answer() -> None:
    expression = 'approvals.all(a, a.mode != "robot")'
    short, long = (
        example_row("session", {"approvals": [{"mode": "human"}] * count}) for count in (9_000, MOST_STEPS + 1)
    )
    checked = check(expression, row=type(short), parameters={})
    assert evaluate(checked, short) is True
    with pytest.raises(BeyondLimit):
        evaluate(checked, long)
