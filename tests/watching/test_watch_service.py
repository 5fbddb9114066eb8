# SPDX-License-Identifier: Apache-2.0

"""Looks and changes are kept on both databases: a baseline, then what moved, each once, and never changed."""

import logging
import threading
from collections.abc import Callable

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from app.clock import FixedClock
from app.db import Database
from app.errors import InvalidInput, UsageError
from app.evaluation.model import Evaluation, Period
from app.records.times import parse_instant
from app.watching.model import Counts
from app.watching.service import WatchService
from app.watching.spans import CLOSING, Watch
from tests.watching.small_evaluations import QUARTER, days, evaluation

NOW = 1_790_000_000_000
SOC2 = Watch(framework="soc2-tsc-2017", span="quarter")
NEXT = days("2026-10-01", "2026-12-31")


class World:
    """Stands for the evaluator: a ledger of some size, an instant, and the outcomes at that size."""

    def __init__(self, database: Database, *watches: Watch) -> None:
        self.size = 1
        self.as_of = parse_instant("2026-08-15T12:00:00Z")
        self.tests: dict[str, dict[str, int]] = {}
        self.controls = "c" * 64
        self.asked: list[tuple[str, Period]] = []
        self.problem: Exception | None = None
        self.meanwhile: Callable[[], None] = lambda: None
        self.watching = WatchService(
            database=database,
            clock=FixedClock(NOW),
            watches=watches or (SOC2,),
            evaluate=self.evaluate,
            as_of=lambda: self.as_of,
            ledger_size=lambda: self.size,
        )

    def evaluate(self, framework: str, period: Period, progress: Callable[[str, int, int], None]) -> Evaluation:
        progress("testing every item", 1, 2)
        self.asked.append((framework, period))
        self.meanwhile()
        if self.problem:
            raise self.problem
        return evaluation(self.size, framework=framework, period=period, controls_sha256=self.controls, **self.tests)

    def told(self) -> list[tuple[str, str | None, str | None]]:
        return [(change.subject, change.old, change.new) for change in self.watching.changes()]


def test_the_first_look_is_a_baseline_and_the_next_tells_what_moved(database: Database) -> None:
    world = World(database)
    world.tests = {"T2": {"fail": 1}}
    (first,) = world.watching.look()
    assert first.is_baseline
    assert first.totals == Counts(deviations=1)
    assert world.told() == [("", None, "baseline")]
    world.size, world.tests = 5, {"T2": {"fail": 1}, "T1": {"fail": 2}}
    (second,) = world.watching.look()
    assert not second.is_baseline
    assert world.told() == [
        ("C1", "no_deviations", "deviations"),
        ("T1", "passed", "failed"),
        ("", None, "baseline"),
    ]
    newest = world.watching.changes()[0]
    assert (newest.at, newest.framework, newest.period, newest.ledger_size) == (NOW, SOC2.framework, QUARTER, 5)
    assert (newest.before, newest.after) == (Counts(), Counts(deviations=2))
    assert not newest.controls_changed


def test_a_look_at_which_nothing_moved_adds_nothing(database: Database) -> None:
    world = World(database)
    world.watching.look()
    world.size = 9
    (look,) = world.watching.look()
    assert (look.moves, look.is_baseline, look.ledger_size) == ((), False, 9)
    assert len(world.told()) == 1


def test_moving_back_is_a_move(database: Database) -> None:
    world = World(database)
    world.watching.look()
    for tests in ({"T1": {"no_evidence": 1}}, {}):
        world.size, world.tests = world.size + 1, tests
        world.watching.look()
    assert ("C1", "insufficient_evidence", "no_deviations") in world.told()
    assert ("C1", "no_deviations", "insufficient_evidence") in world.told()


def test_a_period_that_begins_has_its_own_baseline_and_the_one_before_is_finished(database: Database) -> None:
    world = World(database)
    world.watching.look()
    world.as_of = NEXT.start + 3_600_000
    world.size, world.tests = 2, {"T1": {"fail": 1}}
    ended, began = world.watching.look()
    assert (ended.period, ended.is_baseline, len(ended.moves)) == (QUARTER, False, 3)
    assert (began.period, began.is_baseline) == (NEXT, True)
    world.as_of = NEXT.start + CLOSING
    assert [look.period for look in world.watching.look()] == [NEXT]


def test_a_period_that_ended_before_anybody_watched_is_not_begun(database: Database) -> None:
    world = World(database)
    world.as_of = NEXT.start + 1
    assert [look.period for look in world.watching.look()] == [NEXT]


def test_moves_after_a_change_of_the_controls_say_so(database: Database) -> None:
    world = World(database)
    world.watching.look()
    world.controls, world.tests = "d" * 64, {"T1": {"fail": 1}}
    (look,) = world.watching.look()
    assert look.controls_changed
    assert world.watching.changes()[0].controls_changed
    world.size, world.tests = 2, {}
    assert not world.watching.look()[0].controls_changed


