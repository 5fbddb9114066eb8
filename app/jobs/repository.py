# SPDX-License-Identifier: Apache-2.0

"""All SQL about jobs."""

from collections.abc import Collection

from sqlalchemy import update
from sqlmodel import Session, col, select

from app.jobs.model import JobState
from app.jobs.tables import JobRow


def add(session: Session, row: JobRow) -> None:
    """Store a new job."""
    session.add(row)


def find(session: Session, job_id: str) -> JobRow | None:
    """Return a job by id."""
    return session.get(JobRow, job_id)


def find_by_key(session: Session, kind: str, key: str) -> JobRow | None:
    """Return the job that was asked for with this key."""
    return session.exec(select(JobRow).where(JobRow.kind == kind, JobRow.key == key)).one_or_none()


def claim_next(session: Session, now: int, stale_before: int) -> str | None:
    """Mark the oldest waiting job, or one whose worker went silent, as running; return its id.

    The update repeats the condition it was chosen by, so of two workers that saw the same row only one gets it.
    """
    waiting = col(JobRow.state) == JobState.QUEUED
    silent = (col(JobRow.state) == JobState.RUNNING) & (col(JobRow.updated_at) < stale_before)
    row = session.exec(
        select(JobRow).where(waiting | silent).order_by(col(JobRow.created_at), col(JobRow.id)).limit(1)
    ).first()
    if row is None:
        return None
    claimed = session.connection().execute(
        update(JobRow)
        .where(col(JobRow.id) == row.id, col(JobRow.attempt) == row.attempt, waiting | silent)
        .values(state=JobState.RUNNING, attempt=row.attempt + 1, updated_at=now)
    )
    return row.id if claimed.rowcount == 1 else None


def save(session: Session, job_id: str, attempt: int, states: Collection[JobState], **values: object) -> bool:
    """Write a job's progress or end; tell whether it did.

    It does only for the worker that holds this attempt, and only while the job is in one of ``states``.
    """
    written = session.connection().execute(
        update(JobRow)
        .where(col(JobRow.id) == job_id, col(JobRow.attempt) == attempt, col(JobRow.state).in_(states))
        .values(**values)
    )
    return written.rowcount == 1


def cancel(session: Session, job_id: str, now: int) -> bool:
    """Stop a job that waits at once, and have one that runs stopped by its worker; tell whether there was one."""
    chosen = update(JobRow).where(col(JobRow.id) == job_id)
    waiting = chosen.where(col(JobRow.state) == JobState.QUEUED)
    running = chosen.where(col(JobRow.state) == JobState.RUNNING)
    connection = session.connection()
    stopped = connection.execute(waiting.values(state=JobState.CANCELLED, updated_at=now)).rowcount
    asked = connection.execute(running.values(state=JobState.CANCELLING, updated_at=now)).rowcount
    return stopped + asked > 0


def close_abandoned(session: Session, now: int, stale_before: int) -> None:
    """Mark as cancelled what was to be stopped by a worker that went silent."""
    abandoned = (col(JobRow.state) == JobState.CANCELLING) & (col(JobRow.updated_at) < stale_before)
    session.connection().execute(update(JobRow).where(abandoned).values(state=JobState.CANCELLED, updated_at=now))
