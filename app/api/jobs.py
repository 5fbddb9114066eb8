# SPDX-License-Identifier: Apache-2.0

"""``/jobs``: how far long work is, and having it stopped."""

from fastapi import APIRouter, Response

from app.api.deps import PackBuilder, Reader, ServicesDep
from app.api.problem import RESPONSES, Problem
from app.api.schemas import JobOut
from app.jobs.model import Job
from app.records.times import format_instant

router = APIRouter(tags=["jobs"], responses=RESPONSES)


@router.get("/jobs/{job_id}")
def read_job(job_id: str, services: ServicesDep, _caller: Reader) -> JobOut:
    """Return a job's state and progress; ``result`` is there when it is done."""
    return job_out(services.jobs.get(job_id))


@router.delete(
    "/jobs/{job_id}",
    status_code=202,
    responses={409: {"model": Problem, "description": "The job has ended already"}},
)
def cancel_job(job_id: str, response: Response, services: ServicesDep, caller: PackBuilder) -> JobOut:
    """Cancel a job: a queued one at once, a running one at its next step. It leaves nothing half done.

    Poll its address until it is ``cancelled``; one that had no step left ends as ``done`` all the same.
    """
    job = services.cancel_job(job_id, caller)
    response.headers["Location"] = f"/api/v1/jobs/{job.id}"
    return job_out(job)


def job_out(job: Job) -> JobOut:
    """Show a job."""
    return JobOut(
        id=job.id,
        kind=job.kind,
        state=job.state,
        step=job.step,
        done=job.done,
        total=job.total,
        problem=job.problem,
        result=job.result,
        created_at=format_instant(job.created_at),
        updated_at=format_instant(job.updated_at),
    )
