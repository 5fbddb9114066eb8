# SPDX-License-Identifier: Apache-2.0

"""``/records``, ``/trails``, ``/sources``: what was received, how it was linked, and how complete it is."""

from typing import Annotated

import msgspec
from fastapi import APIRouter, Query, Request, Response

from app.api.deps import LimitDep, PeriodDep, PlaceDep, Reader, ServicesDep, next_link
from app.api.problem import RESPONSES
from app.api.schemas import CollectionOut, ObservationOut, TrailOut
from app.collection.model import CollectionRun
from app.records.model import RecordType, record_type
from app.records.times import format_instant

router = APIRouter(tags=["records"], responses=RESPONSES)


@router.get("/records")
def list_records(
    request: Request,
    response: Response,
    services: ServicesDep,
    _caller: Reader,
    place: PlaceDep,
    record_kind: Annotated[RecordType | None, Query(alias="type", description="Only this kind.")] = None,
    limit: LimitDep = 100,
) -> list[ObservationOut]:
    """List what source records say about access records, in ledger order. Raw bytes are never shown."""
    kinds = {record_kind} if record_kind else None
    page = services.collection.page(kinds, after=place, limit=limit + 1)
    if len(page) > limit:
        response.headers["Link"] = next_link(request, page[limit - 1][0])
    return [
        ObservationOut(
            source=one.source,
            type=record_type(one.record),
            id=one.record.id,
            observed_at=format_instant(one.observed_at),
            ledger_index=one.ledger_index,
            record=msgspec.to_builtins(one.record),
        )
        for _place, one in page[:limit]
    ]


@router.get("/trails")
def list_trails(
    request: Request,
    response: Response,
    services: ServicesDep,
    _caller: Reader,
    period: PeriodDep,
    place: PlaceDep,
    limit: LimitDep = 50,
) -> list[TrailOut]:
    """List the access trails of a period: each session with everything linked to it and the basis of every link."""
    trails = services.trails.trails(period)
    first = place[0] + 1
    if len(trails) > first + limit:
        response.headers["Link"] = next_link(request, (first + limit - 1, 0))
    return [
        TrailOut(item_id=trail.item_id, trail=msgspec.to_builtins(trail)) for trail in trails[first : first + limit]
    ]


@router.get("/sources")
def list_collections(services: ServicesDep, _caller: Reader) -> list[CollectionOut]:
    """List the completeness boxes of all collection runs."""
    return [_collection_out(run) for run in services.collection.runs()]


def _collection_out(run: CollectionRun) -> CollectionOut:
    return CollectionOut(
        id=run.id,
        source=run.source,
        connector=run.connector,
        query=run.query,
        started_at=format_instant(run.started_at),
        finished_at=format_instant(run.finished_at),
        covered_from=None if run.covered.start is None else format_instant(run.covered.start),
        covered_until=None if run.covered.end is None else format_instant(run.covered.end),
        covered_basis=run.covered_basis,
        source_count=run.source_count,
        received=run.received,
        accepted=run.accepted,
        duplicates=run.duplicates,
        rejected=run.rejected,
        reject_reasons=run.reject_reasons,
        unused=run.unused,
        produced=run.produced,
        sequence_gaps=len(run.gaps),
        problem=run.problem,
        is_complete=run.is_complete,
    )
