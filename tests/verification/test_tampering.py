# SPDX-License-Identifier: Apache-2.0

"""Every file changed, removed or added by somebody without the key: the step that must see it does."""

import base64
import resource
from pathlib import Path

import msgspec
import pytest

from app.errors import InvalidInput
from app.packs import layout
from app.signing.canonical import canonical_json
from app.signing.dsse import sign_bundle
from app.signing.keys import SigningIdentity
from app.verification.memory import bounded_memory
from app.verification.report import StepState, VerificationReport
from app.verification.steps import STEPS
from app.verification.verifier import read_trust, run, verify
from tests.packs.small import write_members

ABOUT_FORM = STEPS[:7]
SEEN_BY = {layout.MANIFEST: {2, 3, 4}, layout.BUNDLE: {3}, layout.CMS: {4}}
"""Which steps may be the first to see a changed signature file; every other file is seen by step 6."""
WHOLE = ("report.pdf", "report.json", "ledger/entries.jsonl", "controls/tests/session.yaml", "results/session.parquet")
FILES = 55
"""The small pack has more files than these; a change of the layout must not empty the tests below."""


def failed(report: VerificationReport) -> set[int]:
    return {step.number for step in report.steps if step.state is StepState.FAILED}


def changed(data: bytes, position: int) -> bytes:
    return data[:position] + bytes([data[position] ^ 0x01]) + data[position + 1 :]


def test_the_pack_itself_verifies(pack: Path, identity: SigningIdentity) -> None:
    report = verify(pack, identity.certificate_der)
    left_out = {step.number for step in report.steps if step.state is StepState.NOT_DONE}
    assert left_out == {21, 22, 24, 25, 27}, "nothing was given beside the pack, so there is nothing to look at"
    assert not failed(report), [step for step in report.steps if step.problems]
    assert report.holds
    assert report.signer_checked
    assert report.certificate_sha256 == identity.certificate_sha256


def test_a_changed_byte_in_any_file_is_seen(
    members: dict[str, bytes], identity: SigningIdentity, tmp_path: Path
) -> None:
    assert len(members) > FILES
    for name, data in members.items():
        for position in sorted({0, len(data) // 2, len(data) - 1}):
            path = write_members(members | {name: changed(data, position)}, tmp_path / "pack.zip")
            report = run(path, identity.certificate_der, ABOUT_FORM)
            assert not report.holds, (name, position)
            assert failed(report) & SEEN_BY.get(name, {6}), (name, position)


@pytest.mark.parametrize("name", WHOLE)
def test_a_changed_file_is_named_and_never_parsed(
    members: dict[str, bytes], identity: SigningIdentity, tmp_path: Path, name: str
) -> None:
    data = changed(members[name], len(members[name]) // 2)
    report = verify(write_members(members | {name: data}, tmp_path / "pack.zip"), identity.certificate_der)
    assert not report.holds
    assert 6 in failed(report)
    assert any(name in problem for problem in report.steps[5].problems)
    assert "step 6" in report.verdict
    assert any(f"{name} is not the file that was signed" in step.detail for step in report.steps)


def test_a_removed_file_is_seen(members: dict[str, bytes], identity: SigningIdentity, tmp_path: Path) -> None:
    for name in members:
        rest = {other: data for other, data in members.items() if other != name}
        report = run(write_members(rest, tmp_path / "pack.zip"), identity.certificate_der, ABOUT_FORM)
        assert not report.holds, name
        assert any(f"{name} is missing" in problem for problem in report.steps[5].problems) or name == layout.MANIFEST


@pytest.mark.parametrize("name", ["extra.txt", "populations/session/2020-01-01.parquet", "controls/tests/x.yaml"])
def test_an_added_file_is_seen(members: dict[str, bytes], identity: SigningIdentity, tmp_path: Path, name: str) -> None:
    report = run(write_members(members | {name: b"x"}, tmp_path / "pack.zip"), identity.certificate_der, ABOUT_FORM)
    assert 6 in failed(report)
    assert f"{name} is not named by the statement" in report.steps[5].problems


def test_every_byte_of_the_container_counts(pack: Path, identity: SigningIdentity, tmp_path: Path) -> None:
    """Bytes outside the files: headers of members, the directory, the end record, and what is put around it."""
    data = pack.read_bytes()
    directory = data.rindex(b"PK\x05\x06") - 60
    cases = [changed(data, position) for position in (*range(14), *range(directory, len(data)))]
    cases += [data + b"\n", b"\n" + data, data[:-1]]
    for number, case in enumerate(cases):
        (tmp_path / "pack.zip").write_bytes(case)
        assert 1 in failed(run(tmp_path / "pack.zip", identity.certificate_der, STEPS[:1])), number


@pytest.mark.parametrize("data", [b"", b"PK\x03\x04", b"nonsense" * 100])
def test_what_is_no_pack_is_reported_and_not_raised(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "pack.zip").write_bytes(data)
    report = verify(tmp_path / "pack.zip", None)
    assert not report.holds
    assert failed(report) == {1}
    assert {step.state for step in report.steps[1:]} == {StepState.NOT_DONE}


def test_a_certificate_without_its_signature_is_not_called_trusted(
    members: dict[str, bytes], identity: SigningIdentity, stranger: SigningIdentity, tmp_path: Path
) -> None:
    """Somebody without the key takes the trusted signer's certificate and puts another signature beside it."""
    bundle = msgspec.json.decode(sign_bundle(members[layout.MANIFEST], stranger))
    held = {"certificate": {"rawBytes": base64.b64encode(identity.certificate_der).decode()}}
    forged = canonical_json({**bundle, "verificationMaterial": held})
    path = write_members(members | {layout.BUNDLE: forged}, tmp_path / "pack.zip")
    report = verify(path, identity.certificate_der)
    assert 3 in failed(report)
    assert not report.signer_checked
    assert report.certificate_sha256 is None
    assert {step.state for step in report.steps[6:]} == {StepState.NOT_DONE}, "what nobody signed is not parsed"


def test_memory_is_bounded_while_a_pack_is_verified() -> None:
    before = resource.getrlimit(resource.RLIMIT_AS)
    with bounded_memory() as bound, pytest.raises(MemoryError):
        bytearray(bound)
    assert resource.getrlimit(resource.RLIMIT_AS) == before


def test_a_trust_anchor_that_cannot_be_read_is_a_users_mistake(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="cannot be read"):
        read_trust(tmp_path)
