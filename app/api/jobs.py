# SPDX-License-Identifier: Apache-2.0

"""``/jobs``: how far long work is."""

from fastapi import APIRouter

from app.api.deps import Reader, ServicesDep
from app.api.problem import RESPONSES
from app.api.schemas import JobOut
from app.jobs.model import Job
from app.records.times import format_instant

router = APIRouter(tags=["jobs"], responses=RESPONSES)


@router.get("/jobs/{job_id}")
def read_job(job_id: str, services: ServicesDep, _caller: Reader) -> JobOut:
    """Return a job's state and progress; ``result`` is there when it is done."""
    return job_out(services.jobs.get(job_id))


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
