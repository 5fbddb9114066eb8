# SPDX-License-Identifier: Apache-2.0

"""Cancelling a job: at once while it waits, at its next step while it runs, never once it has ended."""

from typing import Any

import pytest

from app.clock import FixedClock
from app.db import Database
from app.errors import Conflict, NotFound
from app.jobs.model import JobState, Progress
from app.jobs.service import STALE_AFTER, JobService

NOW = 1_790_000_000_000


class Steps:
    """A handler of three steps, that calls ``meanwhile`` after the first, and remembers the steps it finished."""

    def __init__(self) -> None:
        self.finished: list[int] = []
        self.left_behind = False
        self.meanwhile = lambda: None

    def __call__(self, _arguments: dict[str, Any], progress: Progress) -> dict[str, Any]:
        self.left_behind = True
        try:
            for step in range(3):
                progress(f"step {step}", step, 3)
                self.finished.append(step)
                if step == 0:
                    self.meanwhile()
        finally:
            self.left_behind = False
        return {"finished": len(self.finished)}


def service(database: Database, handler: Any, now: int = NOW) -> JobService:
    return JobService(database, FixedClock(now), {"work": handler})


def test_a_waiting_job_is_cancelled_at_once_and_never_begun(database: Database) -> None:
    steps = Steps()
    jobs = service(database, steps)
    job = jobs.submit("work", {})
    assert jobs.cancel(job.id).state is JobState.CANCELLED
    assert not jobs.work_once()
    assert steps.finished == []


def test_a_running_job_stops_at_its_next_step(database: Database) -> None:
    steps = Steps()
    jobs = service(database, steps)
    job = jobs.submit("work", {})
    seen: list[JobState] = []
    # Another process asks: it shares nothing with the worker but the database.
    steps.meanwhile = lambda: seen.append(service(database, steps).cancel(job.id).state)
    assert jobs.work_once()
    ended = jobs.get(job.id)
    assert seen == [JobState.CANCELLING]
    assert (ended.state, ended.result, ended.problem, ended.step) == (JobState.CANCELLED, None, None, "step 0")
    assert steps.finished == [0]
    assert not steps.left_behind
    assert not jobs.work_once(), "a cancelled job is not taken up again"


def test_a_job_without_a_step_left_ends_as_done(database: Database) -> None:
    def ends(_arguments: dict[str, Any], _progress: Progress) -> dict[str, Any]:
        jobs.cancel(job.id)
        return {"made": 1}

    jobs = service(database, ends)
    job = jobs.submit("work", {})
    jobs.work_once()
    assert (jobs.get(job.id).state, jobs.get(job.id).result) == (JobState.DONE, {"made": 1})


@pytest.mark.parametrize("fails", [False, True])
def test_what_has_ended_cannot_be_cancelled(database: Database, fails: bool) -> None:
    def handler(_arguments: dict[str, Any], _progress: Progress) -> dict[str, Any]:
        if fails:
            raise Conflict("it does not go")
        return {}

    jobs = service(database, handler)
    job = jobs.submit("work", {})
    jobs.work_once()
    ended = jobs.get(job.id)
    with pytest.raises(Conflict, match=f"{ended.state} already"):
        jobs.cancel(job.id)
    assert jobs.get(job.id) == ended


def test_cancelling_twice_changes_nothing(database: Database) -> None:
    jobs = service(database, Steps())
    job = jobs.submit("work", {})
    assert jobs.cancel(job.id) == jobs.cancel(job.id)


def test_an_unknown_job_cannot_be_cancelled(database: Database) -> None:
    for job_id in ("nope", "\x00", ""):
        with pytest.raises(NotFound):
            service(database, Steps()).cancel(job_id)


def test_a_job_whose_worker_died_while_it_was_to_stop_becomes_cancelled(database: Database) -> None:
    class Killed(BaseException):
        """Stands for the end of the process."""

    def dies(_arguments: dict[str, Any], _progress: Progress) -> dict[str, Any]:
        jobs.cancel(job.id)
        raise Killed

    jobs = service(database, dies)
    job = jobs.submit("work", {})
    with pytest.raises(Killed):
        jobs.work_once()
    assert not service(database, Steps(), NOW + STALE_AFTER).work_once()
    assert jobs.get(job.id).state is JobState.CANCELLING, "not silent for long enough yet"
    assert not service(database, Steps(), NOW + STALE_AFTER + 1).work_once()
    assert jobs.get(job.id).state is JobState.CANCELLED


def test_a_worker_that_lost_its_job_to_another_stops(database: Database) -> None:
    other, steps = Steps(), Steps()
    jobs = service(database, steps)
    job = jobs.submit("work", {})
    steps.meanwhile = lambda: service(database, other, NOW + STALE_AFTER + 1).work_once()
    assert jobs.work_once()
    assert (steps.finished, other.finished) == ([0], [0, 1, 2])
    assert jobs.get(job.id).state is JobState.DONE
