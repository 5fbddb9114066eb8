# SPDX-License-Identifier: Apache-2.0

"""``/changes``: what moved in the periods that are watched."""

from typing import Annotated

import msgspec
from fastapi import APIRouter, Query, Request, Response

from app.api.deps import START, LimitDep, PlaceDep, Reader, ServicesDep, next_link
from app.api.problem import RESPONSES
from app.api.schemas import ChangeOut, CountsOut
from app.records.times import format_instant
from app.watching.model import Change, Counts

router = APIRouter(tags=["results"], responses=RESPONSES)


@router.get("/changes")
def list_changes(
    request: Request,
    response: Response,
    services: ServicesDep,
    _caller: Reader,
    place: PlaceDep,
    framework: Annotated[str | None, Query(description="Only of this framework: its id or short name.")] = None,
    limit: LimitDep = 100,
) -> list[ChangeOut]:
    """List what moved in the periods that are watched, newest first: statuses of controls, outcomes of tests, counts.

    The first look at a period is one line, a baseline with the totals over all tests.
    """
    wanted = None if framework is None else services.controls.resolve_framework(framework).id
    before = None if place == START else place[0]
    page = services.watching.changes(wanted, before=before, limit=limit + 1)
    if len(page) > limit:
        response.headers["Link"] = next_link(request, (page[limit - 1].id, 0))
    return [_change_out(change) for change in page[:limit]]


def _change_out(change: Change) -> ChangeOut:
    return ChangeOut(
        id=change.id,
        at=format_instant(change.at),
        framework=change.framework,
        start=format_instant(change.period.start),
        end=format_instant(change.period.end),
        as_of=format_instant(change.as_of),
        ledger_size=change.ledger_size,
        controls_changed=change.controls_changed,
        kind=change.kind,
        subject=change.subject,
        old=change.old,
        new=change.new,
        before=_counts_out(change.before),
        after=_counts_out(change.after),
    )


def _counts_out(counts: Counts | None) -> CountsOut | None:
    return None if counts is None else CountsOut(**msgspec.to_builtins(counts))
