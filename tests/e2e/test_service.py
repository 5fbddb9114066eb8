# SPDX-License-Identifier: Apache-2.0

"""The service over the demo's data: doors, shapes, pages, and a pack built as a job."""

import datetime
import hashlib
import threading
import time
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
import uvicorn

from app.auth.tokens import Scope
from app.clock import SystemClock
from app.main import create_app
from app.settings import Settings
from app.wiring import Services, build_services
from tests.e2e.conftest import Demo

PERIOD = {"start": "2026-07-01", "end": "2026-09-28"}
API = "/api/v1"


@pytest.fixture(scope="module")
def services(demo: Demo) -> Services:
    """Open the demo's data directory."""
    return build_services(Settings.load(demo.folder), SystemClock())


@pytest.fixture(scope="module")
def client(demo: Demo) -> Iterator[httpx.Client]:
    """Serve the demo's data directory by a real server on a free port of this machine."""
    config = uvicorn.Config(create_app(Settings.load(demo.folder)), host="127.0.0.1", port=0, log_level="warning")
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run)
    thread.start()
    while not server.started:
        assert thread.is_alive(), "the server did not start"
        time.sleep(0.02)
    port = server.servers[0].sockets[0].getsockname()[1]
    with httpx.Client(base_url=f"http://127.0.0.1:{port}", follow_redirects=True, timeout=60) as client:
        yield client
    server.should_exit = True
    thread.join()


@pytest.fixture(scope="module")
def reader(services: Services) -> dict[str, str]:
    """Return the headers of somebody who may read."""
    token, _ = services.auth.issue("Reader", [Scope.READ], days=1)
    return {"Authorization": f"Bearer {token}"}


@pytest.fixture(scope="module")
def builder(services: Services) -> dict[str, str]:
    """Return the headers of somebody who may build packs."""
    token, _ = services.auth.issue("Builder", [Scope.READ, Scope.PACKS_WRITE], days=1)
    return {"Authorization": f"Bearer {token}"}


def test_every_endpoint_refuses_a_caller_without_a_token(client: httpx.Client) -> None:
    """The list comes from the OpenAPI document, so a new endpoint cannot be forgotten."""
    document = client.get(f"{API}/openapi.json").json()
    assert document["openapi"].startswith("3.1")
    calls = [(method, path) for path, methods in document["paths"].items() for method in methods]
    assert len(calls) >= 12
    for method, path in calls:
        answer = client.request(method, path.replace("{", "").replace("}", ""), params={"framework": "soc2", **PERIOD})
        assert answer.status_code == 401, (method, path)
        assert answer.headers["www-authenticate"].startswith("Bearer")
        assert answer.headers["content-type"] == "application/problem+json"
        wrong = {"Authorization": "Bearer prm_000000000000_nope"}
        assert client.request(method, path.replace("{", "").replace("}", ""), headers=wrong).status_code == 401


def test_frameworks_controls_and_tests_are_told(client: httpx.Client, reader: dict[str, str]) -> None:
    frameworks = {one["id"]: one for one in client.get(f"{API}/frameworks", headers=reader).json()}
    assert {"soc2-tsc-2017", "iso27001-2022", "hipaa-security"} <= set(frameworks)
    controls = client.get(f"{API}/controls", params={"framework": "soc2"}, headers=reader).json()
    assert frameworks["soc2-tsc-2017"]["controls"] == len(controls)
    tests = {one["id"] for one in client.get(f"{API}/tests", headers=reader).json()}
    assert {test for control in controls for test in control["tests"]} <= tests


def test_an_evaluation_agrees_with_the_command_line(client: httpx.Client, reader: dict[str, str], demo: Demo) -> None:
    answer = client.get(f"{API}/evaluations/soc2", params=PERIOD, headers=reader).json()
    assert answer["start"] == "2026-07-01T00:00:00Z"
    for test in answer["tests"]:
        assert sum(test["counts"].values()) == answer["population_sizes"][test["population"]]
    gaps = client.get(f"{API}/gaps", params={"framework": "soc2", **PERIOD}, headers=reader).json()
    failed = {test["test_id"] for test in answer["tests"] if test["outcome"] == "failed"}
    assert {gap["test_id"] for gap in gaps if gap["kind"] == "control_deviation"} == failed


@pytest.mark.parametrize(
    ("path", "params", "status", "code"),
    [
        ("/evaluations/cobit", PERIOD, 404, "not-found"),
        ("/evaluations/soc2", {"start": "2026-09-28", "end": "2026-07-01"}, 400, "usage"),
        ("/evaluations/soc2", {"start": "yesterday", "end": "2026-07-01"}, 422, "invalid-input"),
        ("/packs/none", {}, 404, "not-found"),
        ("/jobs/none", {}, 404, "not-found"),
        ("/jobs/%00", {}, 404, "not-found"),
        ("/packs/%00", {}, 404, "not-found"),
        ("/records", {"cursor": "?"}, 400, "usage"),
        ("/records", {"cursor": "OTk5OTk5OTk5OTk5OTk5OTk5OTk5OTkuMA=="}, 400, "usage"),
        ("/trails", {**PERIOD, "cursor": "LTkuMA=="}, 400, "usage"),
        ("/records", {"limit": 100_000}, 422, "invalid-input"),
        ("/nothing", {}, 404, "http-404"),
    ],
)
def test_mistakes_are_problem_documents(
    client: httpx.Client, reader: dict[str, str], path: str, params: dict[str, Any], status: int, code: str
) -> None:
    answer = client.get(API + path, params=params, headers=reader)
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert answer.headers["content-type"] == "application/problem+json"


