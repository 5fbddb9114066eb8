# SPDX-License-Identifier: Apache-2.0

"""The pages: sign in and out, overview, packs. A page's form posts must come from our own origin."""

import datetime
import urllib.parse
from contextlib import suppress
from pathlib import Path
from typing import Annotated, Any

from fastapi import APIRouter, Cookie, Depends, Form, Request
from fastapi.responses import FileResponse, HTMLResponse, RedirectResponse, Response

from app.api.deps import ServicesDep
from app.auth.tokens import Caller, Scope
from app.errors import Conflict, Forbidden, NotFound, ProofroomError
from app.evaluation.model import Period
from app.records.times import format_instant, parse_day
from app.resources import shipped
from app.web.overview import change_view, evaluation_view, job_view, pack_view
from app.web.pages import render
from app.wiring import Services

router = APIRouter(include_in_schema=False)

COOKIE = "proofroom_token"
_STATIC = Path(__file__).parent / "static"
_STATIC_FILES = {"proofroom.css": "text/css", "mark.svg": "image/svg+xml"}
_FONTS = {
    "sans-regular": "IBMPlexSans-Regular.woff2",
    "sans-semibold": "IBMPlexSans-SemiBold.woff2",
    "mono-regular": "IBMPlexMono-Regular.woff2",
}
_SEE_OTHER = 303
_SHOWN_CHANGES = 12
_QUARTER = datetime.timedelta(days=89)


def same_origin(request: Request) -> None:
    """Refuse a form post that another site made the browser send (Fetch Metadata, and Origin for older browsers).

    Raises:
        Forbidden: it comes from elsewhere.
    """
    site = request.headers.get("sec-fetch-site")
    origin = request.headers.get("origin")
    own = f"{request.url.scheme}://{request.url.netloc}"
    if site not in {None, "same-origin", "none"} or (site is None and origin not in {None, own}):
        raise Forbidden("the form was sent from another site")


def signed_in(services: ServicesDep, token: Annotated[str | None, Cookie(alias=COOKIE)] = None) -> Caller | None:
    """Return who is signed in and may read, or None."""
    if token is None:
        return None
    try:
        return _reader(services, token)
    except Forbidden:
        return None


CallerDep = Annotated[Caller | None, Depends(signed_in)]


@router.get("/api/v1/docs", response_class=HTMLResponse)
def documentation(request: Request) -> HTMLResponse:
    """Show the REST interface as a plain page, drawn from the OpenAPI document without any script."""
    endpoints = [
        {"method": method.upper(), "path": path, "summary": about["description"], "tag": about["tags"][0]}
        for path, methods in request.app.openapi()["paths"].items()
        for method, about in methods.items()
    ]
    return render("documentation.html.j2", {"caller": None, "endpoints": endpoints})


@router.get("/static/{name}")
def static_file(name: str) -> FileResponse:
    """Serve one of our own two files."""
    if name not in _STATIC_FILES:
        raise NotFound("there is no such file")
    return FileResponse(_STATIC / name, media_type=_STATIC_FILES[name])


@router.get("/fonts/{name}")
def font_file(name: str) -> FileResponse:
    """Serve the fonts of the reports, so that page and report look alike."""
    if name not in _FONTS:
        raise NotFound("there is no such font")
    path = shipped("report_templates") / "_shared" / "fonts" / _FONTS[name]
    return FileResponse(path, media_type="font/woff2", headers={"Cache-Control": "max-age=86400"})


@router.post("/sign-in", dependencies=[Depends(same_origin)])
def sign_in(request: Request, services: ServicesDep, token: Annotated[str, Form(max_length=200)]) -> Response:
    """Keep the token in a cookie that no script and no other site can use."""
    try:
        caller = _reader(services, token.strip())
    except Forbidden as error:
        return render("sign_in.html.j2", {"caller": None, "problem": f"{error.what}.".capitalize()}, 403)
    services.auth.record(caller.name, "web.sign-in", caller.token_id)
    response = RedirectResponse("/", _SEE_OTHER)
    secure = request.url.scheme == "https"
    response.set_cookie(COOKIE, token.strip(), httponly=True, samesite="strict", secure=secure, max_age=8 * 3600)
    return response


@router.post("/sign-out", dependencies=[Depends(same_origin)])
def sign_out() -> Response:
    """Forget the token in this browser."""
    response = RedirectResponse("/", _SEE_OTHER)
    response.delete_cookie(COOKIE)
    return response


