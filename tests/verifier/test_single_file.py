# SPDX-License-Identifier: Apache-2.0

"""The one-file verifier, run where Proofroom cannot be imported, says of every pack what Proofroom says."""

import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec
import pytest

from app.packs.assemble import Draft, draft_pack, sign_pack, write_pack
from app.records.model import SessionEvent
from app.signing.keys import SigningIdentity
from app.verification.report import StepState
from app.verification.steps import STEPS
from app.verification.verifier import run
from tests.packs.small import SIGNED_AT, forge, ingredients, plain_render, records
from tests.packs.withheld import FIELDS, withheld_draft
from tests.tampering.archives import ARCHIVES
from tests.tampering.model import CONTAINER, Tampering, World
from tests.tampering.sealed import SEALED
from tests.tampering.unsealed import UNSEALED

FILE = Path(__file__).parents[2] / "verifier" / "proofroom_verify.py"
STRANGER = """
import importlib.abc, json, pathlib, runpy, sys
class Bare(importlib.abc.MetaPathFinder):
    # A machine that has the standard library and cryptography, and nothing else.
    def find_spec(self, name, path=None, target=None):
        top = name.partition(".")[0]
        if top not in sys.stdlib_module_names and top not in {"cryptography", "_cffi_backend"}:
            raise ModuleNotFoundError(name)
for name in [name for name in sys.modules if name.partition(".")[0] == "app"]:
    del sys.modules[name]
sys.meta_path.insert(0, Bare())
try:
    import app
except ModuleNotFoundError:
    pass
else:
    raise SystemExit("this is meant to be a stranger's machine")
"""
ONE = (
    STRANGER
    + """
sys.argv = sys.argv[1:]
runpy.run_path(sys.argv[0], run_name="__main__")
"""
)
MANY = (
    STRANGER
    + """
program = runpy.run_path(sys.argv[1])
trust = pathlib.Path(sys.argv[2]).read_bytes()
for path in sorted(pathlib.Path(sys.argv[3]).glob("*.zip")):
    print(json.dumps([path.stem, program["verify"](path.read_bytes(), program["Reader"](trust=[trust]))]))
"""
)
NUMBERS = {step.name: step.number for step in STEPS}
REPERFORMANCE = {13, 14, 15, 16, 17, 18, 19, 23}
"""Steps that take reading segments, controls and rules; what the file does of some of them it does only in part."""
WITHOUT = [step for step in STEPS if step.number <= 12 or step.number in {20, 21, 22, 24, 25}]


@pytest.fixture(scope="session")
def world(draft: Draft, members: dict[str, bytes], identity: SigningIdentity, stranger: SigningIdentity) -> World:
    """Return the good pack and who is about."""
    return World(draft, members, identity, stranger)


