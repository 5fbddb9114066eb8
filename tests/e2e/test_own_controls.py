# SPDX-License-Identifier: Apache-2.0

"""The walk of docs/controls.md over the demo: its commands run, and what it says of their effect is so."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest

from app.__main__ import run
from app.cli.options import services
from app.evaluation.engine import outcomes_of
from app.evaluation.model import ItemOutcome, Period
from app.trails.populations import GrantRow
from app.trails.segments import read_rows
from tests.conftest import ROOT
from tests.e2e.conftest import Demo

PAGE = (ROOT / "docs" / "controls.md").read_text(encoding="utf-8")
OWN = ROOT / "docs" / "examples" / "own-controls"
OPTIONS = ["--framework", "soc2", "--from", "2026-07-01", "--to", "2026-09-28"]
PERIOD = Period(start=1_782_864_000_000, end=1_790_640_000_000)
MIDDLE = 1_786_752_000_000
"""2026-08-15, on which the overlay begins."""
HOUR = 3_600_000


@pytest.fixture(scope="module")
def folder(demo: Demo, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder as the page takes it: the project's docs and a copy of the demo's data."""
    place = tmp_path_factory.mktemp("walk")
    (place / "docs").symlink_to(ROOT / "docs")
    shutil.copytree(demo.folder, place / "proofroom-demo", ignore=shutil.ignore_patterns("packs", "evaluations"))
    return place


def long_grants(demo: Demo) -> dict[str, int]:
    """Return the patient-records grants that pass GRT-01 as it ships, but last over three hours, with their instant."""
    evaluated = services(demo.folder).evaluator.evaluate("soc2", PERIOD)
    outcomes = outcomes_of(evaluated.results, "grant", "GRT-01")
    found = {}
    for row in read_rows(evaluated.segments, "grant"):
        assert isinstance(row, GrantRow)
        if outcomes[row.item_id] is ItemOutcome.PASS and row.workflow and row.workflow.id == "patient-records":
            assert row.grant.starts_at is not None
            end = row.grant.ends_at if row.grant.expires_at is None else row.grant.expires_at
            assert end is not None
            assert row.at is not None
            if end - row.grant.starts_at > 3 * HOUR:
                found[row.item_id] = row.at
    return found


def test_the_diff_moves_exactly_the_items_in_the_scope_and_after_the_day(
    demo: Demo, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "overlays").mkdir()
    shutil.copy(OWN / "overlays" / "house.yaml", tmp_path / "overlays")
    assert run(["controls", "diff", "-", f"+{tmp_path}", *OPTIONS, "--dir", str(demo.folder), "--json"]) == 0
    found = msgspec.json.decode(capsys.readouterr().out)
    grants = long_grants(demo)
    after = sorted(item for item, at in grants.items() if at >= MIDDLE)
    assert (len(after), len(grants) - len(after)) == (2, 2), "what docs/controls.md says"
    assert [item["item_id"] for item in found["items"] if item["test_id"] == "GRT-01"] == after
    assert {(item["test_id"], item["old"], item["new"]) for item in found["items"]} == {("GRT-01", "pass", "fail")}
    changed = {test["test_id"]: {field["field"]: field["new"] for field in test["fields"]} for test in found["tests"]}
    assert set(changed) == {"GRT-01", "SES-03"}
    where = 'where workflow != null && workflow.id == "patient-records"'
    assert changed["GRT-01"][f"max_duration [house: from 2026-08-15 {where}]"] == "3h"
    assert found["mappings"] == []


def test_nothing_moves_in_a_period_before_the_overlay(
    demo: Demo, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "overlays").mkdir()
    shutil.copy(OWN / "overlays" / "house.yaml", tmp_path / "overlays")
    before = [*OPTIONS[:-1], "2026-08-14"]
    assert run(["controls", "diff", "-", f"+{tmp_path}", *before, "--dir", str(demo.folder), "--json"]) == 0
    found = msgspec.json.decode(capsys.readouterr().out)
    assert (found["tests"], found["items"], found["counts"], found["statuses"]) == ([], [], [], [])
    assert found["old_controls_sha256"] != found["new_controls_sha256"]


def test_a_problem_of_a_side_is_named_where_its_file_is(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "overlays").mkdir()
    text = (OWN / "overlays" / "house.yaml").read_text(encoding="utf-8")
    (tmp_path / "overlays" / "house.yaml").write_text(text.replace("GRT-01", "GRT-91"), encoding="utf-8")
    assert run(["controls", "diff", "-", f"+{tmp_path}", *OPTIONS, "--dir", str(tmp_path)]) == 2
    assert f"{tmp_path}/overlays/house.yaml:7:11: there is no test 'GRT-91'" in capsys.readouterr().err
    assert run(["controls", "check", "--own", str(tmp_path)]) == 1
    assert "own/overlays/house.yaml:7:11: there is no test 'GRT-91'" in capsys.readouterr().err


def test_own_controls_that_do_not_load_stop_every_command(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "controls" / "overlay").mkdir(parents=True)
    (tmp_path / "controls" / "overlay" / "x.yaml").write_text("kind: Overlay\n", encoding="utf-8")
    for command in (["evaluate", *OPTIONS], ["gaps", *OPTIONS], ["pack", "build", *OPTIONS, "--out", str(tmp_path)]):
        assert run([*command, "--dir", str(tmp_path)]) == 2
        assert "own/overlay/x.yaml:1:1: this file is not read" in capsys.readouterr().err
    assert run(["serve", "--dir", str(tmp_path)]) == 2
    assert "own/overlay/x.yaml" in capsys.readouterr().err
    monkeypatch.setenv("PROOFROOM_CONTROLS", str(tmp_path / "nowhere"))
    assert run(["evaluate", *OPTIONS, "--dir", str(tmp_path)]) == 2
    assert "nowhere" in capsys.readouterr().err


def test_the_commands_of_the_page_run_and_do_what_it_says(folder: Path) -> None:
    blocks = re.findall(r"^```console\n(.*?)^```", PAGE, flags=re.MULTILINE | re.DOTALL)
    commands = [line[2:] for block in blocks for line in block.splitlines() if line.startswith("$ ")]
    assert len(commands) == sum(block.count("\n") for block in blocks) > 8
    environment = os.environ | {"PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}
    shown = {}
    for command in commands:
        done = subprocess.run(  # noqa: S602 - The page's commands are ours, and are run as people would run them.
            command, shell=True, cwd=folder, env=environment, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, (command, done.stdout[-2000:], done.stderr[-2000:])
        shown[command.split(" --")[0]] = done.stdout
    assert re.search(r"GRT-01 +pass +fail +2\b", shown["proofroom controls diff - +own"])
    assert "OWN-01" in shown["proofroom evaluate"]
    assert "excluded: " in shown["proofroom controls coverage iso27001"]
    assert "Every step holds" in shown["proofroom verify packs/*.zip"]


def test_the_example_on_the_page_is_the_file() -> None:
    overlay = (OWN / "overlays" / "house.yaml").read_text(encoding="utf-8")
    (block,) = re.findall(r"```yaml\n(kind: Overlay.*?)```", PAGE, flags=re.DOTALL)
    lines = [line.strip(" -") for line in block.splitlines()]
    assert len(lines) > 7
    for line in lines:
        assert line in overlay, line
