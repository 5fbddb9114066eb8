# SPDX-License-Identifier: Apache-2.0

"""Parameters that overlays change: each item is judged by the values in force for it, on both engines alike.

``PROOFROOM_FUZZ_EXAMPLES`` raises the number of random overlays; each is asked of every example of the shipped tests.
"""

import os
from functools import cache

import msgspec
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.cel.schema import parse_span
from app.controls.loader import load
from app.controls.model import Catalog, CatalogControl, MappingEntry
from app.controls.overlays import Slice
from app.controls.statements import Applicability
from app.errors import InvalidInput
from app.evaluation.definition import define
from app.evaluation.engine import judge_row, open_engine, outcomes_of
from app.evaluation.model import Evaluation, ItemOutcome, Period
from app.evaluation.oracle import item_outcome, outcomes
from app.evaluation.questions import outcomes_sql
from app.evaluation.service import TESTED_ALL_THE_SAME, evaluate_tests
from app.resources import shipped
from app.trails.arrow import arrow_schema
from app.trails.example import AS_OF, PERIOD_END, PERIOD_START, example_row
from app.trails.populations import POPULATIONS
from app.trails.segments import freeze

DAY = 86_400_000
NOON = PERIOD_START + 10 * DAY
LAST = "9999-12-31T23:59:59Z"


def slice_of(parameters, *, start=PERIOD_START, end=None, where="true"):
    return Slice(
        overlay="mine",
        bundle=None,
        parameters=parameters,
        where=where,
        start=start,
        end=end,
        reason="because",
        requested_by="ann",
        approved_by="bo",
        approved_on="2026-01-01",
        looser=(),
    )


@pytest.fixture
def engine():
    with open_engine([]) as connection:
        yield connection


def both(engine, test, row, slices):
    """Return the outcome that both engines give."""
    found = {
        item_outcome(test, row, slices).word,
        judge_row(engine, [define(test, slices)], row)[test.id].word,
    }
    assert len(found) == 1, found
    return found.pop()


def session(hours, at=NOON, **given):
    """Return a session of so many hours."""
    ended = {"started_at": "2026-01-11T00:00:00Z", "ended_at": f"2026-01-11T{hours:02d}:00:00Z"}
    row = example_row("session", {"session": ended | given.pop("session", {}), **given})
    return msgspec.structs.replace(row, at=at)


MOST = "session.started_at != null && session.ended_at != null && session.ended_at - session.started_at <= p.most"


@pytest.fixture
def limited(control_test):
    return control_test("TST-01", MOST, parameters={"most": "8h", "kinds": ("a",)})


@pytest.mark.parametrize(
    ("at", "outcome"),
    [(NOON - 1, "pass"), (NOON, "fail"), (NOON + DAY - 1, "fail"), (NOON + DAY, "pass"), (PERIOD_START, "pass")],
)
def test_the_boundary_is_sharp_to_the_millisecond(engine, limited, at, outcome):
    row = session(6, at)
    assert both(engine, limited, row, [slice_of({"most": "4h"}, start=NOON, end=NOON + DAY)]) == outcome


@pytest.mark.parametrize(("workflow", "outcome"), [("wf-a", "fail"), ("wf-b", "pass"), (None, "pass")])
def test_a_scope_holds_for_its_items_only(engine, limited, workflow, outcome):
    row = session(6, **({"workflow": {"id": workflow}} if workflow else {}))
    where = 'workflow != null && workflow.id == "wf-a"'
    assert both(engine, limited, row, [slice_of({"most": "4h"}, where=where)]) == outcome


def test_the_last_one_counts_for_each_parameter_alone(engine, control_test):
    test = control_test("TST-01", f'({MOST}) && !("x" in p.kinds)', parameters={"most": "8h", "kinds": ("a",)})
    four, five = slice_of({"most": "4h", "kinds": ()}), slice_of({"most": "5h"}, where="session.privileged")
    assert both(engine, test, session(6), [four, five]) == "fail"
    privileged = {"session": {"privileged": True}}
    assert both(engine, test, session(5), [four, five]) == "fail"
    assert both(engine, test, session(5, **privileged), [four, five]) == "pass"
    assert both(engine, test, session(5, **privileged), [five, four]) == "fail"
    assert both(engine, test, session(4), [four, slice_of({"kinds": ("b", "x")}), five]) == "fail"


