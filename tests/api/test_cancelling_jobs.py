# SPDX-License-Identifier: Apache-2.0

"""Cancelling by REST and on the page: who may, what is answered, and that a real pack leaves nothing half done."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest

from app.auth.tokens import Scope
from app.clock import FixedClock
from app.connectors.base import Window
from app.jobs.model import JobState
from app.main import create_app
from app.settings import Settings
from app.wiring import Services, build_services
from tests.cli.half_done import half_done
from tests.packs.small import AS_OF, END, START, records

WANTED = {"framework": "soc2", "start": "2026-07-01", "end": "2026-09-30"}
SAME = {"Sec-Fetch-Site": "same-origin"}


@pytest.fixture
def services(tmp_path: Path) -> Services:
    """Give a data directory with a handful of records; nothing works off its jobs unless a test does."""
    made = build_services(Settings.load(tmp_path / "data"), FixedClock(AS_OF))
    path = tmp_path / "all.ndjson"
    path.write_bytes(b"".join(msgspec.json.encode(record) + b"\n" for record in records()))
    made.import_files("records", [path], "broker", Window(start=START, end=END), lambda *_: None)
    return made


def ask(services: Services, act: Callable[[httpx.AsyncClient], Awaitable[None]], *scopes: Scope) -> None:
    """Let ``act`` talk to the application as somebody with these scopes."""

    async def talk() -> None:
        token, _ = build_services(services.settings, _Now()).auth.issue("Dana", scopes or tuple(Scope), days=1)
        transport = httpx.ASGITransport(app=create_app(services.settings))
        headers = {"Authorization": f"Bearer {token}"}
        async with httpx.AsyncClient(
            transport=transport, base_url="http://t", headers=headers, cookies={"proofroom_token": token}
        ) as client:
            await act(client)

    asyncio.run(talk())


class _Now(FixedClock):
    """Issues tokens that the application's own clock finds in force."""

    def __init__(self) -> None:
        from app.clock import SystemClock  # noqa: PLC0415

        super().__init__(SystemClock().now())


def test_a_queued_job_is_cancelled_and_a_finished_one_is_a_problem(services: Services) -> None:
    async def act(client: httpx.AsyncClient) -> None:
        job = (await client.post("/api/v1/packs", json=WANTED)).json()
        address = f"/api/v1/jobs/{job['id']}"
        for _ in range(2):
            answer = await client.delete(address)
            assert (answer.status_code, answer.json()["state"]) == (202, "cancelled")
            assert answer.headers["location"] == address
        assert (await client.get(address)).json()["state"] == "cancelled"
        other = (await client.post("/api/v1/packs", json=WANTED)).json()
        services.jobs.work_once()
        refused = await client.delete(f"/api/v1/jobs/{other['id']}")
        assert (refused.status_code, refused.json()["code"]) == (409, "conflict")
        assert "done already" in refused.json()["title"]
        assert refused.headers["content-type"] == "application/problem+json"
        assert (await client.delete("/api/v1/jobs/none")).status_code == 404

    ask(services, act)


def test_reading_does_not_allow_to_cancel(services: Services) -> None:
    job = services.jobs.submit("pack.build", {"framework": "soc2-tsc-2017", "start": START, "end": END})

    async def act(client: httpx.AsyncClient) -> None:
        assert (await client.delete(f"/api/v1/jobs/{job.id}")).status_code == 403
        fields = {"framework": "soc2", "start": "2026-07-01", "end": "2026-09-30"}
        assert (await client.post(f"/jobs/{job.id}/cancel", data=fields, headers=SAME)).status_code == 403

    ask(services, act, Scope.READ)
    assert services.jobs.get(job.id).state is JobState.QUEUED


@pytest.mark.parametrize("step", ["linking records", "testing every item", "measuring", "signing", "writing"])
def test_a_pack_that_is_cancelled_at_any_step_leaves_nothing(
    services: Services, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    data = services.settings.dir
    job = services.jobs.submit("pack.build", {"framework": "soc2-tsc-2017", "start": START, "end": END})
    told: list[str] = []
    build = services.packs.build

    def watched(framework: str, period: Any, out: Path, progress: Any, *rest: Any, **named: Any) -> Path:
        def tell(words: str, done: int, total: int) -> None:
            told.append(words)
            if words == step:
                services.jobs.cancel(job.id)
            progress(words, done, total)

        return build(framework, period, out, tell, *rest, **named)

    monkeypatch.setattr(services.packs, "build", watched)
    assert services.jobs.work_once()
    assert services.jobs.get(job.id).state is JobState.CANCELLED, services.jobs.get(job.id)
    assert told[-1] == step
    assert services.packs.list() == []
    assert _left(data / "packs") == []
    assert half_done(data / "evaluations") == []


def _left(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.rglob("*")) if folder.exists() else []


def test_the_page_has_a_button_while_there_is_something_to_cancel(services: Services) -> None:
    job = services.jobs.submit("pack.build", {"framework": "soc2-tsc-2017", "start": START, "end": END})
    fields = {"framework": "soc2", "start": "2026-07-01", "end": "2026-09-30"}

    async def act(client: httpx.AsyncClient) -> None:
        button = f'action="/jobs/{job.id}/cancel"'
        assert button in (await client.get("/", params={**fields, "job": job.id})).text
        elsewhere = await client.post(f"/jobs/{job.id}/cancel", data=fields, headers={"Sec-Fetch-Site": "cross-site"})
        assert elsewhere.status_code == 403
        for _ in range(2):
            answer = await client.post(f"/jobs/{job.id}/cancel", data=fields, headers=SAME)
            assert answer.status_code == 303
            page = (await client.get(answer.headers["location"])).text
            assert "was cancelled, and nothing of it is left" in page
            assert button not in page

    ask(services, act)
