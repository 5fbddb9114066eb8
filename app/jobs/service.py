# SPDX-License-Identifier: Apache-2.0

"""Queue jobs and work them off: each runs once at a time, shows progress, can be cancelled, survives a crash."""

import logging
import secrets
from collections.abc import Mapping
from typing import Any

import msgspec

from app.clock import Clock
from app.db import Database, lock
from app.errors import Conflict, NotFound, ProofroomError, UsageError
from app.jobs import repository
from app.jobs.model import Handler, Job, JobState, JobStopped
from app.jobs.tables import JobRow

STALE_AFTER = 120_000
"""A running job whose worker said nothing for this long (ms) is taken over."""
MAX_ATTEMPTS = 3

_AT_WORK = (JobState.RUNNING, JobState.CANCELLING)

_log = logging.getLogger(__name__)


class JobService:
    """The queue. ``handlers`` says what each kind of job does."""

    def __init__(self, database: Database, clock: Clock, handlers: Mapping[str, Handler]) -> None:
        self._database = database
        self._clock = clock
        self._handlers = handlers

    def submit(self, kind: str, arguments: dict[str, Any], key: str | None = None) -> Job:
        """Queue a job, or return the one that was asked for before with the same key.

        Raises:
            UsageError: the key was used for other arguments.
        """
        wanted = msgspec.json.encode(arguments, order="sorted").decode()
        now = self._clock.now()
        job_id = secrets.token_hex(8)
        with self._database.session() as session:
            lock(session.connection(), "jobs")  # Two requests with one key must not both find nothing.
            earlier = repository.find_by_key(session, kind, key) if key else None
            if earlier is not None:
                if earlier.arguments != wanted:
                    raise UsageError("this Idempotency-Key was used for another request", where="Idempotency-Key")
                return _job(earlier)
            row = JobRow(
                id=job_id,
                kind=kind,
                key=key or job_id,
                arguments=wanted,
                state=JobState.QUEUED,
                created_at=now,
                updated_at=now,
            )
            repository.add(session, row)
            session.commit()
        return self.get(job_id)

    def get(self, job_id: str) -> Job:
        """Return a job.

        Raises:
            NotFound: there is no such job.
        """
        with self._database.session(writes=False) as session:
            # Our ids are letters and digits; PostgreSQL takes no text with a NUL in it.
            row = repository.find(session, job_id) if job_id.isalnum() else None
            if row is None:
                raise NotFound("there is no such job")
            return _job(row)

    def cancel(self, job_id: str) -> Job:
        """Have a job stopped and return it: a waiting one is cancelled at once, a running one at its next step.

        Cancelling twice changes nothing. A job that has no step left when it is asked to stop ends as done.

        Raises:
            NotFound: there is no such job.
            Conflict: it has ended already.
        """
        self.get(job_id)
        with self._database.session() as session:
            stopped = repository.cancel(session, job_id, self._clock.now())
            session.commit()
        job = self.get(job_id)
        if not stopped and job.state not in {JobState.CANCELLING, JobState.CANCELLED}:
            raise Conflict(f"this job is {job.state} already, so it cannot be cancelled", where=f"job {job.id}")
        return job

    def work_once(self) -> bool:
        """Take one waiting job and do it; tell whether there was one."""
        now = self._clock.now()
        with self._database.session() as session:
            repository.close_abandoned(session, now, now - STALE_AFTER)
            job_id = repository.claim_next(session, now, now - STALE_AFTER)
            session.commit()
        if job_id is None:
            return False
        job = self.get(job_id)
        if job.attempt > MAX_ATTEMPTS:
            self._end(job, state=JobState.FAILED, problem=f"given up after {MAX_ATTEMPTS} attempts")
            return True
        self._run(job)
        return True

    def _run(self, job: Job) -> None:
        def progress(step: str, done: int, total: int) -> None:
            if not self._save(job, (JobState.RUNNING,), step=step, done=done, total=total):
                raise JobStopped

        try:
            result = self._handlers[job.kind](job.arguments, progress)
        except JobStopped:
            # Where another worker has the job now, this changes nothing.
            self._save(job, (JobState.CANCELLING,), state=JobState.CANCELLED)
        except ProofroomError as error:
            self._end(job, state=JobState.FAILED, problem=str(error))
        except Exception:  # noqa: BLE001 -- whatever it is, the job must be marked as failed
            # The message of an unforeseen error may quote a record or a secret: it goes to the log's traceback only.
            _log.exception("job %s (%s) failed", job.id, job.kind)
            self._end(job, state=JobState.FAILED, problem="an internal error; the service log has the details")
        else:
            text = msgspec.json.encode(result, order="sorted").decode()
            self._end(job, state=JobState.DONE, step="done", result=text)

    def _end(self, job: Job, **values: object) -> None:
        self._save(job, _AT_WORK, **values)

    def _save(self, job: Job, states: tuple[JobState, ...], **values: object) -> bool:
        with self._database.session() as session:
            saved = repository.save(session, job.id, job.attempt, states, updated_at=self._clock.now(), **values)
            session.commit()
        return saved


def _job(row: JobRow) -> Job:
    return Job(
        id=row.id,
        kind=row.kind,
        arguments=msgspec.json.decode(row.arguments),
        state=JobState(row.state),
        step=row.step,
        done=row.done,
        total=row.total,
        attempt=row.attempt,
        result=msgspec.json.decode(row.result) if row.result else None,
        problem=row.problem,
        created_at=row.created_at,
        updated_at=row.updated_at,
    )
