# SPDX-License-Identifier: Apache-2.0

"""Errors as RFC 9457 problem details, with the stable codes of ``app.errors``."""

import logging
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel
from starlette.exceptions import HTTPException

from app.errors import (
    CheckFailed,
    Conflict,
    Forbidden,
    InvalidInput,
    NotFound,
    ProofroomError,
    SourceRefused,
    SourceUnavailable,
    UsageError,
)

_log = logging.getLogger(__name__)

_STATUS: tuple[tuple[type[ProofroomError], int], ...] = (
    (UsageError, 400),
    (Forbidden, 403),
    (NotFound, 404),
    (CheckFailed, 409),
    (Conflict, 409),
    (InvalidInput, 422),
    (SourceRefused, 502),
    (SourceUnavailable, 503),
)


class Problem(BaseModel):
    """RFC 9457 problem details."""

    type: str = "about:blank"
    title: str
    status: int
    code: str
    detail: str | None = None
    where: str | None = None
    hint: str | None = None


RESPONSES: dict[int | str, dict[str, Any]] = {
    401: {"model": Problem, "description": "No bearer token, or one that is not valid"},
    403: {"model": Problem, "description": "The token's scopes do not allow this"},
    404: {"model": Problem, "description": "No such thing"},
    422: {"model": Problem, "description": "The request cannot be used"},
}


def problem(
    status: int, code: str, title: str, *, error: ProofroomError | None = None, headers: dict[str, str] | None = None
) -> JSONResponse:
    """Build a problem response."""
    body = Problem(
        title=title,
        status=status,
        code=code,
        where=error.where if error else None,
        hint=error.hint if error else None,
    )
    return JSONResponse(
        body.model_dump(exclude_none=True), status, headers=headers, media_type="application/problem+json"
    )


def status_of(error: ProofroomError) -> int:
    """Return the HTTP status for a domain error."""
    return next((status for kind, status in _STATUS if isinstance(error, kind)), 500)


def install(app: FastAPI) -> None:
    """Make the application answer every error as a problem document."""

    @app.exception_handler(ProofroomError)
    def on_domain_error(_request: Request, error: ProofroomError) -> JSONResponse:
        return problem(status_of(error), error.code, error.what, error=error)

    @app.exception_handler(RequestValidationError)
    def on_invalid_request(_request: Request, error: RequestValidationError) -> JSONResponse:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        return problem(422, "invalid-input", str(first["msg"]), error=InvalidInput(str(first["msg"]), where=where))

    @app.exception_handler(HTTPException)
    def on_http_error(_request: Request, error: HTTPException) -> JSONResponse:
        headers = dict(error.headers) if error.headers else None
        return problem(error.status_code, f"http-{error.status_code}", str(error.detail), headers=headers)

    @app.exception_handler(Exception)
    def on_unforeseen(_request: Request, error: Exception) -> JSONResponse:
        # What an unforeseen error says may quote a record; the caller gets no more than that it happened.
        _log.error("unforeseen error", exc_info=error)
        return problem(500, "internal", "an internal error; the service log has the details")