def alone(script: str, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
    """Run the file with no package but cryptography, and without the current folder and the environment's paths."""
    command = [sys.executable, "-I", "-c", script, str(FILE), *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False, cwd="/")


def judged(world: World, tamperings: Sequence[Tampering], folder: Path) -> dict[str, Any]:
    """Return what the file says of tampered packs, by name."""
    (folder / "signer.crt").write_bytes(world.identity.certificate_der)
    for tampering in tamperings:
        (folder / f"{tampering.name}.zip").write_bytes(tampering.make(world))
    done = alone(MANY, folder / "signer.crt", folder)
    assert done.returncode == 0, done.stderr
    return dict(json.loads(line) for line in done.stdout.splitlines())


def test_the_good_pack_is_accepted_with_the_signer_only(pack: Path, identity: SigningIdentity, tmp_path: Path) -> None:
    (tmp_path / "signer.crt").write_bytes(identity.certificate_der)
    done = alone(ONE, pack, "--trust", tmp_path / "signer.crt")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "the signer is the one you trust" in done.stdout
    assert "Not done by this program" in done.stdout
    without = alone(ONE, pack, "--json")
    assert without.returncode == 0
    assert not json.loads(without.stdout)["signer_checked"]
    assert alone(ONE, tmp_path / "none.zip").returncode == 2


def test_a_pack_that_withholds_fields_is_accepted(identity: SigningIdentity, tmp_path: Path) -> None:
    (tmp_path / "signer.crt").write_bytes(identity.certificate_der)
    draft, *_ = withheld_draft(tmp_path / "draft", identity)
    write_pack(sign_pack(draft, identity, SIGNED_AT), tmp_path / "pack.zip")
    done = alone(ONE, tmp_path / "pack.zip", "--trust", tmp_path / "signer.crt")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "what a pack withholds" in done.stdout.rpartition("Not done by this program")[2]
    assert f"Note: this pack withholds {', '.join(FIELDS)}; what it says of " in done.stdout


def test_a_file_has_no_place_in_a_folder_that_packs_have_not(
    draft: Draft, identity: SigningIdentity, tmp_path: Path
) -> None:
    forged = forge(draft, {"withheld/advertisement.html": b"<script>"})
    write_pack(sign_pack(forged, identity, SIGNED_AT), tmp_path / "pack.zip")
    done = alone(ONE, tmp_path / "pack.zip", "--json")
    assert [step["number"] for step in json.loads(done.stdout)["steps"] if step["state"] == "FAILED"] == [18]


def test_the_name_of_a_file_cannot_drive_a_terminal(pack: Path, tmp_path: Path) -> None:
    odd = tmp_path / "a\x1b]0;b\nc.zip"
    odd.write_bytes(pack.read_bytes())
    done = alone(ONE, odd)
    assert "a?]0;b?c.zip" in done.stdout
    assert "\x1b" not in done.stdout


def test_a_stranger_is_refused(pack: Path, stranger: SigningIdentity, tmp_path: Path) -> None:
    (tmp_path / "signer.crt").write_bytes(stranger.certificate_der)
    done = alone(ONE, pack, "--trust", tmp_path / "signer.crt", "--json")
    assert done.returncode == 1
    steps = {step["number"]: step["state"] for step in json.loads(done.stdout)["steps"]}
    assert steps[5] == "FAILED"
    assert steps[9] == "not done", "a stranger's files are not read"


def test_its_steps_are_those_of_the_verifier(world: World, tmp_path: Path) -> None:
    found = judged(world, [Tampering(_untouched, CONTAINER)], tmp_path)["_untouched"]
    assert found["holds"]
    assert all(NUMBERS[step["name"]] == step["number"] for step in found["steps"])


def _untouched(world: World) -> bytes:
    return world.data


@pytest.mark.parametrize("group", [ARCHIVES, UNSEALED, SEALED], ids=["archives", "unsealed", "sealed"])
def test_it_says_of_tampered_packs_what_the_verifier_says(world: World, tmp_path: Path, group: list[Tampering]) -> None:
    answers = judged(world, group, tmp_path)
    for tampering in group:
        found = answers[tampering.name]
        states = {step["number"]: step["state"] for step in found["steps"]}
        whole = {step["name"] for step in found["steps"] if step["whole"]}
        failed = [step["name"] for step in found["steps"] if step["state"] == "FAILED"]
        if NUMBERS[tampering.step] not in REPERFORMANCE:
            assert not found["holds"], (tampering.name, "has the same verdict as Proofroom, which refuses all of these")
        if tampering.step in whole:
            assert failed[:1] == [tampering.step], (tampering.name, found)
            assert not found["holds"]
        if states[1] != "ok":
            continue
        report = run(tmp_path / f"{tampering.name}.zip", world.identity.certificate_der, WITHOUT)
        for step in report.steps:
            mine = states.get(step.number, "not done")
            if step.name in whole:
                assert mine == step.state, (tampering.name, step, found)
            elif mine == "FAILED":
                assert step.state is StepState.FAILED, (tampering.name, step, found)


def test_a_long_text_in_a_listing_is_read(identity: SigningIdentity, tmp_path: Path) -> None:
    long = [
        msgspec.structs.replace(record, text="x" * 200_000) if isinstance(record, SessionEvent) else record
        for record in records()
    ]
    (tmp_path / "work").mkdir()
    draft = draft_pack(ingredients(tmp_path / "parts", identity, stated=long), plain_render, tmp_path / "work")
    write_pack(sign_pack(draft, identity, SIGNED_AT), tmp_path / "pack.zip")
    done = alone(ONE, tmp_path / "pack.zip")
    assert done.returncode == 0, done.stdout + done.stderr
