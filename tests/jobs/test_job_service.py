# SPDX-License-Identifier: Apache-2.0

"""Jobs: once, with progress, recovered after a crash, and silent about what an unforeseen error said."""

from typing import Any

import pytest

from app.clock import FixedClock
from app.db import Database
from app.errors import InvalidInput, NotFound, UsageError
from app.jobs.model import JobState, Progress
from app.jobs.service import MAX_ATTEMPTS, STALE_AFTER, JobService

NOW = 1_790_000_000_000


class Recorder:
    """A handler that remembers what it was asked and does what it is told."""

    def __init__(self, problem: Exception | None = None) -> None:
        self.calls: list[dict[str, Any]] = []
        self._problem = problem

    def __call__(self, arguments: dict[str, Any], progress: Progress) -> dict[str, Any]:
        self.calls.append(arguments)
        progress("half way", 1, 2)
        if self._problem:
            raise self._problem
        return {"sum": arguments["a"] + 1}


def service(database: Database, handler: Recorder, now: int = NOW) -> JobService:
    return JobService(database, FixedClock(now), {"add": handler})


def test_a_job_runs_once_and_keeps_its_result(database: Database) -> None:
    handler = Recorder()
    jobs = service(database, handler)
    job = jobs.submit("add", {"a": 1})
    assert job.state is JobState.QUEUED
    assert jobs.work_once()
    assert not jobs.work_once()
    done = jobs.get(job.id)
    assert (done.state, done.result, done.done, done.total) == (JobState.DONE, {"sum": 2}, 1, 2)
    assert handler.calls == [{"a": 1}]


def test_asking_twice_with_one_key_is_one_job(database: Database) -> None:
    jobs = service(database, Recorder())
    first = jobs.submit("add", {"a": 1}, key="k")
    assert jobs.submit("add", {"a": 1}, key="k").id == first.id
    with pytest.raises(UsageError, match="Idempotency-Key"):
        jobs.submit("add", {"a": 2}, key="k")


def test_a_known_problem_is_told_and_an_unforeseen_one_is_not(database: Database) -> None:
    known = service(database, Recorder(InvalidInput("no such day", where="start")))
    told = known.submit("add", {"a": 1})
    known.work_once()
    assert known.get(told.id).problem == "start: no such day"
    unforeseen = service(database, Recorder(ValueError("password=hunter2")))
    hidden = unforeseen.submit("add", {"a": 2})
    unforeseen.work_once()
    job = unforeseen.get(hidden.id)
    assert job.state is JobState.FAILED
    assert "hunter2" not in str(job)


def test_a_silent_worker_loses_its_job_and_cannot_write_any_more(database: Database) -> None:
    class Killed(BaseException):
        """Stands for the end of the process."""

    def dies(_arguments: dict[str, Any], _progress: Progress) -> dict[str, Any]:
        raise Killed

    dying = JobService(database, FixedClock(NOW), {"add": dies})
    job = dying.submit("add", {"a": 1})
    with pytest.raises(Killed):
        dying.work_once()
    handler = Recorder()
    assert not service(database, handler, NOW + STALE_AFTER).work_once(), "not silent for long enough yet"
    assert service(database, handler, NOW + STALE_AFTER + 1).work_once()
    assert dying.get(job.id).state is JobState.DONE
    assert dying.get(job.id).attempt == 2


def test_a_job_that_kills_its_workers_is_given_up(database: Database) -> None:
    class Killed(BaseException):
        """Stands for the end of the process."""

    def dies(_arguments: dict[str, Any], _progress: Progress) -> dict[str, Any]:
        raise Killed

    job_id = JobService(database, FixedClock(NOW), {"add": dies}).submit("add", {"a": 1}).id
    now = NOW
    for _ in range(MAX_ATTEMPTS):
        with pytest.raises(Killed):
            JobService(database, FixedClock(now), {"add": dies}).work_once()
        now += STALE_AFTER + 1
    last = JobService(database, FixedClock(now), {"add": dies})
    assert last.work_once()
    assert last.get(job_id).state is JobState.FAILED


def test_an_unknown_job_is_not_found(database: Database) -> None:
    for job_id in ("nope", "\x00", ""):
        with pytest.raises(NotFound):
            service(database, Recorder()).get(job_id)