def test_records_are_paged_to_the_end_without_a_repeat_or_raw_bytes(
    client: httpx.Client, reader: dict[str, str]
) -> None:
    url: str | None = f"{API}/records?type=session&limit=400"
    seen: list[tuple[str, int]] = []
    while url:
        answer = client.get(url, headers=reader)
        seen += [(one["id"], one["ledger_index"]) for one in answer.json()]
        assert all("raw" not in one for one in answer.json())
        url = answer.links.get("next", {}).get("url")
    assert len(seen) > 400
    assert len(set(seen)) == len(seen)


def test_trails_state_the_basis_of_every_link(client: httpx.Client, reader: dict[str, str]) -> None:
    trails = client.get(f"{API}/trails", params={**PERIOD, "limit": 20}, headers=reader).json()
    assert trails
    for one in trails:
        assert {link["basis"] for link in one["trail"]["links"]} <= {"exact", "derived", "window", "ambiguous", "none"}


def test_a_pack_is_built_as_a_job_and_downloaded(
    client: httpx.Client, builder: dict[str, str], reader: dict[str, str]
) -> None:
    wanted = {"framework": "hipaa", **PERIOD}
    assert client.post(f"{API}/packs", json=wanted, headers=reader).status_code == 403
    headers = {**builder, "Idempotency-Key": "one"}
    accepted = client.post(f"{API}/packs", json=wanted, headers=headers)
    assert accepted.status_code == 202
    again = client.post(f"{API}/packs", json=wanted, headers=headers)
    assert again.json()["id"] == accepted.json()["id"]
    job = _wait(client, accepted.headers["location"], reader)
    assert job["state"] == "done", job
    pack = next(one for one in client.get(f"{API}/packs", headers=reader).json() if "hipaa" in one["framework"])
    download = client.get(pack["download"], headers=reader)
    assert hashlib.sha256(download.content).hexdigest() == pack["sha256"]
    assert download.headers["etag"] == f'"{pack["sha256"]}"'


def _wait(client: httpx.Client, address: str, headers: dict[str, str]) -> dict[str, Any]:
    for _ in range(240):
        job: dict[str, Any] = client.get(address, headers=headers).json()
        if job["state"] in {"done", "failed"}:
            return job
        time.sleep(0.5)
    pytest.fail("the job did not end")


def test_the_page_asks_for_a_token_and_then_shows_statuses(client: httpx.Client, services: Services) -> None:
    client.cookies.clear()
    assert "Sign in" in client.get("/").text
    refused = client.post("/sign-in", data={"token": "prm_x_y"})
    assert refused.status_code == 403
    token, _ = services.auth.issue("Dana <b>", [Scope.READ, Scope.PACKS_WRITE], days=1)
    elsewhere = {"Origin": "https://evil.example", "Sec-Fetch-Site": "cross-site"}
    assert client.post("/sign-in", data={"token": token}, headers=elsewhere).status_code == 403
    page = client.post("/sign-in", data={"token": token})
    assert page.status_code == 200
    assert "Dana &lt;b&gt;" in page.text
    cookie = next(iter(client.cookies.jar))
    assert cookie.has_nonstandard_attr("HttpOnly")
    assert "script-src" not in page.headers["content-security-policy"]
    assert "default-src 'none'" in page.headers["content-security-policy"]
    for word in ("deviations", "insufficient evidence", "not tested", "APR-01"):
        assert word in page.text
    assert "<script" not in page.text
    client.cookies.clear()


def test_the_pages_are_for_tokens_that_may_read(client: httpx.Client, services: Services) -> None:
    client.cookies.clear()
    token, _ = services.auth.issue("Robot", [Scope.PACKS_WRITE], days=1)
    assert client.post("/sign-in", data={"token": token}).status_code == 403
    cookie = {"Cookie": f"proofroom_token={token}"}
    page = client.get("/", headers=cookie)
    assert "Controls at a glance" not in page.text
    assert page.headers["cache-control"] == "no-store"
    pack = services.packs.list()[0]
    answer = client.get(f"/packs/{pack.id}/download", headers=cookie)
    assert answer.headers["content-type"].startswith("text/html")


@pytest.mark.parametrize("path", ["/static/proofroom.css", "/static/mark.svg", "/fonts/sans-regular", "/api/v1/docs"])
def test_what_the_pages_need_is_served(client: httpx.Client, path: str) -> None:
    assert client.get(path).status_code == 200


@pytest.mark.parametrize("path", ["/static/../app/main.py", "/static/..%2Fsettings.py", "/fonts/OFL.txt"])
def test_nothing_else_is_served(client: httpx.Client, path: str) -> None:
    assert client.get(path).status_code == 404


def test_the_default_period_is_that_of_the_newest_pack(client: httpx.Client, services: Services) -> None:
    token, _ = services.auth.issue("Eli", [Scope.READ], days=1)
    page = client.get("/", headers={"Cookie": f"proofroom_token={token}"}).text
    assert f'value="{datetime.date(2026, 7, 1)}"' in page
