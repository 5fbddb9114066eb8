# SPDX-License-Identifier: Apache-2.0

"""Pages for people: sign in, see control statuses, download packs. Server-rendered; no script is needed or allowed."""

from fastapi import FastAPI

from app.web import routes


def register(app: FastAPI) -> None:
    """Add the pages to the application."""
    app.include_router(routes.router)