def test_a_parameter_also_moves_what_is_asked_at_all_and_what_cannot_be_told(engine, control_test):
    test = control_test(
        "TST-01",
        "false",
        applies_when="session.ended_at != null && session.ended_at - period.start > p.most",
        no_evidence_when="session.grant_candidates > p.least",
        parameters={"most": "1d", "least": 1},
    )
    row = session(6, session={"grant_candidates": 2})
    assert both(engine, test, row, []) == "no_evidence"
    assert both(engine, test, row, [slice_of({"least": 2})]) == "fail"
    assert both(engine, test, row, [slice_of({"most": "90d"})]) == "not_applicable"


def test_a_scope_that_errs_is_an_error_where_it_is_in_force(engine, limited):
    erring = "size(approvals) + 9223372036854775807 > 0"
    row = session(6, approvals=[{}])
    assert both(engine, limited, row, [slice_of({"most": "4h"}, where=erring)]) == "error"
    assert both(engine, limited, row, [slice_of({"most": "4h"}, where=erring, start=NOON + 1)]) == "pass"
    assert both(engine, limited, session(6), [slice_of({"most": "4h"}, where=erring)]) == "fail"


@pytest.mark.parametrize(
    ("where", "outcome"),
    [("true", "no_evidence"), ("session.privileged", "pass"), ("!session.privileged", "no_evidence")],
)
def test_an_item_without_an_instant_is_never_judged_by_a_guess(engine, limited, where, outcome):
    assert both(engine, limited, session(6, at=None), [slice_of({"most": "4h"}, where=where, start=NOON)]) == outcome


def test_a_definition_with_changes_has_another_digest_and_the_query_without_is_as_it_was(limited):
    plain, changed = define(limited), define(limited, [slice_of({"most": "4h"})])
    assert plain.sha256 != changed.sha256
    assert define(limited, [slice_of({"most": "4h"}, end=NOON)]).sha256 != changed.sha256
    assert define(limited, ()).sha256 == plain.sha256
    assert "slice" not in outcomes_sql([plain], "rows")
    both_sql = outcomes_sql([changed, define(msgspec.structs.replace(limited, id="TST-02"))], "rows")
    assert "TST-02 slice" not in both_sql


@pytest.mark.parametrize("parameters", [{"mist": "4h"}, {"most": 4}, {"kinds": "a"}])
def test_a_change_that_does_not_fit_the_test_is_refused_here_too(limited, parameters):
    with pytest.raises(InvalidInput):
        define(limited, [slice_of(parameters)])


# Random overlays over the shipped tests.

SCOPES = {
    "grant": ["grant.privileged", 'workflow != null && workflow.id != ""', "size(approvals) > 0"],
    "session": ["session.privileged", "grant == null", "size(events) == 0", "session.started_at != null"],
    "identity": ["size(grants) > 0"],
}
ERRS = "size(waivers) + 9223372036854775807 + 1 > 0"
SOME_ERR = "size(waivers) + 9223372036854775807 > 0"
"""The first errs for every row, the second for those with a waiver."""


@cache
def world():
    """Return the shipped tests by population, and for each the rows of all examples at different days, as a table."""
    tests = {}
    rows = {}
    for test in load(shipped("controls")).tests.values():
        tests.setdefault(test.population, []).append(test)
        for number, example in enumerate(test.examples):
            row = example_row(test.population, example.given)
            at = None if number % 7 == 6 else PERIOD_START + number % 5 * DAY
            item = f"example/{test.id}/{number}"
            rows.setdefault(test.population, []).append(msgspec.structs.replace(row, at=at, item_id=item))
    tables = {
        name: pa.Table.from_pylist(
            [msgspec.to_builtins(row) for row in rows[name]], schema=arrow_schema(POPULATIONS[name])
        )
        for name in rows
    }
    return tests, rows, tables


def other_values(value):
    match value:
        case bool():
            return st.booleans()
        case int():
            return st.integers(-2, 400)
        case float():
            return st.sampled_from([0.0, 0.1, 0.99, 1.0, 1e-5])
        case str() if parse_span(value) is not None:
            return st.sampled_from(["0s", "1s", "4h", "36h", "90d", "36500d"])
        case str():
            return st.sampled_from([value, "", "it's"])
        case _:
            return st.lists(st.sampled_from([*value, "other", "it's"]), max_size=3).map(tuple)


