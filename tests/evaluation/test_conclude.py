# SPDX-License-Identifier: Apache-2.0

"""From item outcomes to test outcomes to control statuses: the tables, and the laws behind them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.evaluation.conclude import NO_OCCURRENCES, conclude_control, conclude_test, incompleteness
from app.evaluation.model import ControlStatus, ItemOutcome, TestOutcomeWord
from app.trails.example import example_row

NA, PASS, FAIL, NONE, WAIVED, ERROR = (
    ItemOutcome.NOT_APPLICABLE,
    ItemOutcome.PASS,
    ItemOutcome.FAIL,
    ItemOutcome.NO_EVIDENCE,
    ItemOutcome.WAIVED,
    ItemOutcome.ERROR,
)
WHOLE: tuple[str, ...] = ()
HOLE = ("a reason",)


@pytest.mark.parametrize(
    ("items", "incomplete", "outcome"),
    [
        ([PASS], WHOLE, "passed"),
        ([PASS, NA], WHOLE, "passed"),
        ([PASS], HOLE, "inconclusive"),
        ([PASS, FAIL], WHOLE, "failed"),
        ([PASS, WAIVED], WHOLE, "failed"),
        ([FAIL, ERROR, NONE], HOLE, "failed"),
        ([PASS, ERROR], WHOLE, "error"),
        ([NONE, ERROR], HOLE, "error"),
        ([PASS, NONE], WHOLE, "inconclusive"),
        ([NA], WHOLE, "no_occurrences"),
        ([], WHOLE, "no_occurrences"),
        ([], HOLE, "inconclusive"),
        ([NA], HOLE, "inconclusive"),
    ],
)
def test_a_test_concludes(items, incomplete, outcome):
    counts = {item: items.count(item) for item in items}
    assert conclude_test(counts, incomplete=incomplete) == outcome


_ITEMS = st.lists(st.sampled_from(ItemOutcome))


@given(_ITEMS, st.booleans(), st.sampled_from([NONE, ERROR]))
def test_learning_less_never_turns_into_a_pass(items, whole, unknown):
    known = conclude_test({i: items.count(i) for i in items}, incomplete=() if whole else HOLE)
    worse = [unknown, *items]
    assert conclude_test({i: worse.count(i) for i in worse}, incomplete=HOLE) not in {
        TestOutcomeWord.PASSED,
        TestOutcomeWord.NO_OCCURRENCES,
    }
    if known == TestOutcomeWord.FAILED:
        assert conclude_test({i: worse.count(i) for i in worse}, incomplete=HOLE) == TestOutcomeWord.FAILED


@given(_ITEMS, st.sampled_from([FAIL, WAIVED]))
def test_a_deviation_decides_whatever_else_is_found(items, deviation):
    counted = [*items, deviation]
    assert conclude_test({i: counted.count(i) for i in counted}, incomplete=HOLE) == TestOutcomeWord.FAILED


@pytest.mark.parametrize(
    ("outcomes", "status", "reason"),
    [
        ({}, "not_tested", "no test is mapped"),
        ({"A-01": "passed"}, "no_deviations", "A-01"),
        ({"A-01": "passed", "A-02": "no_occurrences"}, "no_deviations", "found by A-01"),
        ({"A-01": "no_occurrences"}, "no_deviations", NO_OCCURRENCES),
        ({"A-01": "passed", "A-02": "inconclusive"}, "insufficient_evidence", "A-02"),
        ({"A-01": "passed", "A-02": "error"}, "insufficient_evidence", "A-02"),
        ({"A-01": "passed", "A-02": "failed", "A-03": "error"}, "deviations", "found by A-02"),
    ],
)
def test_a_control_concludes(outcomes, status, reason):
    words = {test_id: TestOutcomeWord(word) for test_id, word in outcomes.items()}
    found, why = conclude_control(words)
    assert found == status
    assert reason in why


def test_the_catalogue_says_why_a_control_is_not_tested():
    assert conclude_control({}, not_tested_because="it is about buildings") == (
        ControlStatus.NOT_TESTED,
        "it is about buildings",
    )


def source(**fields):
    return example_row("source", {"collected": {"id": "hoop", "record_types": ["session"], **fields}})


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({}, None),
        ({"source_count": 5, "counted_received": 5}, None),
        ({"duplicates": 3}, None),
        ({"rejected": 3}, "hoop: 3 record(s) could not be used"),
        ({"sequence_gaps": 1}, "hoop: 1 gap(s) in the source's own numbering"),
        ({"problems": 2}, "hoop: 2 collection run(s) ended with a problem"),
        ({"source_count": 6, "counted_received": 5}, "hoop: the source counted 6 records, received were 5"),
        ({"source_count": 6}, "hoop: the source counted 6 records, received were an unknown number"),
        ({"longest_hole": "51h"}, "hoop: up to 2 d 3 h of the period were not covered by any collection"),
        ({"longest_hole": "1ms"}, "hoop: up to 1 ms of the period were not covered by any collection"),
    ],
)
def test_a_population_is_whole_or_says_why_not(fields, reason):
    assert incompleteness("session", (), [source(**fields)]) == ((reason,) if reason else ())


def test_only_sources_that_yield_the_record_type_count_and_there_must_be_one():
    other = source(id="jira", record_types=["ticket"], rejected=1)
    assert incompleteness("session", (), [source(), other]) == ()
    assert incompleteness("session", ("ticket",), [source(), other]) == ("jira: 1 record(s) could not be used",)
    assert incompleteness("grant", (), [source(), other]) == ("no collected source yields records of type grant",)


def test_the_population_of_sources_is_whole_unless_it_is_empty():
    assert incompleteness("source", (), [source(rejected=9)]) == ()
    assert incompleteness("source", (), []) == ("no source was ever collected",)
