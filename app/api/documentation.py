# SPDX-License-Identifier: Apache-2.0

"""``/api/v1/docs``: the REST interface as a plain page, drawn from the OpenAPI document without any script."""

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse

from app.web.pages import render

router = APIRouter(include_in_schema=False)


@router.get("/api/v1/docs", response_class=HTMLResponse)
def show_documentation(request: Request) -> HTMLResponse:
    """Show every endpoint, what it takes and what it answers."""
    paths = request.app.openapi()["paths"]
    endpoints = [
        {"method": method.upper(), "path": path, "summary": about["description"], "tag": about["tags"][0]}
        for path, methods in paths.items()
        for method, about in methods.items()
    ]
    return render("documentation.html.j2", {"caller": None, "endpoints": endpoints})
