# SPDX-License-Identifier: Apache-2.0

"""Answers that are taken over are those that would be given, to the byte; and only what is new is asked."""

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from msgspec import structs

from app.evaluation.definition import define
from app.evaluation.engine import checked_files, open_engine
from app.evaluation.model import ItemOutcome, Period
from app.evaluation.reuse import Earlier, Question, moved_sql, remaining_sql, state_digests
from app.evaluation.service import evaluate_tests
from app.trails.example import example_row
from app.trails.populations import PeriodView
from app.trails.segments import freeze, read_period, segment_digests
from tests.evaluation.test_evaluate import CATALOG, entry
from tests.evaluation.test_slices import slice_of

DAY = 86_400_000
PERIOD = PeriodView(start=0, end=90 * DAY, as_of=80 * DAY)
DATES = ["1970-01-02T10:00:00Z", "1970-01-03T00:00:00Z", "1970-02-01T00:00:00Z", "1970-02-02T00:00:00Z"]
DATES_MS = [DAY + 36_000_000, 2 * DAY]


def sessions(count, *, period=PERIOD, role="dba"):
    """Return sessions on four days, some of them privileged, one role for those of the last day."""
    made = []
    for number in range(count):
        at = DATES[number % len(DATES)]
        session = {"privileged": number % 3 > 0, "role": role if at == DATES[-1] else "dba", "started_at": at}
        row = example_row("session", {"item_id": f"s/session/{number:04d}", "at": at, "session": session})
        made.append(structs.replace(row, period=period))
    return made


@pytest.fixture
def tests(control_test):
    """Return tests of which the second reads the instant of the judgment, and the third the period's start."""
    early = "session.started_at != null && session.started_at"
    made = [
        control_test("TST-01", "session.role == 'dba'", fields=("session.role",), applies_when="session.privileged"),
        control_test("TST-02", f"{early} + p.least < period.as_of", parameters={"least": "49d"}),
        control_test("TST-03", f"{early} >= period.start"),
    ]
    return {test.id: test for test in made}


@pytest.fixture
def evaluated(tmp_path):
    """Return what evaluates tests over rows in a folder of its own."""

    def evaluate(name, tests, rows, earlier=None, slices=None):
        folder = tmp_path / name
        freeze({"session": rows}, folder / "populations")
        period = read_period(folder / "populations")
        evaluation = evaluate_tests(
            tests=tests,
            catalog=CATALOG,
            entries=[entry("C1", test) for test in tests],
            controls_sha256="",
            period=Period(start=period.start, end=period.end),
            as_of=period.as_of,
            ledger_size=1,
            segments=folder / "populations",
            results=folder / "results",
            earlier=earlier,
            slices=slices,
        )
        return Earlier(evaluation=evaluation, results=folder / "results")

    return evaluate


def asked_of_sessions(tests, segments):
    """Return what is asked of sessions."""
    return Question(
        population="session",
        definitions=[define(test) for test in tests.values()],
        files=checked_files(segments, "session"),
        digests=segment_digests(segments),
        period=read_period(segments),
    )


CHANGES = {
    "nothing": {},
    "a day": {"role": "intern"},
    "time went on": {"period": structs.replace(PERIOD, as_of=PERIOD.as_of + 2 * DAY)},
    "another period": {"period": structs.replace(PERIOD, start=DATES_MS[1])},
    "a day and time": {"role": "intern", "period": structs.replace(PERIOD, as_of=PERIOD.as_of + 2 * DAY)},
}


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("other_test", [False, True])
def test_what_is_taken_over_is_what_would_be_computed(tests, evaluated, control_test, tmp_path, change, other_test):
    before = evaluated("before", tests, sessions(40))
    if other_test:
        tests = tests | {
            "TST-01": control_test("TST-01", "session.role != 'dba'", fields=("session.role",)),
            "TST-04": control_test("TST-04", "false"),
        }
    rows = sessions(40, **CHANGES[change])
    full = evaluated("full", tests, rows)
    again = evaluated("again", tests, rows, before)
    assert again.evaluation == full.evaluation
    vectors = [(each.results / "session.parquet").read_bytes() for each in (full, again)]
    assert vectors[0] == vectors[1]
    if change == "nothing" and not other_test:
        assert before.evaluation == full.evaluation
    elif change != "another period":  # Whoever reads this should see that the cases differ at all.
        assert before.evaluation != full.evaluation


