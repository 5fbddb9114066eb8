# SPDX-License-Identifier: Apache-2.0

"""What is refused, where, and with which hint; and the proof that no field is read while it is missing."""

import pytest

from app.cel.check import MAX_DEPTH, MAX_LENGTH, CelError, check
from app.trails.populations import GrantRow, SessionRow

PARAMETERS = {"skew": "60s", "kinds": ("change",), "few": 2, "share": 0.5, "word": "ok"}


def refusal(expression, required=(), row=SessionRow):
    with pytest.raises(CelError) as caught:
        check(expression, row=row, parameters=PARAMETERS, required=required)
    return caught.value


@pytest.mark.parametrize(
    ("expression", "line", "column", "message", "hint"),
    [
        # Names.
        ("sesion.privileged", 1, 7, "there is no 'sesion' in this row", "Did you mean 'session'?"),
        ("session.privilegd", 1, 8, "SessionView has no field 'privilegd'", "Did you mean 'privileged'?"),
        ("p.skw > p.skew", 1, 2, "there is no parameter 'skw'", "Did you mean 'skew'?"),
        ("approvals.exists(a, a.decisoin == 'x')", 1, 22, "ApprovalView has no field 'decisoin'", "'decision'"),
        # Types.
        ("true\n  && period.end - period.start < 5", 2, 32, "'<' is not available for (duration, int)", "duration("),
        ("p.share > 1", 1, 9, "'>' is not available for (double, int)", "1.0"),
        ("session.id", 1, 1, "does not come to true or false", "Compare"),
        ("duration(p.skew) < p.skew", 1, 9, "duration() takes a literal", "p.name"),
        ("duration('1d') < p.skew", 1, 9, "duration() takes a literal", "8h"),
        ("timestamp('2026-01-01') < period.end", 1, 10, "timestamp() takes a literal", "RFC 3339|from 1970"),
        ("timestamp('2026-01-01T00:00:00.123456Z') < period.end", 1, 10, "timestamp() takes", "milliseconds"),
        # Null.
        ("session.id != null", 1, 12, "'!=' is not available for (string, null)", "Only a field that may be missing"),
        ("session.started_at != null && session != null", 1, 39, "'session' is never missing", "Leave"),
        ("has(session.id)", 1, 4, "'session.id' is never missing", "Leave has() out"),
        ("size(approvals) == null", 1, 17, "'==' is not available for (int, null)", "Only a field"),
        ("workflow != null && workflow.approver_ids == null", 1, 43, "'==' is not available", "has(x.list)"),
        # Syntax.
        ("session.privileged &&", 1, 22, "syntax error", "brackets"),
        ("(session.privileged", 1, 20, "syntax error", "brackets"),
        ("   ", 1, 1, "is empty", "true"),
        # Valid CEL that is not in the language.
        ("session.id.matches('a+')", 1, 19, "'matches()' is not part", "startsWith"),
        ("approvals[0].id == 'a'", 1, 10, "'[]' is not part", "exists"),
        ("p.few * 2 == 4", 1, 7, "'*' is not part", "+ and -"),
        ("-p.few == 2", 1, 1, "'-' is not part", "0 - x"),
        ("approvals.map(a, a.id).size() > 0", 1, 14, "this macro is not part", "exists, all"),
        ("approvals.exists_one(a, true)", 1, 21, "this macro is not part", "size(x.filter(v, c)) == 1"),
        ("{'a': 1}.a == 1", 1, 1, "maps and messages", ""),
        ("google.protobuf.Duration{seconds: 1} == p.skew", 1, 1, "maps and messages", ""),
        ("b'a' == b'a'", 1, 1, "this kind of literal", ""),
        ("1u == 1u", 1, 1, "this kind of literal", ""),
        ("session.id - 'x' == 'a'", 1, 12, "'-' is not available", "same type"),
        ("(p.few + 1) in [3]", 1, 13, "on the left of 'in'", ""),
        ("session.id in []", 1, 15, "the list is empty", ""),
        ("approvals == approvals", 1, 11, "does not compare views or lists", "ids"),
        ("(p.few == 2) == (p.few == 2)", 1, 14, "does not compare conditions", "&&"),
        ("period.start.getHours('Europe/Paris') == 1", 1, 22, "answers in UTC only", "zone"),
        ("p.skew.getHours() == 1", 1, 16, "asks an instant", "started_at"),
        ("period.start.getMinutes() == 1", 1, 24, "'getMinutes()' is not part", ""),
        ("approvals.exists(session, true)", 1, 17, "the name 'session' is already taken", "else"),
        ("[1, 2].exists(x, x > 1)", 1, 1, "a list can only stand on the right of 'in'", ""),
        ("type(1) == int", 1, 5, "'type()' is not part", ""),
        ("dyn(session.id) == 1", 1, 4, "'dyn()' is not part", ""),
    ],
)
def test_refused_with_a_place_and_a_hint(expression, line, column, message, hint):
    error = refusal(expression)
    assert message in error.message
    assert any(part in error.hint for part in hint.split("|"))
    assert (error.line, error.column) == (line, column)
    assert error.hint


