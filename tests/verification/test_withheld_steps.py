# SPDX-License-Identifier: Apache-2.0

"""A pack that withholds fields verifies, says what nobody could check, and checks what is disclosed later."""

import re
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import msgspec
import pytest

from app.packs.assemble import sign_pack, write_pack
from app.packs.model import ReportData
from app.packs.withholding.disclosures import Disclosure, select
from app.signing.keys import SigningIdentity
from app.verification import flags
from app.verification.outcome import Failed
from app.verification.reader import Reader
from app.verification.report import StepState, VerificationReport, as_text
from app.verification.verifier import verify
from tests.packs.small import SIGNED_AT
from tests.packs.withheld import FIELDS, withheld_draft
from tests.verification.test_flag_step import REMOVE, case_of, event

Made = tuple[Path, Path]
STATED, DISCLOSED = 26, 27
CLAIMED = ("IDN-05", "RSK-03")
"""Tests of the framework that read a withheld field."""


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory, identity: SigningIdentity) -> Made:
    folder = tmp_path_factory.mktemp("withheld")
    draft, _, opened = withheld_draft(folder, identity)
    write_pack(sign_pack(draft, identity, SIGNED_AT), folder / "pack.zip")
    return folder / "pack.zip", opened


def verified(made: Made, identity: SigningIdentity, *files: Path) -> VerificationReport:
    given = tuple((path.name, path.read_bytes()) for path in files)
    return verify(made[0], identity.certificate_der, reader=Reader(disclosed=given))


def detail(report: VerificationReport, number: int) -> str:
    (step,) = (step for step in report.steps if step.number == number)
    assert step.state is StepState.OK, step
    return step.detail


def part(made: Made, folder: Path, **wanted: str) -> Path:
    """Write a part of the disclosures."""
    path = folder / "part.jsonl"
    select(made[1], path, lambda one: all(getattr(one, name) == value for name, value in wanted.items()))
    return path


def test_a_pack_that_withholds_verifies_and_says_what_was_not_done(made: Made, identity: SigningIdentity) -> None:
    report = verified(made, identity)
    assert report.holds, as_text(report)
    assert report.withheld == FIELDS
    assert report.not_reperformed == tuple(name for name in CLAIMED if name in report.not_reperformed) != ()
    claimed = ", ".join(report.not_reperformed)
    assert f"NOT DONE for {claimed}" in detail(report, 15)
    assert f"NOT DONE for {claimed}" in detail(report, 16)
    assert "NOT DONE for 3 withheld texts" in detail(report, 23)
    assert "GDPR Art. 5(1)(c)" in detail(report, STATED)
    text = as_text(report)
    assert "Note: This pack withholds" in text
    (relying,) = (
        caution for caution in report.cautions if "flags of 3 withheld texts are the signer's claim" in caution
    )
    assert "RSK-01" in relying
    assert not any(name in relying for name in report.not_reperformed)
    assert text.endswith(f"Not run again, because values are withheld: {claimed}.")


def test_all_other_tests_are_run_again(made: Made, identity: SigningIdentity) -> None:
    report = verified(made, identity)
    whole = 1 + int(detail(report, 15).split(" tests")[0]) + len(report.not_reperformed)
    assert whole > 30
    assert all(step.state is StepState.OK for step in report.steps if step.required)


def test_with_all_disclosed_every_test_is_run_again(made: Made, identity: SigningIdentity) -> None:
    report = verified(made, identity, made[1])
    assert report.holds, as_text(report)
    assert report.not_reperformed == ()
    lines = len(made[1].read_bytes().splitlines()) - 1
    assert detail(report, DISCLOSED).startswith(f"{lines:,} values fit; run again on them: ")
    assert detail(report, DISCLOSED).endswith("; rules on 3 texts")
    assert "Not run again" not in as_text(report)
    assert "signer's claim" not in " ".join(report.cautions)


