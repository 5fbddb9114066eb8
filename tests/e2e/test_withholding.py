# SPDX-License-Identifier: Apache-2.0

"""Withholding by the command line and by REST: build, verify, disclose a part, verify again."""

import asyncio
import stat
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest

from app.__main__ import run
from app.auth.tokens import Scope
from app.clock import SystemClock
from app.main import create_app
from app.packs.withholding.disclosures import disclosures_path
from app.settings import Settings
from app.wiring import build_services
from tests.packs.withheld import PLANTED, planted_records

DAYS = ["--from", "2026-07-01", "--to", "2026-09-30"]
WITHHELD = ["--withhold", "event.text", "--withhold", "session.client_address"]
WHY = ["--withhold-reason", "GDPR Art. 5(1)(c)"]
ITEM = "broker/session_event/e1"


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a data directory with the planted records."""
    folder = tmp_path_factory.mktemp("withheld")
    lines = folder / "records.ndjson"
    lines.write_bytes(b"".join(msgspec.json.encode(record) + b"\n" for record in planted_records()))
    options = ["--as", "records", "--source", "broker", *DAYS, "--dir", str(folder / "data")]
    assert run(["import", str(lines), *options]) == 0
    return folder / "data"


def build(data: Path, out: Path, *more: str) -> int:
    return run(["pack", "build", "--framework", "soc2", *DAYS, "--out", str(out), "--dir", str(data), *more])


@pytest.fixture(scope="module")
def pack(data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a pack that withholds, built by the command line."""
    out = tmp_path_factory.mktemp("out")
    assert build(data, out, *WITHHELD, *WHY, "--withhold-by", "DPO") == 0
    return out / "proofroom-soc2-tsc-2017-2026-07-01-2026-09-30-withheld.zip"


def verified(pack: Path, data: Path, capsys: pytest.CaptureFixture[str], *more: str) -> tuple[int, dict[str, Any]]:
    capsys.readouterr()
    code = run(["verify", str(pack), "--trust", str(data / "keys" / "signing.crt"), "--json", *more])
    return code, msgspec.json.decode(capsys.readouterr().out)


def test_the_pack_and_what_opens_it_are_two_files(pack: Path) -> None:
    opened = disclosures_path(pack)
    assert {path.name for path in pack.parent.iterdir()} == {pack.name, opened.name}
    assert stat.S_IMODE(opened.stat().st_mode) == 0o600
    assert PLANTED.encode() in opened.read_bytes()
    assert f"/{PLANTED}/".encode() not in pack.read_bytes()


def test_a_reader_verifies_it_and_then_what_is_disclosed(
    pack: Path, data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, report = verified(pack, data, capsys)
    assert code == 0, report
    assert report["withheld"] == ["event.text", "session.client_address"]
    assert "RSK-03" in report["not_reperformed"]
    assert "by DPO: GDPR Art. 5(1)(c)" in report["steps"][25]["detail"]
    part = tmp_path / "part.jsonl"
    options = ["pack", "disclose", str(pack), "--out", str(part), "--dir", str(data)]
    assert run([*options, "--item", ITEM, "--field", "event.text"]) == 0
    assert len(part.read_bytes().splitlines()) == 3
    code, report = verified(pack, data, capsys, "--disclosed", str(part))
    assert code == 0, report
    assert "2 values fit" in report["steps"][26]["detail"]
    assert run([*options, "--all"]) == 0
    code, report = verified(pack, data, capsys, "--disclosed", str(part))
    assert (code, report["not_reperformed"]) == (0, [])
    part.write_bytes(part.read_bytes().replace(b"rm -rf", b"ls -la"))
    code, report = verified(pack, data, capsys, "--disclosed", str(part))
    assert code == 1
    assert ITEM in " ".join(report["steps"][26]["problems"])


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--withhold", "item_id", *WHY], "cannot be withheld; these can: access_event.account"),
        (WITHHELD, "--withhold-reason"),
        (WHY, "need a field to withhold"),
    ],
)
def test_mistakes_are_told(
    data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], options: list[str], words: str
) -> None:
    assert build(data, tmp_path / "out", *options) == 2
    assert words in capsys.readouterr().err
    assert not list(tmp_path.rglob("*.zip"))


@pytest.mark.parametrize("options", [[], ["--all", "--item", ITEM], ["--field", "item_id"], ["--item", "x"]])
def test_disclosing_nothing_in_particular_is_refused(
    pack: Path, data: Path, tmp_path: Path, options: list[str]
) -> None:
    target = tmp_path / "part.jsonl"
    assert run(["pack", "disclose", str(pack), "--out", str(target), "--dir", str(data), *options]) == 2
    assert not target.exists()


def test_rest_builds_a_pack_that_withholds(data: Path) -> None:
    asyncio.run(_by_rest(data))


async def _by_rest(data: Path) -> None:
    services = build_services(Settings.load(data), SystemClock())
    token, _ = services.auth.issue("Builder", [Scope.READ, Scope.PACKS_WRITE], days=1)
    wanted = {"framework": "soc2", "start": "2026-07-01", "end": "2026-09-30", "withhold": ["event.text"]}
    transport = httpx.ASGITransport(app=create_app(Settings.load(data)))
    headers = {"Authorization": f"Bearer {token}"}
    async with httpx.AsyncClient(transport=transport, base_url="http://t/api/v1", headers=headers) as client:
        refused = await client.post("/packs", json=wanted)
        assert (refused.status_code, refused.json()["code"]) == (400, "usage")
        accepted = await client.post("/packs", json={**wanted, "withhold_reason": "contract"})
        assert accepted.status_code == 202
        assert services.jobs.work_once()
        job = (await client.get(f"/jobs/{accepted.json()['id']}")).json()
        assert job["state"] == "done", job
        (listed,) = (await client.get("/packs")).json()[:1]
        found = await client.get(listed["download"].removeprefix("/api/v1"))
    assert listed["file_name"].endswith("-withheld.zip")
    assert b"Decided by: Builder. Reason: contract." in found.content
    assert f"/{PLANTED}/".encode() not in found.content
