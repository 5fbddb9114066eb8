# SPDX-License-Identifier: Apache-2.0

"""The tools of whoever writes the tests: how far they reach, and what a change of them would change."""

import hashlib
import shutil
from pathlib import Path

import msgspec
import pytest

from app.__main__ import run
from app.cli.options import services
from app.evaluation.engine import outcomes_of
from app.evaluation.model import ItemOutcome, Period
from app.resources import shipped
from app.trails.populations import GrantRow
from app.trails.segments import read_rows
from tests.e2e.conftest import Demo

OPTIONS = ["--framework", "soc2", "--from", "2026-07-01", "--to", "2026-09-28"]
PERIOD = Period(start=1_782_864_000_000, end=1_790_640_000_000)
FOUR_HOURS = 4 * 3_600_000


def changed(folder: Path, name: str, *replacements: tuple[str, str]) -> Path:
    """Return a copy of the shipped controls in which these texts of one file are replaced."""
    shutil.copytree(shipped("controls"), folder)
    path = folder / name
    text = path.read_text(encoding="utf-8")
    for old, new in replacements:
        assert old in text
        text = text.replace(old, new)
    path.write_text(text, encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def strict(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return controls in which a grant may last four hours instead of eight."""
    folder = tmp_path_factory.mktemp("strict") / "controls"
    return changed(folder, "tests/grant.yaml", ("max_duration: 8h", "max_duration: 4h"))


def longer_passes(demo: Demo) -> list[str]:
    """Return the grants that pass GRT-01 as it ships, but last longer than four hours, by looking at each."""
    evaluated = services(demo.folder).evaluator.evaluate("soc2", PERIOD)
    outcomes = outcomes_of(evaluated.results, "grant", "GRT-01")
    found = []
    for row in read_rows(evaluated.segments, "grant"):
        assert isinstance(row, GrantRow)
        if outcomes[row.item_id] is ItemOutcome.PASS:
            end = row.grant.ends_at if row.grant.expires_at is None else row.grant.expires_at
            assert end is not None
            assert row.grant.starts_at is not None
            if end - row.grant.starts_at > FOUR_HOURS:
                found.append(row.item_id)
    return sorted(found)


def contents(folder: Path) -> dict[str, str]:
    """Return every file of a data directory with its digest; SQLite's own scratch files are left out."""
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in folder.rglob("*")
        if path.is_file() and not path.name.endswith(("-wal", "-shm"))
    }


def test_a_stricter_limit_turns_exactly_the_longer_passes_into_fails(
    demo: Demo, strict: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    expected = longer_passes(demo)
    assert len(expected) > 20, "more than the text shows"
    before = contents(demo.folder)
    assert run(["controls", "diff", "-", str(strict), *OPTIONS, "--dir", str(demo.folder), "--json"]) == 0
    found = msgspec.json.decode(capsys.readouterr().out)
    assert [item["item_id"] for item in found["items"]] == expected
    assert {(item["test_id"], item["old"], item["new"]) for item in found["items"]} == {("GRT-01", "pass", "fail")}
    assert found["counts"] == [{"test_id": "GRT-01", "old": "pass", "new": "fail", "items": len(expected)}]
    (test,) = found["tests"]
    assert test["fields"] == [{"field": "parameters.max_duration", "old": "8h", "new": "4h"}]
    assert found["mappings"] == []
    assert contents(demo.folder) == before, "nothing of it is kept: no evaluation, no register, no folder"

    assert run(["controls", "diff", str(strict), "-", *OPTIONS, "--dir", str(demo.folder)]) == 0
    shown = capsys.readouterr().out
    assert "item outcomes that change: " + str(len(expected)) in shown
    for item in expected[:20]:
        assert item in shown
    assert expected[20] not in shown
    assert f"{len(expected) - 20} more; --json has all of them" in shown


def test_a_mapping_that_is_gone_moves_the_status_of_its_control(
    demo: Demo, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """CC7.5 rests on TKT-01 alone; without it, the control is not tested."""
    mapped = (shipped("controls") / "mappings" / "soc2-tsc-2017.yaml").read_text(encoding="utf-8")
    start = mapped.index("  - control: CC7.5\n")
    entry = mapped[start : mapped.index("  - control: ", start + 1)]
    folder = changed(tmp_path / "controls", "mappings/soc2-tsc-2017.yaml", (entry, ""))
    catalog = folder / "catalog" / "soc2-tsc-2017.yaml"
    text = catalog.read_text(encoding="utf-8")
    reason = "  - id: CC7.5\n    not_tested_because: It is about a document.\n"
    catalog.write_text(text.replace("  - id: CC7.5\n", reason), encoding="utf-8")
    assert run(["controls", "diff", "-", str(folder), *OPTIONS, "--dir", str(demo.folder), "--json"]) == 0
    found = msgspec.json.decode(capsys.readouterr().out)
    assert [(each["control_id"], each["change"]) for each in found["mappings"]] == [("CC7.5", "removed")]
    assert [(each["control_id"], each["new"]) for each in found["statuses"]] == [("CC7.5", "not_tested")]
    assert (found["tests"], found["items"]) == ([], [])


@pytest.mark.parametrize(
    ("replacement", "words"),
    [
        (("    severity:", "    severty:"), ["tests/grant.yaml:", "severity"]),
        (("kind: ControlTests", "kind: ControlTest"), ["tests/grant.yaml:"]),
    ],
)
def test_a_broken_side_is_named_with_its_folder(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], replacement: tuple[str, str], words: list[str]
) -> None:
    folder = changed(tmp_path / "mine", "tests/grant.yaml", replacement)
    assert run(["controls", "diff", "-", str(folder), *OPTIONS, "--dir", str(tmp_path / "data")]) == 2
    shown = capsys.readouterr().err
    for word in [str(folder), *words]:
        assert word in shown


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        (["controls", "diff", "-", "nowhere", *OPTIONS], "nowhere"),
        (["controls", "diff", "-", "-", *OPTIONS], "proofroom import"),
        (["controls", "diff", "-", "-", "--framework", "soc3", *OPTIONS[2:]], "soc3"),
        (["controls", "coverage", "soc3"], "soc3"),
        (["controls", "coverage", "soc2", "--control", "CC99"], "CC99"),
    ],
)
def test_a_mistake_gets_one_clear_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], word: str
) -> None:
    data = ["--dir", str(tmp_path / "data")] if "diff" in arguments else []
    assert run([*arguments, *data]) == 2
    shown = capsys.readouterr()
    assert word in shown.err
    assert not shown.out


@pytest.mark.parametrize("arguments", [["iso", "--control", "A.9.2.3"], ["iso27001-2022", "--control", "A.8.2"]])
def test_coverage_prints_a_row_and_a_summary(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["controls", "coverage", *arguments]) == 0
    shown = capsys.readouterr().out
    assert "Privileged rights" in shown
    assert shown.splitlines()[-1] == "ISO/IEC 27001 Annex A: 1 tested, 0 partly, 0 not tested, of 1"
    assert run(["controls", "coverage", *arguments, "--json"]) == 0
    (row,) = msgspec.json.decode(capsys.readouterr().out)["controls"]
    assert (row["control_id"], row["status"]) == ("A.8.2", "tested")
    assert {"test_id": "APR-01", "strength": "primary"} in row["tests"]