def test_a_change_of_the_controls_that_moved_nothing_is_not_blamed_later(database: Database) -> None:
    world = World(database)
    world.watching.look()
    world.controls = "d" * 64
    assert world.watching.look()[0].controls_changed
    world.size, world.tests = 2, {"T1": {"fail": 1}}
    (look,) = world.watching.look()
    assert look.moves
    assert not look.controls_changed


def test_two_processes_keep_each_move_once(database: Database) -> None:
    worlds = [World(database) for _ in range(4)]
    worlds[0].watching.look()
    together = threading.Barrier(len(worlds))
    for world in worlds:
        world.size, world.tests, world.meanwhile = 2, {"T1": {"fail": 1}}, lambda: together.wait(30) and None
    threads = [threading.Thread(target=world.watching.look) for world in worlds]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(worlds[0].told()) == 1 + 3


def test_a_look_that_was_overtaken_does_not_undo_what_is_newer(database: Database) -> None:
    slow, quick = World(database), World(database)
    slow.watching.look()
    quick.size, quick.tests = 5, {"T1": {"fail": 1}}
    slow.size, slow.controls = 3, "d" * 64
    slow.meanwhile = lambda: quick.watching.look() and None
    (late,) = slow.watching.look()
    assert (late.moves, late.controls_changed) == ((), False)
    assert slow.told()[0] == ("C1", "no_deviations", "deviations")


def test_changes_are_paged_newest_first_and_by_framework(database: Database) -> None:
    world = World(database, SOC2, Watch(framework="hipaa-security", span=QUARTER))
    world.watching.look()
    world.size, world.tests = 2, {"T1": {"fail": 1}}
    world.watching.look()
    everything = world.watching.changes()
    assert len(everything) == 8
    assert [change.id for change in everything] == sorted((change.id for change in everything), reverse=True)
    first = world.watching.changes(limit=3)
    assert first + world.watching.changes(before=first[-1].id, limit=100) == everything
    assert {change.framework for change in world.watching.changes("hipaa-security")} == {"hipaa-security"}
    assert len(world.watching.changes("hipaa-security")) == 4
    assert world.watching.changes("no-such") == []


@pytest.mark.parametrize("table", ["watch_look", "watch_change"])
@pytest.mark.parametrize("statement", ["UPDATE {} SET id = id + 100", "DELETE FROM {}"])
def test_the_database_refuses_to_change_what_was_kept(database: Database, table: str, statement: str) -> None:
    world = World(database)
    world.watching.look()
    with pytest.raises(DBAPIError, match="only ever added to"), database.write() as connection:
        connection.execute(text(statement.format(table)))
    assert len(world.told()) == 1


def test_nothing_watched_is_said(database: Database) -> None:
    world = World(database)
    world.watching._watches = ()
    with pytest.raises(UsageError, match="nothing is watched"):
        world.watching.look()


def test_on_schedule_it_looks_only_when_the_ledger_grew(database: Database) -> None:
    world = World(database)
    world.size = 0
    world.watching.look_if_grown()
    assert world.asked == []
    world.size = 1
    world.watching.look_if_grown()
    world.watching.look_if_grown()
    assert len(world.asked) == 1
    world.size = 2
    # What comes in while it looks is looked at the next time.
    world.meanwhile = lambda: setattr(world, "size", 3)
    world.watching.look_if_grown()
    world.watching.look_if_grown()
    world.watching.look_if_grown()
    assert len(world.asked) == 3


def test_on_schedule_a_control_that_begins_to_deviate_is_logged(
    database: Database, caplog: pytest.LogCaptureFixture
) -> None:
    world = World(database)
    world.watching.look_if_grown()
    assert caplog.messages == []
    world.size, world.tests = 2, {"T2": {"fail": 1}}
    world.watching.look_if_grown()
    assert caplog.messages == ["soc2-tsc-2017 C2, 2026-07-01 to 2026-09-30: deviations, was no_deviations"]
    assert caplog.records[0].levelno == logging.WARNING


def test_on_schedule_a_problem_is_logged_and_does_not_end_the_schedule(
    database: Database, caplog: pytest.LogCaptureFixture
) -> None:
    world = World(database)
    world.problem = InvalidInput("a record holds what no segment can")
    world.watching.look_if_grown()
    world.watching.look_if_grown()
    assert caplog.messages == ["what is watched could not be looked at: a record holds what no segment can"]
    world.size, world.problem = 2, ValueError("unforeseen")
    world.watching.look_if_grown()
    world.problem = None
    world.watching.look_if_grown()
    assert world.told() == [("", None, "baseline")], "an unforeseen problem is tried again"


def test_a_service_that_ends_does_not_wait_for_a_look(database: Database) -> None:
    world = World(database, SOC2, Watch(framework="hipaa-security", span=QUARTER))
    world.meanwhile = world.watching.stop
    world.watching.look_if_grown()
    assert [framework for framework, _ in world.asked] == ["soc2-tsc-2017"]
    assert world.told() == [("", None, "baseline")], "what was found before is kept"