@pytest.mark.parametrize(
    ("expression", "column", "hint"),
    [
        # From SQL and Python.
        ("session.id == 'a' and session.id == 'b'", 19, "&&, || and !"),
        ("session.status not in ['open']", 16, "!(x in [...])"),
        ("!session.status in ['open']", 1, "!(x in [...])"),
        ("session.status in ('open', 'closed')", 26, "square brackets"),
        ("session.id = 'a'", 12, "=="),
        ("session.id <> 'a'", 13, "!="),
        ("session.role IS NOT NULL", 14, "x.y != null"),
        ("session.role == None", 17, "null"),
        ("session.privileged == True", 23, "true"),
        ("session.id like 'a%'", 12, "startsWith"),
        ("if session.privileged then true", 1, "condition ? a : b"),
        ("1 < p.few < 3", 11, "a < b && b < c"),
        ("len(approvals) > 1", 4, "size(x)"),
        ("approvals.any(a, true)", 14, "exists"),
        ("approvals.length > 1", 10, "size("),
        ("approvals.id == 'a'", 10, "exists("),
        ("approvals.contains('a')", 19, "x in list"),
        ("'a' in approvals", 5, "a.id == x"),
        ("approvals.exists(a => a.id == 'a')", 20, "Name the element first"),
        ("approvals.exists(a.id == 'a')", 17, "Name the element first"),
        ("approvals.exists(i, a, true)", 17, "Name the element first"),
        ("session['id'] == 'a'", 8, "x.name"),
        ("session.privileged && session.role", 20, "conditions"),
        # Instants and durations.
        ("period.end - period.start < 90d", 31, "duration('8h')"),
        ("period.end < '2026-01-01T00:00:00Z'", 12, "timestamp("),
        ("period.end > p.skew", 12, "difference of two instants"),
        ("period.end < now()", 17, "period.as_of"),
        ("p.skew * 2 > p.skew", 8, "+ and -"),
        ("-p.skew < p.skew", 1, "a - b"),
        # What CEL and its libraries have.
        ("has(grant)", 5, "x != null"),
        ("approvals.exists(a, has(a))", 25, "x != null"),
        ("waivers.exists(w, has(w.test_ids[0]))", 33, "has(x.y)"),
        ("grant.?role.orValue('') == 'a'", 1, "null"),
        ("'a' in approvals.map(a, a.id)", 21, "x.exists(v, v.id == y)"),
        ("size({'a': 1}) == 1", 6, "language"),
        ("'a' in {'a': 1}", 8, "language"),
        ("(session.privileged ? 1 : 'a') == 1", 21, "same type"),
        ("session.id in [['a']]", 12, "no lists"),
        ("[[1]].exists(x, size(x) > 0)", 1, "x in [a, b]"),
        ("p.kinds.exists(k, k == 'a')", 15, "x in p.name"),
        ("session.id.lowerAscii() == 'a'", 22, "spellings"),
        ("session.id.split(',').size() == 1", 17, "startsWith"),
        ("string(p.few) == '2'", 7, "own type"),
        ("period.start.getFullYear() == 2026", 25, "getHours()"),
        ("math.greatest(1, 2) == 2", 14, "language"),
    ],
)
def test_what_comes_naturally_elsewhere_gets_a_hint_of_its_own(expression, column, hint):
    error = refusal(expression)
    assert hint in error.hint
    assert (error.line, error.column) == (1, column)


@pytest.mark.parametrize(
    "expression",
    [
        "true" + " " * MAX_LENGTH,
        "(" * 2_000 + "true" + ")" * 1_000,
        "(" * (MAX_DEPTH + 1) + "true" + ")" * (MAX_DEPTH + 1),
        "!" * 3_000 + "true",
        "true ? " * 500 + "true",
        "[" * 1_500 + "]" * 1_500 + " == null",
        "p.few == " + "1 + " * 400 + "1",
        " || ".join(["p.few == 2"] * 300),
        "true \x00 && true",
        "session.id == '\ud800'",
        "session.id == '" + "\\u0000" + "'",
        "approvals.exists(a, " * 60 + "true" + ")" * 60,
        "session" + ".x" * 1_900,
        "'" + "a" * 3_000,
        "\u202e" * 1_000,
    ],
)
def test_hostile_texts_are_refused_and_do_no_harm(expression):
    assert refusal(expression).hint


def test_nested_conditions_cannot_blow_up_the_sql():
    grown = "p.few"
    for _ in range(12):
        grown = f"(p.few + 1 == {grown} ? 1 : 2)"
    assert "complex" in refusal(f"p.few == {grown}").message


