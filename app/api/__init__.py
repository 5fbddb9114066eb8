# SPDX-License-Identifier: Apache-2.0

"""The REST interface, ``/api/v1``: one router per noun. Routers call one service method each and decide nothing."""

from fastapi import APIRouter, FastAPI

from app.api import changes, evaluations, frameworks, jobs, metrics, packs, records


def register(app: FastAPI) -> None:
    """Add all routers to the application."""
    root = APIRouter(prefix="/api/v1")
    for module in (frameworks, evaluations, changes, metrics, records, packs, jobs):
        root.include_router(module.router)
    app.include_router(root)