def test_what_is_too_long_for_the_interpreter_is_counted_and_not_called_a_difference(
    made: Made, identity: SigningIdentity, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.verification.disclosed.interpret", lambda _definitions, _row: {})
    report = verified(made, identity, made[1])
    assert report.holds, as_text(report)
    assert report.not_reperformed == ()
    outcomes = sum(map(int, re.findall(r" on (\d+) of \d+ items", detail(report, DISCLOSED))))
    assert f", but for {outcomes} outcomes by the SQL engine only, " in detail(report, DISCLOSED)


def test_with_a_part_disclosed_its_items_are_run_again(made: Made, identity: SigningIdentity, tmp_path: Path) -> None:
    item = "broker/session_event/e1"
    report = verified(made, identity, part(made, tmp_path, item_id=item))
    assert report.holds, as_text(report)
    assert "RSK-03 on 1 of 3 items" in detail(report, DISCLOSED)
    assert detail(report, DISCLOSED).endswith("rules on 1 texts")
    assert "RSK-03" in report.not_reperformed


def test_an_item_without_withheld_values_needs_no_disclosure(
    made: Made, identity: SigningIdentity, tmp_path: Path
) -> None:
    report = verified(made, identity, part(made, tmp_path, field="identity.display"))
    assert report.holds
    assert detail(report, DISCLOSED) == "12 values fit; run again on them: IDN-05 on 1 of 2 items; rules on 0 texts"


LIES = {
    "another value": ({"value": "harmless"}, "the value or the salt is not what the pack commits to"),
    "no value": ({"value": None}, "the value or the salt is not what the pack commits to"),
    "another salt": ({"salt": "A" * 43}, "the value or the salt is not what the pack commits to"),
    "another item": ({"item_id": "broker/session_event/e0"}, "the value or the salt is not what the pack commits to"),
    "an item that is not there": ({"item_id": "broker/session_event/e9"}, "the pack withholds nothing in that place"),
    "another place": ({"path": "event.text_sha256"}, "the value or the salt is not what the pack commits to"),
    "another population": ({"population": "session"}, "there is no such field in that place"),
    "a population that is not there": ({"population": "x"}, "there is no such field in that place"),
    "another field": ({"field": "session.subject"}, "there is no such field in that place"),
    "a place that is not there": ({"path": "event.words"}, "there is no such field in that place"),
}


@pytest.mark.parametrize(("change", "problem"), LIES.values(), ids=LIES.keys())
def test_what_does_not_open_its_commitment_is_named(
    made: Made, identity: SigningIdentity, tmp_path: Path, change: dict[str, str | None], problem: str
) -> None:
    path = part(made, tmp_path, item_id="broker/session_event/e1", path="event.text")
    header, line = path.read_bytes().splitlines()
    lie = msgspec.structs.replace(msgspec.json.decode(line, type=Disclosure), **change)
    path.write_bytes(header + b"\n" + msgspec.json.encode(lie) + b"\n")
    report = verified(made, identity, path)
    assert not report.holds
    (failed,) = (step for step in report.steps if step.state is StepState.FAILED)
    assert failed.number == DISCLOSED
    assert any(problem in text and lie.item_id in text for text in failed.problems), failed.problems


@pytest.mark.parametrize("data", [b"", b"x\n", b'{"format":"y","content_manifest_sha256":""}\n'])
def test_what_is_no_disclosure_fails_the_step(
    made: Made, identity: SigningIdentity, tmp_path: Path, data: bytes
) -> None:
    path = tmp_path / "odd.jsonl"
    path.write_bytes(data)
    report = verified(made, identity, path)
    assert [step.number for step in report.steps if step.state is StepState.FAILED] == [DISCLOSED]


def test_two_values_for_one_place_are_refused(made: Made, identity: SigningIdentity, tmp_path: Path) -> None:
    path = part(made, tmp_path, item_id="broker/session_event/e1", path="event.text")
    line = path.read_bytes().splitlines()[1]
    path.write_bytes(path.read_bytes() + line.replace(b"rm -rf", b"ls -la") + b"\n")
    report = verified(made, identity, path)
    (failed,) = (step for step in report.steps if step.state is StepState.FAILED)
    assert "two different values are disclosed" in failed.problems[0]


def test_disclosures_of_another_pack_are_refused(
    made: Made, pack: Path, identity: SigningIdentity, tmp_path: Path
) -> None:
    given = Reader(disclosed=(("d", made[1].read_bytes()),))
    report = verify(pack, identity.certificate_der, reader=given)
    (failed,) = (step for step in report.steps if step.state is StepState.FAILED)
    assert failed.problems == ("something is disclosed, and the pack withholds nothing",)
    header, *lines = made[1].read_bytes().splitlines(keepends=True)
    other = tmp_path / "other.jsonl"
    other.write_bytes(header.replace(header[28:40], b"000000000000") + b"".join(lines))
    report = verified(made, identity, other)
    (failed,) = (step for step in report.steps if step.state is StepState.FAILED)
    assert failed.problems == ("other.jsonl is about another pack",)


def test_a_pack_that_withholds_nothing_says_so(pack: Path, identity: SigningIdentity) -> None:
    report = verify(pack, identity.certificate_der)
    assert report.holds
    assert detail(report, STATED) == "nothing is withheld"
    assert report.withheld == report.not_reperformed == ()
    (step,) = (step for step in report.steps if step.number == DISCLOSED)
    assert step.state is StepState.NOT_DONE


def that_withholds_texts() -> ReportData:
    """Return as much of a report as the step about flags reads."""
    evaluation = SimpleNamespace(period=SimpleNamespace(start=0, end=1), tests=())
    withheld = SimpleNamespace(fields=("event.text",))
    return cast(ReportData, SimpleNamespace(evaluation=evaluation, withheld=withheld))


def test_sessions_must_show_the_flags_of_events_whose_texts_are_withheld(tmp_path: Path) -> None:
    mark = {"text": "withheld:" + "A" * 43, "text_sha256": "withheld:" + "B" * 43}
    flagged = {**event("a", None, REMOVE), **mark}
    case = case_of(tmp_path / "same", [flagged], [{**flagged, "text_sha256": "withheld:" + "C" * 43}])
    case._report = that_withholds_texts()
    assert flags.again(case).startswith("NOT DONE for 1 withheld texts, whose flags are the signer's claim")
    case = case_of(tmp_path / "other", [flagged], [{**flagged, "flags": []}])
    case._report = that_withholds_texts()
    with pytest.raises(Failed, match="s/session/1 shows other flags of event a"):
        flags.again(case)
