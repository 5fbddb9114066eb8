# SPDX-License-Identifier: Apache-2.0

"""Where no question about the period has another answer, nothing that is asked of a row has."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.cel.check import check, check_types
from app.cel.errors import CelError
from app.cel.reads import reads
from app.cel.sql import to_sql
from app.cel.substitute import questions_about, with_values
from app.trails.populations import PeriodView
from tests.cel import fuzz
from tests.cel.schemas import DAY, JANUARY, Child, Engines, Instant
from tests.cel.test_cel_any_schema import examples


class Judged(msgspec.Struct, frozen=True, kw_only=True):
    """A row with a period; few fields, so that expressions often read it."""

    period: PeriodView
    at: Instant
    until: Instant | None
    things: list[Child]
    on: bool


THEN = PeriodView(start=JANUARY - DAY, end=JANUARY + 2 * DAY, as_of=JANUARY)
NOW = PeriodView(start=JANUARY - DAY, end=JANUARY + 2 * DAY, as_of=JANUARY + DAY)
ENGINES = Engines(Judged, 60, seed=1)


def parts(source):
    """Return the rest of an expression from the sign of each question about the period on."""
    tree = check_types(source, row=Judged, parameters=fuzz.PARAMETERS).tree
    return [source[question.at :] for question in questions_about(tree, "period")]


def answers(checked, period):
    """Ask an expression of all rows, each with another period than its own."""
    fields = ", ".join(f"'{name}': {value}::BIGINT" for name, value in msgspec.structs.asdict(period).items())
    rows = f"(SELECT * REPLACE ({{{fields}}} AS period) FROM rows)"
    return [answer for (answer,) in ENGINES.connection.execute(f"SELECT {to_sql(checked)} FROM {rows}").fetchall()]


def asked_for(checked, tree, period):
    """Ask a part of an expression of all rows, with a period put in."""
    put_in = with_values(tree, "period", msgspec.structs.asdict(period))
    assert not any(path.startswith("period") for path in reads(put_in))
    return ENGINES.by_sql(to_sql(msgspec.structs.replace(checked, tree=put_in)))


@pytest.fixture(scope="module")
def seen():
    """Collect what happened, so that a property that holds for want of cases is found out."""
    found = {"moved": 0, "kept": 0, "changed": 0}
    yield found
    assert all(found.values()), found


@examples(300)
@given(data=st.data())
def test_what_is_not_asked_again_has_the_same_answer(data, seen):
    guarded = data.draw(st.sampled_from([1, fuzz.ALWAYS]))
    source = data.draw(fuzz.expressions(Judged, guarded).filter(lambda text: "period" in text))
    try:
        checked = check(source, row=Judged, parameters=fuzz.PARAMETERS)
    except CelError:
        checked = check_types(source, row=Judged, parameters=fuzz.PARAMETERS)
    before, after = (answers(checked, period) for period in (THEN, NOW))
    assert asked_for(checked, checked.tree, THEN) == before
    assert asked_for(checked, checked.tree, NOW) == after
    questions = questions_about(checked.tree, "period")
    asked = [[asked_for(checked, question, period) for question in questions] for period in (THEN, NOW)]
    for number, (old, new) in enumerate(zip(before, after, strict=True)):
        moved = any(one[number] is not other[number] for one, other in zip(*asked, strict=True))
        assert moved or old is new, (source, ENGINES.rows[number])
        seen["moved" if moved else "kept"] += 1
        seen["changed"] += old is not new


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("on", []),
        ("at < period.as_of", ["< period.as_of"]),
        ("on && (at < period.as_of || !on)", ["< period.as_of || !on)"]),
        ("at < period.start && period.end < at", ["< period.start && period.end < at", "< at"]),
        ("things.exists(t, t.at < period.as_of)", ["(t, t.at < period.as_of)"]),
        ("things.exists(t, t.good && period.start < at)", ["< at)"]),
        ("size(things.filter(t, t.at < period.as_of)) > 1", ["> 1"]),
        ("things.exists(t, things.exists(u, u.at < period.end))", ["(u, u.at < period.end))"]),
        (
            "things.exists(t, things.exists(u, u.at < period.end && t.good))",
            ["(t, things.exists(u, u.at < period.end && t.good))"],
        ),
        ("(on ? period.start : period.end) < at", ["< at"]),
    ],
)
def test_a_question_is_as_small_as_it_can_be(source, expected):
    assert parts(source) == expected
