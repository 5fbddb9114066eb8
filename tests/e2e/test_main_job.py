# SPDX-License-Identifier: Apache-2.0

"""The whole main job as a user runs it: ``proofroom demo``, then what a stranger does with the pack."""

import re
import subprocess
import sys
import zipfile
from pathlib import Path

import msgspec
import pytest

from app.__main__ import run
from app.cli.options import services
from app.evaluation.model import Period
from app.ledger.service import Ledger
from tests.e2e.conftest import Demo

SIGNED = {"report.pdf", "manifest.json", "manifest.sigstore.json", "manifest.json.p7s"}


def test_the_demo_ends_with_a_pack_and_a_transcript_in_which_every_step_is_ok(demo: Demo) -> None:
    steps = re.findall(r"^ *(\d+) .*?\.{3,} (ok|FAILED|not done)\b", demo.output, flags=re.MULTILINE)
    assert len(steps) >= 20
    assert {result for _, result in steps} == {"ok"}
    left_out = demo.output.partition("Not done, and not required:\n")[2].partition("\n\n")[0].splitlines()
    # No authority was asked for the time, and nobody but the signer has looked at the pack yet.
    assert {line.split()[0] for line in left_out} == {"21", "22", "24", "25", "27"}
    assert demo.pack.is_file()


def test_what_was_found_is_exactly_what_was_planted(demo: Demo) -> None:
    assert re.search(r"Found: exactly these \d\d+", demo.output)


def test_a_stranger_verifies_without_network_and_without_the_data_directory(demo: Demo, tmp_path: Path) -> None:
    for source in (demo.pack, demo.certificate):
        (tmp_path / source.name).write_bytes(source.read_bytes())
    no_network = ["unshare", "--net", "--map-root-user"]
    if subprocess.run([*no_network, "true"], capture_output=True, check=False).returncode:
        no_network = []  # A kernel that forbids namespaces: the import contract still holds the law.
    command = [sys.executable, "-m", "app", "verify", demo.pack.name, "--trust", demo.certificate.name]
    environment = {"PATH": "/usr/bin:/bin", "HOME": str(tmp_path), "PROOFROOM_DIR": str(tmp_path / "none")}
    done = subprocess.run(
        [*no_network, *command], cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "FAILED" not in done.stdout
    assert not (tmp_path / "none").exists()


def test_two_builds_from_the_same_ledger_have_the_same_unsigned_content(demo: Demo, tmp_path: Path) -> None:
    contents = []
    for name in ("one", "two"):
        out = tmp_path / name
        arguments = ["--framework", "soc2", "--from", "2026-07-01", "--to", "2026-09-28"]
        assert run(["pack", "build", *arguments, "--out", str(out), "--dir", str(demo.folder)]) == 0
        with zipfile.ZipFile(next(out.iterdir())) as archive:
            contents.append({name: archive.read(name) for name in archive.namelist() if name not in SIGNED})
            pdf, manifest = archive.read("report.pdf"), msgspec.json.decode(archive.read("manifest.json"))
        contents[-1]["unsigned report.pdf"] = pdf[: _unsigned_length(manifest)]
    assert contents[0] == contents[1]
    assert len(contents[0]) > 20


def _unsigned_length(manifest: dict[str, object]) -> int:
    found = re.search(r"'unsignedPdf': {[^{}]*?'length': (\d+)", str(manifest))
    assert found, "the manifest records how long the unsigned PDF is"
    return int(found.group(1))


def test_rebuilding_from_the_ledger_gives_the_same_answers(demo: Demo) -> None:
    """Law 1: only raw is evidence."""
    period = Period(start=1_782_864_000_000, end=1_790_640_000_000)
    before = services(demo.folder)
    evaluated = before.evaluator.evaluate("soc2", period)
    observations = list(before.collection.observations())
    assert run(["rebuild", "--dir", str(demo.folder)]) == 0
    after = services(demo.folder)
    assert list(after.collection.observations()) == observations
    size: int = Ledger.size(after.ledger)
    again = type(after.evaluator)(after.trails, after.controls, demo.folder / "evaluated-again", lambda: size)
    assert again.evaluate("soc2", period).evaluation == evaluated.evaluation


def test_importing_the_same_exports_again_changes_nothing_but_says_so(
    demo: Demo, capsys: pytest.CaptureFixture[str]
) -> None:
    before = len(list(services(demo.folder).collection.observations()))
    exports = demo.folder / "exports" / "teleport.jsonl"
    assert run(["import", str(exports), "--as", "teleport", "--source", "teleport", "--dir", str(demo.folder)]) == 0
    assert re.search(r"0 accepted \+ [\d,]+ duplicates", capsys.readouterr().out)
    assert len(list(services(demo.folder).collection.observations())) == before


def test_a_demo_never_deletes_a_folder_that_is_not_a_demo(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "thesis.txt").write_text("years of work", encoding="utf-8")
    assert run(["demo", "--dir", str(tmp_path), "--no-serve"]) == 2
    assert (tmp_path / "thesis.txt").read_text(encoding="utf-8") == "years of work"
    assert "not a demo" in capsys.readouterr().err
