# SPDX-License-Identifier: Apache-2.0

"""Assemble the ASGI application: middleware, routers, error handlers. Nothing else."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from fastapi import FastAPI, Request, Response

from app import __version__, api, web
from app.api import problem
from app.clock import SystemClock
from app.settings import Settings
from app.wiring import build_services

_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; img-src 'self'; font-src 'self';"
    " form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
}


def create_app(settings: Settings | None = None) -> FastAPI:
    """Build the application over the configured data directory."""
    services = build_services(settings or Settings.load(None), SystemClock())

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        with services.worker():
            yield

    app = FastAPI(
        title="Proofroom",
        version=__version__,
        summary="Privileged-access evidence that an auditor can check.",
        openapi_url="/api/v1/openapi.json",
        docs_url=None,
        redoc_url=None,
        lifespan=lifespan,
    )
    app.state.services = services
    problem.install(app)

    @app.middleware("http")
    async def add_headers(request: Request, call_next: Callable[[Request], Awaitable[Response]]) -> Response:
        response = await call_next(request)
        for name, value in _HEADERS.items():
            response.headers.setdefault(name, value)
        if not request.url.path.startswith(("/static/", "/fonts/")):
            response.headers.setdefault("Cache-Control", "no-store")
        return response

    api.register(app)
    web.register(app)
    return app
