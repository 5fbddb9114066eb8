# SPDX-License-Identifier: Apache-2.0

"""A control that begins to fail: by the command, by REST, on the page, and by a running service within one cycle."""

import contextlib
import json
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import msgspec
import pytest

from app.__main__ import run
from app.auth.tokens import Scope
from app.clock import SystemClock
from app.settings import Settings
from app.wiring import build_services
from tests.conftest import ROOT
from tests.packs.small import records

PERIOD = "2026-07-01..2026-09-30"
NEVER_APPROVED = {"g0", "s0", "e0", "r0"}


def write(folder: Path, name: str, *, bad: bool) -> Path:
    """Write the records of the access that was never approved, or all others."""
    chosen = [record for record in records() if (record.id in NEVER_APPROVED) == bad]
    path = folder / name
    path.write_bytes(b"".join(msgspec.json.encode(record) + b"\n" for record in chosen))
    return path


def collect(path: Path, data: Path) -> None:
    days = ["--from", "2026-07-01", "--to", "2026-09-30"]
    assert run(["import", str(path), "--as", "records", "--source", "broker", "--dir", str(data), *days]) == 0


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """Give a data directory that watches a period, with records in which every access was approved."""
    folder = tmp_path / "data"
    folder.mkdir()
    (folder / "proofroom.toml").write_text(f'watched = ["soc2 {PERIOD}"]\nwatch_every = 1\n')
    collect(write(tmp_path, "good.ndjson", bad=False), folder)
    return folder


def watch(data: Path, capsys: pytest.CaptureFixture[str], *options: str) -> str:
    capsys.readouterr()
    assert run(["watch", "--dir", str(data), *options]) == 0
    return capsys.readouterr().out


def test_the_command_shows_a_baseline_then_what_moved_then_nothing(
    data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert ": baseline, " in watch(data, capsys)
    collect(write(tmp_path, "bad.ndjson", bad=True), data)
    assert "'proofroom watch' shows what moved" in capsys.readouterr().err, "the import says what to do next"
    (look,) = json.loads(watch(data, capsys, "--json"))
    assert (look["framework"], look["is_baseline"], look["controls_changed"]) == ("soc2-tsc-2017", False, False)
    moved = {(move["kind"], move["subject"]): move for move in look["moves"]}
    test = moved["test", "APR-01"]
    assert (test["old"], test["new"]) == ("passed", "failed")
    assert (test["before"]["deviations"], test["after"]["deviations"]) == (0, 1)
    assert moved["control", "CC6.3"]["new"] == "deviations"
    # The same numbers as an evaluation of these days.
    capsys.readouterr()
    first, last = PERIOD.split("..")
    assert run(["evaluate", "--framework", "soc2", "--from", first, "--to", last, "--dir", str(data), "--json"]) == 0
    evaluated = json.loads(capsys.readouterr().out)
    assert look["totals"]["deviations"] == sum(one["counts"]["fail"] for one in evaluated["tests"])
    again = watch(data, capsys)
    assert "nothing moved" in again
    assert "APR-01" not in again


def test_moves_are_a_table_for_people(data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    watch(data, capsys)
    collect(write(tmp_path, "bad.ndjson", bad=True), data)
    line = next(line for line in watch(data, capsys).splitlines() if " APR-01 " in line)
    assert line.split() == ["test", "APR-01", "passed", "failed", "0", "->", "1", "0", "0"]


@pytest.mark.parametrize(
    ("setting", "words"),
    [("", "nothing is watched"), ('watched = ["soc2 decade"]', "setting 'watched'"), ("watched = 3", "watched")],
)
def test_a_missing_or_bad_setting_gets_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], setting: str, words: str
) -> None:
    (tmp_path / "proofroom.toml").write_text(setting)
    assert run(["watch", "--dir", str(tmp_path)]) == 2
    (line,) = capsys.readouterr().err.strip().splitlines()
    assert words in line


def test_serving_refuses_a_bad_setting_at_once(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "proofroom.toml").write_text('watched = ["cobit quarter"]')
    assert run(["serve", "--dir", str(tmp_path)]) == 2
    assert "setting 'watched': 'cobit quarter'" in capsys.readouterr().err


def test_before_anything_was_collected_it_says_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "proofroom.toml").write_text('watched = ["soc2 quarter"]')
    assert run(["watch", "--dir", str(tmp_path)]) == 2
    assert "nothing was collected yet" in capsys.readouterr().err


@contextlib.contextmanager
def served(data: Path) -> Iterator[httpx.Client]:
    """Run ``proofroom serve`` as a process of its own."""
    token, _ = build_services(Settings.load(data), SystemClock()).auth.issue("Reader", [Scope.READ], days=1)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "app", "serve", "--dir", str(data), "--port", str(port)]
    process = subprocess.Popen(command, cwd=ROOT, stderr=subprocess.PIPE, text=True)
    try:
        headers = {"Authorization": f"Bearer {token}", "Cookie": f"proofroom_token={token}"}
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", headers=headers, timeout=60) as client:
            _until(lambda: _is_up(client) or process.poll() is not None)
            yield client
    finally:
        process.terminate()
        print(process.communicate(timeout=60)[1])  # noqa: T201 -- shown where a test fails


def _is_up(client: httpx.Client) -> bool:
    try:
        return client.get("/static/mark.svg").status_code == 200
    except httpx.TransportError:
        return False


def _until(holds) -> None:
    for _ in range(600):
        if holds():
            return
        time.sleep(0.1)
    pytest.fail("it did not happen")


def test_a_running_service_sees_it_within_one_cycle(data: Path, tmp_path: Path) -> None:
    with served(data) as client:
        assert client.get("/api/v1/changes", headers={"Authorization": ""}).status_code == 401
        _until(lambda: client.get("/api/v1/changes").json())
        (first,) = client.get("/api/v1/changes").json()
        assert (first["kind"], first["new"], first["before"]) == ("period", "baseline", None)
        assert "First look: the baseline" in client.get("/", params={"framework": "soc2"}).text
        collect(write(tmp_path, "bad.ndjson", bad=True), data)
        _until(lambda: len(client.get("/api/v1/changes").json()) > 1)
        found = client.get("/api/v1/changes").json()
        test = next(one for one in found if one["subject"] == "APR-01")
        assert (test["kind"], test["old"], test["new"]) == ("test", "passed", "failed")
        assert test["after"] == {"deviations": 1, "waived": 0, "evidence_gaps": 0}
        assert (test["start"], test["end"]) == ("2026-07-01T00:00:00Z", "2026-10-01T00:00:00Z")
        paged, url = [], "/api/v1/changes?limit=2&framework=soc2"
        while url:
            answer = client.get(url)
            paged += answer.json()
            url = answer.links.get("next", {}).get("url")
        assert paged == found
        assert client.get("/api/v1/changes", params={"framework": "hipaa"}).json() == []
        assert client.get("/api/v1/changes", params={"framework": "cobit"}).status_code == 404
        assert client.get("/api/v1/changes", params={"cursor": "?"}).status_code == 400
        page = client.get("/", params={"framework": "soc2"}).text
        section = page.partition('id="changes"')[2].partition("</section>")[0]
        assert "APR-01" in section
        assert section.index('class="id">CC') < section.index('class="id">APR-01'), "controls come first"
        assert "deviations" in section
        other = client.get("/", params={"framework": "hipaa"}).text
        assert "This framework is not watched" in other