def test_only_what_changed_is_asked(tests, evaluated, tmp_path):
    """One day's role is another, and for the sessions of another day 49 days are over now."""
    before = evaluated("before", tests, sessions(40))
    later = structs.replace(PERIOD, as_of=PERIOD.as_of + DAY)
    evaluated("later", tests, sessions(40, role="intern", period=later))
    segments = tmp_path / "later" / "populations"
    question = asked_of_sessions(tests, segments)
    with open_engine([segments]) as engine:
        moved = {Path(name) for (name,) in engine.execute(moved_sql(question, before)).fetchall()}
    assert [path.name for path in moved] == [f"{DATES[-2][:10]}.parquet"]
    kept, asked = remaining_sql(question, before, moved).split(" UNION ALL ")
    for day in DATES:
        name = f"{day[:10]}.parquet"
        assert (name in asked, name in kept) == ((True, False) if day in DATES[-2:] else (False, True))
    assert "CASE" not in kept


def test_a_value_that_an_overlay_changes_is_asked_with_as_well(tests, evaluated, caplog):
    """Time goes on for the sessions of one day by the overlay's value, and for those of another by the test's own."""
    said = slice_of({"least": "48d"}, start=DATES_MS[1], where="session.privileged")
    slices = {"TST-02": [said]}
    before = evaluated("before", tests, sessions(40), slices=slices)
    rows = sessions(40, period=structs.replace(PERIOD, as_of=PERIOD.as_of + DAY))
    full = evaluated("full", tests, rows, slices=slices)
    again = evaluated("again", tests, rows, before, slices)
    assert again.evaluation == full.evaluation != before.evaluation
    assert not caplog.records, "what was kept could be used"


def test_time_alone_asks_nothing_where_no_test_reads_it(tests, evaluated, tmp_path):
    before = evaluated("before", tests, sessions(8))
    del tests["TST-02"]
    evaluated("later", tests, sessions(8, period=structs.replace(PERIOD, as_of=PERIOD.as_of + DAY)))
    assert moved_sql(asked_of_sessions(tests, tmp_path / "later" / "populations"), before) is None


def test_without_anything_in_common_all_is_asked(tests, evaluated, control_test, tmp_path):
    before = evaluated("before", tests, sessions(8))
    segments = tmp_path / "before" / "populations"
    assert remaining_sql(asked_of_sessions({"TST-09": control_test("TST-09", "true")}, segments), before) is None
    other = evaluated("other", tests, sessions(8, role="x")[3:4])
    assert remaining_sql(asked_of_sessions(tests, tmp_path / "other" / "populations"), before) is None
    assert other.evaluation.tests[0].counts["fail"] + other.evaluation.tests[0].counts["not_applicable"] == 1


@pytest.mark.parametrize("spoil", ["gone", "short", "renamed", "empty", "cut off", "no numbers", "other answers"])
@pytest.mark.parametrize("stated", [False, True])
def test_what_is_kept_is_not_believed_when_it_is_spoiled(tests, evaluated, spoil, stated):
    """Its digest tells; and where somebody stated the digest anew, what is no vector of these items is still told."""
    before = evaluated("before", tests, sessions(40))
    path = before.results / "session.parquet"
    table = pq.read_table(path)
    match spoil:
        case "gone":
            path.unlink()
        case "short":
            pq.write_table(table.slice(1), path)
        case "empty":
            path.write_bytes(b"")
        case "cut off":
            path.write_bytes(path.read_bytes()[:-9])
        case "no numbers":
            words = pa.array(["pass"] * len(table))
            pq.write_table(pa.table([table.column(0), words, words, words], names=table.column_names), path)
        case "other answers":
            passed = pa.array([int(ItemOutcome.PASS)] * len(table), pa.int16())
            pq.write_table(table.set_column(1, "TST-01", passed), path)
        case "renamed":
            pq.write_table(table.rename_columns(["item_id", "A", "B", "C"]), path)
    if stated and spoil != "other answers":
        state_digests(before.results)
    full, again = evaluated("full", tests, sessions(40)), evaluated("again", tests, sessions(40), before)
    assert again.evaluation == full.evaluation
