# SPDX-License-Identifier: Apache-2.0

"""``/packs``: build, list and download evidence packs."""

from typing import Annotated

from fastapi import APIRouter, Header, Response
from fastapi.responses import FileResponse

from app.api.deps import PackBuilder, Reader, ServicesDep
from app.api.jobs import job_out
from app.api.problem import RESPONSES
from app.api.schemas import JobOut, PackIn, PackOut
from app.evaluation.model import Period
from app.packs.repository import PackInfo
from app.packs.withholding.apply import WithholdingRequest
from app.records.times import format_instant

router = APIRouter(tags=["packs"], responses=RESPONSES)


@router.get("/packs")
def list_packs(services: ServicesDep, _caller: Reader) -> list[PackOut]:
    """List the packs that were built, newest first."""
    return [_pack_out(pack) for pack in services.packs.list()]


@router.get("/packs/{pack_id}")
def read_pack(pack_id: str, services: ServicesDep, _caller: Reader) -> PackOut:
    """Return one pack's description."""
    return _pack_out(services.packs.get(pack_id))


@router.post("/packs", status_code=202)
def build_pack(
    wanted: PackIn,
    response: Response,
    services: ServicesDep,
    caller: PackBuilder,
    idempotency_key: Annotated[str | None, Header(max_length=200)] = None,
) -> JobOut:
    """Ask for a pack. The answer is a job; poll its address until it is done."""
    period = Period.of_days(wanted.start, wanted.end, where="end")
    withholding = _withholding(wanted, caller.name)
    job = services.submit_pack(wanted.framework, period, caller, idempotency_key, withholding)
    response.headers["Location"] = f"/api/v1/jobs/{job.id}"
    return job_out(job)


@router.get("/packs/{pack_id}/download", response_class=FileResponse)
def download_pack(pack_id: str, services: ServicesDep, caller: Reader) -> FileResponse:
    """Download a pack. Its SHA-256 is the ETag."""
    pack = services.packs.get(pack_id)
    services.auth.record(caller.name, "pack.download", pack.id)
    headers = {"ETag": f'"{pack.sha256}"'}
    return FileResponse(pack.path, media_type="application/zip", filename=pack.file_name, headers=headers)


def _withholding(wanted: PackIn, caller: str) -> WithholdingRequest | None:
    """Return what is to be withheld, which the caller decided unless somebody else is named."""
    if not wanted.withhold:
        return None
    return WithholdingRequest(
        fields=tuple(wanted.withhold),
        reason=wanted.withhold_reason,
        by=wanted.withhold_by or caller,
        partly=wanted.withhold_partly,
    )


def _pack_out(pack: PackInfo) -> PackOut:
    return PackOut(
        id=pack.id,
        file_name=pack.file_name,
        framework=pack.framework,
        start=format_instant(pack.period.start),
        end=format_instant(pack.period.end),
        built_at=format_instant(pack.built_at),
        ledger_size=pack.tree_size,
        size=pack.size,
        sha256=pack.sha256,
        download=f"/api/v1/packs/{pack.id}/download",
    )
