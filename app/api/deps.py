# SPDX-License-Identifier: Apache-2.0

"""What endpoints are given: the services, the caller (who must hold the right scope), and the period asked for."""

import base64
import binascii
import datetime
from collections.abc import Callable
from typing import Annotated

from fastapi import Depends, Query, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from starlette.exceptions import HTTPException

from app.auth.tokens import Caller, Scope
from app.errors import Forbidden, UsageError
from app.evaluation.model import Period
from app.wiring import Services

_bearer = HTTPBearer(auto_error=False, description="A token made by 'proofroom token create'.")


def get_services(request: Request) -> Services:
    """Return the services of this application."""
    services: Services = request.app.state.services
    return services


ServicesDep = Annotated[Services, Depends(get_services)]


def get_caller(
    services: ServicesDep, credentials: Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)]
) -> Caller:
    """Return who calls; refuse when there is no valid bearer token (RFC 6750 section 3)."""
    if credentials is None:
        raise HTTPException(401, "a bearer token is needed", {"WWW-Authenticate": "Bearer"})
    try:
        return services.auth.authenticate(credentials.credentials)
    except Forbidden as error:
        raise HTTPException(401, error.what, {"WWW-Authenticate": 'Bearer error="invalid_token"'}) from None


def _caller_with(scope: Scope) -> Callable[[Caller], Caller]:
    def check(caller: Annotated[Caller, Depends(get_caller)]) -> Caller:
        if scope not in caller.scopes:
            raise Forbidden(f"the token lacks the scope '{scope}'", hint="Issue one with that scope")
        return caller

    return check


Reader = Annotated[Caller, Depends(_caller_with(Scope.READ))]
PackBuilder = Annotated[Caller, Depends(_caller_with(Scope.PACKS_WRITE))]


def get_period(
    start: Annotated[datetime.date, Query(description="First day, UTC.")],
    end: Annotated[datetime.date, Query(description="Last day, included, UTC.")],
) -> Period:
    """Return the period asked for in the query."""
    return Period.of_days(start, end, where="end")


PeriodDep = Annotated[Period, Depends(get_period)]


Place = tuple[int, int]
"""Where a page ended: two numbers that the listing understands."""
START: Place = (-1, -1)
_PLACES = 1 << 63
"""No database holds an integer from here on."""


def get_place(
    cursor: Annotated[str | None, Query(description="From the Link header of the page before.")] = None,
) -> Place:
    """Return where the page before ended.

    Raises:
        UsageError: the cursor is not one of ours.
    """
    if cursor is None:
        return START
    refusal = UsageError("the cursor is not one of ours", where="cursor", hint="Follow Link: rel=next")
    try:
        first, second = map(int, base64.urlsafe_b64decode(cursor.encode()).decode().split("."))
    except (ValueError, binascii.Error):
        raise refusal from None
    if not (0 <= first < _PLACES and 0 <= second < _PLACES):
        raise refusal
    return first, second


PlaceDep = Annotated[Place, Depends(get_place)]
LimitDep = Annotated[int, Query(ge=1, le=1000, description="Items a page.")]


def next_link(request: Request, place: Place) -> str:
    """Return the Link header (RFC 8288) that leads to the page after ``place``."""
    cursor = base64.urlsafe_b64encode(f"{place[0]}.{place[1]}".encode()).decode()
    return f'<{request.url.include_query_params(cursor=cursor)}>; rel="next"'