@pytest.mark.parametrize(
    ("expression", "required"),
    [
        # By guard: && has, != null; || == null, !has; ?: either way; not of or.
        ("has(session.role) && session.role == 'x'", ()),
        ("session.role != null && session.role == 'x'", ()),
        ("session.role == null || session.role == 'x'", ()),
        ("!has(session.role) || session.role == 'x'", ()),
        ("has(session.role) ? session.role == 'x' : false", ()),
        ("session.role == null ? true : session.role == 'x'", ()),
        ("!(session.role == null || session.subject == null) && session.role == session.subject", ()),
        ("grant != null && has(grant.role) && grant.role == 'x'", ()),
        ("grant == null || (grant.role == null || grant.role == 'x')", ()),
        ("(grant == null || !has(grant.role)) || grant.role == 'x'", ()),
        ("grant != null && grant.id == 'x'", ()),
        # By what is required, also of every element of a list, and of what is on the way.
        ("session.role == 'x'", ("session.role",)),
        ("grant.id == 'x'", ("grant",)),
        ("grant.id == 'x' && grant.role == 'y'", ("grant.role",)),
        ("approvals.all(a, a.decided_at < period.end)", ("approvals.decided_at",)),
        ("approvals.filter(a, a.id != '').all(b, b.decided_at < period.end)", ("approvals.decided_at",)),
        # Inside macros, and by the filter before.
        ("approvals.all(a, has(a.decided_at) && a.decided_at < period.end)", ()),
        ("approvals.filter(a, has(a.decided_at)).all(b, b.decided_at < period.end)", ()),
        ("approvals.filter(a, has(a.decided_at)).filter(b, b.id != '').exists(c, c.decided_at < period.end)", ()),
        ("grant != null && approvals.exists(a, a.id == grant.id)", ()),
    ],
)
def test_proved_safe(expression, required):
    assert check(expression, row=SessionRow, parameters=PARAMETERS, required=required).null_safe


@pytest.mark.parametrize(
    ("expression", "required", "field", "column"),
    [
        ("session.role == 'x'", (), "session.role", 8),
        ("session.role != 'x'", (), "session.role", 8),
        ("'x' == session.role", (), "session.role", 15),
        ("session.role in p.kinds", (), "session.role", 8),
        ("'x' in [session.role]", (), "session.role", 16),
        ("size(session.role) > 0", (), "session.role", 13),
        ("session.mfa", (), "session.mfa", 8),
        ("!session.mfa", (), "session.mfa", 9),
        ("session.mfa || true", (), "session.mfa", 8),
        # The guard must come first, on the right side, of the right field.
        ("session.role == 'x' && has(session.role)", (), "session.role", 8),
        ("has(session.role) || session.role == 'x'", (), "session.role", 29),
        ("session.role == null && session.role == 'x'", (), "session.role", 32),
        ("has(session.subject) && session.role == 'x'", (), "session.role", 32),
        ("(has(session.role) || p.few == 2) && session.role == 'x'", (), "session.role", 45),
        ("has(session.role) ? true : session.role == 'x'", (), "session.role", 35),
        ("!(has(session.role) && p.few == 2) || session.role == session.subject", (), "session.subject", 62),
        ("(has(session.role) && p.few == 2) || session.role == 'x'", (), "session.role", 45),
        # Through a view that may be missing.
        ("grant.id == 'x'", (), "grant", 6),
        ("has(grant.role)", (), "grant", 4),
        ("grant.role == null", (), "grant", 6),
        ("grant != null && grant.role == 'x'", (), "grant.role", 23),
        ("grant.role == 'x'", ("grant",), "grant.role", 6),
        # A guard of one element is none of another; what is required of one list is not of another.
        (
            "approvals.exists(a, has(a.decided_at)) && approvals.exists(b, b.decided_at < period.end)",
            (),
            "b.decided_at",
            64,
        ),
        ("approvals.filter(a, a.id != '').all(b, b.decided_at < period.end)", (), "b.decided_at", 41),
        ("alerts.all(a, a.raised_at < period.end)", ("approvals.decided_at",), "a.raised_at", 16),
        ("approvals.all(a, a.decided_at < period.end)", ("grant.starts_at",), "a.decided_at", 19),
        ("workflow != null && 'x' in workflow.approver_ids", (), "workflow.approver_ids", 36),
        ("workflow != null && workflow.approver_ids.exists(x, true)", (), "workflow.approver_ids", 29),
    ],
)
def test_an_unguarded_read_is_refused_and_named(expression, required, field, column):
    error = refusal(expression, required)
    assert f"'{field}' may be missing" in error.message
    assert (error.line, error.column) == (1, column)
    assert field in error.hint
    assert "requires.fields" in error.hint


def test_the_same_view_may_be_missing_in_one_population_and_not_in_another():
    assert check("grant.privileged", row=GrantRow, parameters={}).null_safe
    assert "'grant' may be missing" in refusal("grant.privileged").message


@pytest.mark.parametrize(
    ("value", "problem"),
    [
        ("40000d", "longer than 100 years"),
        (2**63, "64 bits"),
        (float("nan"), "finite"),
        ("a\x00", "cannot be compared"),
    ],
)
def test_parameter_values_that_no_engine_could_carry_are_refused(value, problem):
    with pytest.raises(CelError, match=problem):
        check("true", row=SessionRow, parameters={"x": value})