@st.composite
def overlays(draw):
    """Draw a population, and for some of its tests some slices."""
    tests, _, _ = world()
    population = draw(st.sampled_from(sorted(tests)))
    changed = {}
    for test in tests[population]:
        if not test.parameters or not draw(st.booleans()):
            continue
        slices = []
        for _ in range(draw(st.integers(1, 3))):
            names = draw(st.lists(st.sampled_from(sorted(test.parameters)), min_size=1, max_size=3, unique=True))
            start = draw(st.integers(-1, 5)) * DAY + PERIOD_START
            length = draw(st.sampled_from([None, 1, 2, 4]))
            scope = draw(st.sampled_from([*SCOPES.get(population, []), "true", "true", "false", ERRS, SOME_ERR]))
            slices.append(
                slice_of(
                    {name: draw(other_values(test.parameters[name])) for name in names},
                    start=start,
                    end=None if length is None else start + length * DAY,
                    where=scope,
                )
            )
        changed[test.id] = tuple(slices)
    return population, changed


@settings(
    max_examples=int(os.environ.get("PROOFROOM_FUZZ_EXAMPLES", "40")),
    deadline=None,
    derandomize="PROOFROOM_FUZZ_EXAMPLES" not in os.environ,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
@given(overlays())
def test_the_engines_agree_on_random_overlays_of_the_shipped_tests(drawn):
    population, changed = drawn
    tests, rows, tables = world()
    definitions = [define(test, changed.get(test.id, ())) for test in tests[population]]
    with open_engine([]) as engine:
        engine.register("given", tables[population])
        codes = engine.execute(outcomes_sql(definitions, "given")).fetchall()
    found = {
        item: dict(zip([each.id for each in definitions], map(ItemOutcome, rest), strict=True)) for item, *rest in codes
    }
    assert found == {row.item_id: outcomes(tests[population], row, changed) for row in rows[population]}


# A whole evaluation.

CATALOG = Catalog(
    id="demo",
    title="A framework",
    edition="1",
    text_licence="own-words",
    source_url="",
    controls=(CatalogControl(id="C1", label="One", summary=""), CatalogControl(id="C2", label="Two", summary="")),
)
ENTRY = MappingEntry(control="C1", test="TST-01", relation="supports", strength="primary", basis="direct", rationale="")


@pytest.fixture
def run(tmp_path, limited):
    """Return a function that evaluates six-hour sessions of five days with these slices."""
    rows = [
        msgspec.structs.replace(session(6, PERIOD_START + day * DAY), item_id=f"a/session/{day}") for day in range(5)
    ]
    freeze({"session": rows}, tmp_path / "populations")

    def evaluate(name, slices, **further):
        evaluation = evaluate_tests(
            tests={limited.id: limited},
            catalog=CATALOG,
            entries=(ENTRY,),
            controls_sha256="c" * 64,
            period=Period(start=PERIOD_START, end=PERIOD_END),
            as_of=AS_OF,
            ledger_size=7,
            segments=tmp_path / "populations",
            results=tmp_path / name,
            slices={limited.id: slices},
            **further,
        )
        return evaluation, outcomes_of(tmp_path / name, "session", limited.id)

    return evaluate


def test_a_change_in_the_middle_of_the_period_moves_what_is_after_it_and_is_told(run):
    said = slice_of({"most": "4h"}, start=PERIOD_START + 3 * DAY, end=PERIOD_START + 4 * DAY)
    before, (plain, found) = run("a", ()), run("b", (said,))
    assert [word.word for word in found.values()] == ["pass", "pass", "pass", "fail", "pass"]
    assert set(before[1].values()) == {ItemOutcome.PASS}
    (result,) = plain.tests
    assert result.counts["fail"] == 1
    assert result.parameters["most"] == "8h"
    (told,) = result.slices
    assert (told.parameters, told.first_day, told.last_day) == ({"most": "4h"}, "2026-01-04", "2026-01-04")
    assert (told.overlay, told.reason, told.requested_by, told.approved_by) == ("mine", "because", "ann", "bo")
    assert result.definition_sha256 != before[0].tests[0].definition_sha256
    assert msgspec.json.decode(msgspec.json.encode(plain), type=Evaluation) == plain


def test_an_exclusion_changes_no_status_and_is_noted(run):
    stated = {"C1": Applicability(control="C1", applicable=False, reason="Not ours")}
    excluded, _ = run("a", (slice_of({"most": "4h"}),), applicability=stated)
    deviating, _ = run("b", (slice_of({"most": "4h"}),))
    assert [control.status for control in excluded.controls] == [control.status for control in deviating.controls]
    first, second = excluded.controls
    assert (first.status.value, first.applicability.stated) == ("deviations", "excluded")
    assert first.applicability.note == TESTED_ALL_THE_SAME
    assert (second.applicability.stated, second.applicability.note) == ("not_stated", "")
