# SPDX-License-Identifier: Apache-2.0

"""What counts as a move: statuses of controls, outcomes and counts of tests."""

import pytest

from app.watching.model import Counts, Move, SubjectKind
from app.watching.moves import baseline, moves, snapshot_of
from tests.watching.small_evaluations import evaluation

CLEAN = snapshot_of(evaluation())


def told(found: tuple[Move, ...]) -> list[tuple[str, str, str | None, str | None]]:
    return [(move.kind.value, move.subject, move.old, move.new) for move in found]


def test_nothing_moves_where_nothing_did() -> None:
    assert moves(CLEAN, snapshot_of(evaluation(size=99, T1={"pass": 500, "not_applicable": 3}))) == ()


def test_a_test_that_begins_to_fail_moves_its_controls() -> None:
    found = moves(CLEAN, snapshot_of(evaluation(T1={"fail": 2, "no_evidence": 1, "error": 1, "waived": 4})))
    assert told(found) == [
        ("control", "C1", "no_deviations", "deviations"),
        ("control", "C2", "no_deviations", "deviations"),
        ("test", "T1", "passed", "failed"),
    ]
    for move in found:
        assert (move.before, move.after) == (Counts(), Counts(deviations=2, waived=4, evidence_gaps=2))


def test_a_control_that_already_failed_does_not_move_with_one_more_deviation_but_its_test_does() -> None:
    old = snapshot_of(evaluation(T1={"fail": 2}))
    (move,) = moves(old, snapshot_of(evaluation(T1={"fail": 3})))
    assert told((move,)) == [("test", "T1", "failed", "failed")]
    assert (move.before, move.after) == (Counts(deviations=2), Counts(deviations=3))


@pytest.mark.parametrize("word", ["waived", "no_evidence", "error"])
def test_what_is_waived_or_unknown_moves_too(word: str) -> None:
    old = snapshot_of(evaluation(T2={"fail": 1, word: 1}))
    assert told(moves(old, snapshot_of(evaluation(T2={"fail": 1, word: 2})))) == [("test", "T2", "failed", "failed")]


def test_a_test_that_comes_or_goes_has_no_old_or_no_new() -> None:
    more = snapshot_of(evaluation(T3={"pass": 1}))
    (came,) = moves(CLEAN, more)
    (went,) = moves(more, CLEAN)
    assert (came.subject, came.old, came.before, came.new) == ("T3", None, None, "passed")
    assert (went.subject, went.new, went.after, went.old) == ("T3", None, None, "passed")


def test_a_baseline_tells_the_totals_over_tests_and_counts_none_twice() -> None:
    move = baseline(snapshot_of(evaluation(T1={"fail": 2, "waived": 1}, T2={"no_evidence": 3})))
    assert (move.kind, move.new, move.before) == (SubjectKind.PERIOD, "baseline", None)
    assert move.after == Counts(deviations=2, waived=1, evidence_gaps=3)
