# SPDX-License-Identifier: Apache-2.0

"""A pack made with an organisation's own controls: they are in it, it verifies with them, and not with others."""

from pathlib import Path

import msgspec
import pytest

from app.controls.loader import load
from app.evaluation.engine import outcomes_of
from app.packs.assemble import Draft, draft_pack, sign_pack, write_pack
from app.resources import shipped
from app.signing.keys import SigningIdentity
from app.verification.report import StepState, VerificationReport
from app.verification.verifier import verify
from tests.conftest import ROOT
from tests.packs.small import SHORTER_GRANTS, SIGNED_AT, forge, identity_in, ingredients, plain_render

MORE = """\
  - test: GRT-03
    parameters: {max_lag: 1m}
    from: 2020-01-01
    until: 2020-12-31
"""
OVERLAY = SHORTER_GRANTS + MORE
TEXT = "kind: CatalogText\nframework: iso27001-2022\nlicence_note: Ours.\ntexts: {A.8.2: Words of the owner.}\n"
NAME = "controls/own/overlays/mine.yaml"


@pytest.fixture(scope="module")
def identity(tmp_path_factory: pytest.TempPathFactory) -> SigningIdentity:
    return identity_in(tmp_path_factory.mktemp("identity"))


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory, identity: SigningIdentity) -> tuple[Draft, Path]:
    """Return the draft of a small pack with an overlay, a test of its own and licensed text, and its result vectors."""
    folder = tmp_path_factory.mktemp("own")
    own = folder / "own"
    for name in ("tests", "mappings"):
        (own / name).mkdir(parents=True)
        for path in (ROOT / "docs" / "examples" / "own-controls" / name).iterdir():
            (own / name / path.name).write_bytes(path.read_bytes())
    for name, text in (("overlays/mine.yaml", OVERLAY), ("texts/iso.yaml", TEXT)):
        (own / name).parent.mkdir(exist_ok=True)
        (own / name).write_text(text, encoding="utf-8")
    parts = ingredients(folder, identity, load(shipped("controls"), own))
    (folder / "work").mkdir()
    return draft_pack(parts, plain_render, folder / "work"), folder / "results"


def checked(draft: Draft, identity: SigningIdentity, folder: Path) -> VerificationReport:
    write_pack(sign_pack(draft, identity, SIGNED_AT), folder / "pack.zip")
    return verify(folder / "pack.zip", identity.certificate_der)


def failed(report: VerificationReport) -> set[int]:
    return {step.number for step in report.steps if step.state is StepState.FAILED}


def test_each_grant_is_judged_by_the_value_of_its_day(made: tuple[Draft, Path]) -> None:
    found = outcomes_of(made[1], "grant", "GRT-01")
    assert {item.rpartition("/")[2]: outcome.word for item, outcome in found.items()} == {
        "g0": "pass",
        "g1": "fail",
        "g2": "fail",
    }


def test_the_report_shows_the_change_and_the_gap_names_it(made: tuple[Draft, Path]) -> None:
    results = {result.test_id: result for result in made[0].report.evaluation.tests}
    (told,) = results["GRT-01"].slices
    assert (told.parameters, told.first_day, told.last_day) == ({"max_duration": "1h"}, "2026-07-02", None)
    assert results["GRT-03"].slices == (), "a change outside the period changes nothing"
    assert "OWN-01" in results
    (gap,) = [gap for gap in made[0].report.gaps if gap.test_id == "GRT-01" and gap.kind == "control_deviation"]
    assert "Changed in the period: max_duration 1h from 2026-07-02 for items where workflow" in gap.criteria
    assert "approved by bo" in gap.criteria


def test_the_pack_has_the_files_but_no_licensed_text(made: tuple[Draft, Path]) -> None:
    own = {name for name in made[0].members if name.startswith("controls/own/")}
    assert own == {
        NAME,
        "controls/own/tests/patient-data.yaml",
        "controls/own/mappings/soc2.yaml",
        "controls/own/mappings/iso27001.yaml",
    }
    for name, content in made[0].members.items():
        assert b"Words of the owner" not in b"".join(content.chunks()), name


def test_it_verifies_with_its_own_controls(made: tuple[Draft, Path], identity: SigningIdentity, tmp_path: Path) -> None:
    report = checked(made[0], identity, tmp_path)
    assert report.holds, [step for step in report.steps if step.problems]


CHANGES = [
    ("another value", "max_duration: 1h", "max_duration: 2h"),
    ("another day", "from: 2026-07-02", "from: 2026-07-03"),
    ("another scope", 'workflow.id == "wf"', 'workflow.id == "wx"'),
    ("another approver", "approved_by: bo", "approved_by: ana"),
    ("a change outside the period", "2020-12-31", "2021-12-31"),
]


@pytest.mark.parametrize(("name", "old", "new"), CHANGES, ids=[each[0] for each in CHANGES])
def test_it_fails_when_the_overlay_in_it_is_another(
    made: tuple[Draft, Path], identity: SigningIdentity, tmp_path: Path, name: str, old: str, new: str
) -> None:
    """Signed again by who has the key, with all digests made to fit."""
    assert old in OVERLAY
    report = checked(forge(made[0], {NAME: OVERLAY.replace(old, new).encode()}), identity, tmp_path)
    assert not report.holds
    assert 13 in failed(report), name


def test_it_fails_when_the_overlay_is_left_out_or_texts_are_put_in(
    made: tuple[Draft, Path], identity: SigningIdentity, tmp_path: Path
) -> None:
    for changes in ({NAME: None}, {"controls/own/texts/iso.yaml": TEXT.encode()}):
        report = checked(forge(made[0], changes), identity, tmp_path)
        assert 13 in failed(report), changes


def test_it_fails_when_the_report_is_silent_about_a_change(
    made: tuple[Draft, Path], identity: SigningIdentity, tmp_path: Path
) -> None:
    evaluation = made[0].report.evaluation
    tests = tuple(msgspec.structs.replace(result, slices=()) for result in evaluation.tests)
    lying = msgspec.structs.replace(made[0].report, evaluation=msgspec.structs.replace(evaluation, tests=tests))
    report = checked(forge(made[0], {}, report=lying), identity, tmp_path)
    assert 15 in failed(report)