@router.get("/", response_class=HTMLResponse)
def overview(
    services: ServicesDep,
    caller: CallerDep,
    framework: str | None = None,
    start: str | None = None,
    end: str | None = None,
    job: str | None = None,
) -> HTMLResponse:
    """Show the control statuses of a period, the findings and the packs."""
    if caller is None:
        return render("sign_in.html.j2", {"caller": None, "problem": None})
    catalogs = list(services.controls.catalogs.values())
    packs = services.packs.list()
    wanted = framework or (packs[0].framework if packs else catalogs[0].id)
    catalog = services.controls.resolve_framework(wanted)
    first, last = _days(services, start, end)
    changes = services.watching.changes(catalog.id, limit=_SHOWN_CHANGES + 1)
    context: dict[str, Any] = {
        "caller": caller,
        "organisation": services.settings.organisation,
        "frameworks": catalogs,
        "framework": catalog,
        "start": first,
        "end": last,
        "can_build": Scope.PACKS_WRITE in caller.scopes,
        "changes": [change_view(change) for change in changes[:_SHOWN_CHANGES]],
        "more_changes": len(changes) > _SHOWN_CHANGES,
        "is_watched": services.watching.is_watched(catalog.id),
        "packs": [pack_view(pack) for pack in packs if pack.framework == catalog.id],
        "job": None,
        "evaluation": None,
        "problem": None,
    }
    if job:
        query = urllib.parse.urlencode({"framework": catalog.id, "start": first, "end": last, "job": job})
        context["job"] = job_view(services.jobs.get(job), f"/?{query}#packs")
    if services.ledger.size():
        try:
            context["evaluation"] = _evaluation(services, catalog.id, first, last)
        except ProofroomError as error:
            context["problem"] = str(error)
    return render("overview.html.j2", context)


@router.post("/packs", dependencies=[Depends(same_origin)])
def build_pack(
    services: ServicesDep,
    caller: CallerDep,
    framework: Annotated[str, Form()],
    start: Annotated[str, Form()],
    end: Annotated[str, Form()],
) -> Response:
    """Ask for a pack and go back to the overview, which shows how far it is."""
    if caller is None or Scope.PACKS_WRITE not in caller.scopes:
        raise Forbidden("building packs needs a token with the scope 'packs:write'")
    period = Period.of_days(parse_day(start), parse_day(end))
    job = services.submit_pack(framework, period, caller, None)
    query = urllib.parse.urlencode({"framework": framework, "start": start, "end": end, "job": job.id})
    return RedirectResponse(f"/?{query}#packs", _SEE_OTHER)


@router.post("/jobs/{job_id}/cancel", dependencies=[Depends(same_origin)])
def cancel_job(
    services: ServicesDep,
    caller: CallerDep,
    job_id: str,
    framework: Annotated[str, Form()],
    start: Annotated[str, Form()],
    end: Annotated[str, Form()],
) -> Response:
    """Have a job stopped and go back to the overview, which shows what became of it, also where it had ended."""
    if caller is None or Scope.PACKS_WRITE not in caller.scopes:
        raise Forbidden("cancelling a pack needs a token with the scope 'packs:write'")
    with suppress(Conflict):
        services.cancel_job(job_id, caller)
    query = urllib.parse.urlencode({"framework": framework, "start": start, "end": end, "job": job_id})
    return RedirectResponse(f"/?{query}#packs", _SEE_OTHER)


@router.get("/packs/{pack_id}/download")
def download(pack_id: str, services: ServicesDep, caller: CallerDep) -> Response:
    """Download a pack."""
    if caller is None:
        return RedirectResponse("/", _SEE_OTHER)
    pack = services.packs.get(pack_id)
    services.auth.record(caller.name, "pack.download", pack.id)
    return FileResponse(pack.path, media_type="application/zip", filename=pack.file_name)


def _reader(services: Services, token: str) -> Caller:
    caller = services.auth.authenticate(token)
    if Scope.READ not in caller.scopes:
        raise Forbidden("the pages need a token with the scope 'read'")
    return caller


def _evaluation(services: Services, framework: str, first: str, last: str) -> dict[str, Any]:
    period = Period.of_days(parse_day(first), parse_day(last))
    evaluated = services.evaluator.evaluate(framework, period)
    return evaluation_view(evaluated.evaluation, services.gaps(framework, period), services.controls)


def _days(services: Services, start: str | None, end: str | None) -> tuple[str, str]:
    """Return the days asked for; else those of the newest pack, else the 90 days that end with the newest evidence."""
    if start and end:
        return start, end
    packs = services.packs.list()
    if packs:
        return packs[0].period.days
    covered = [run.covered.end for run in services.collection.runs() if run.covered.end is not None]
    newest = max(covered, default=services.clock.now()) - 1
    last = datetime.date.fromisoformat(format_instant(newest)[:10])
    return (last - _QUARTER).isoformat(), last.isoformat()
