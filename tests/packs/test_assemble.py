# SPDX-License-Identifier: Apache-2.0

"""Assembly: the same bytes each time, and a guide whose commands really work."""

import hashlib
import re
import shutil
import zipfile
from pathlib import Path

import msgspec
import pytest

from app.errors import UsageError
from app.packs import layout
from app.packs.assemble import Draft, sign_pack
from app.packs.model import ReportData
from app.signing.keys import SigningIdentity
from tests.packs.guide_commands import run_guide
from tests.packs.small import END, SIGNED_AT, identity_in, read_members, small_draft, small_pack

TOOLS = ("openssl", "sha256sum", "pdfsig", "bash")


@pytest.fixture(scope="module")
def identity(tmp_path_factory: pytest.TempPathFactory) -> SigningIdentity:
    """Return who signs."""
    return identity_in(tmp_path_factory.mktemp("identity"))


@pytest.fixture(scope="module")
def draft(tmp_path_factory: pytest.TempPathFactory, identity: SigningIdentity) -> Draft:
    """Return the small pack before it is signed."""
    return small_draft(tmp_path_factory.mktemp("draft"), identity)


@pytest.fixture(scope="module")
def unpacked(tmp_path_factory: pytest.TempPathFactory, identity: SigningIdentity) -> Path:
    """Return a folder with the small pack, built a second time, in its files."""
    folder = tmp_path_factory.mktemp("unpacked")
    with zipfile.ZipFile(small_pack(folder / "build", identity)) as archive:
        archive.extractall(folder / "pack")
    return folder / "pack"


def test_two_builds_have_the_same_bytes_until_they_are_signed(draft: Draft, unpacked: Path) -> None:
    for name, content in draft.members.items():
        assert b"".join(content.chunks()) == (unpacked / name).read_bytes(), name
    assert (unpacked / layout.REPORT_PDF).read_bytes().startswith(draft.pdf)


def test_the_pack_holds_what_its_readme_says(unpacked: Path) -> None:
    text = (unpacked / layout.README).read_text(encoding="utf-8")
    named = re.findall(r"`([A-Za-z0-9.-]+/?)`", text.split("| file |")[1].split("Outcomes:")[0])
    for name in {part for part in named if "-check" not in part}:
        assert (unpacked / name).exists() or (unpacked / layout.SAMPLES / name).exists(), name


def test_the_report_says_what_its_parts_say(unpacked: Path) -> None:
    report = msgspec.json.decode((unpacked / layout.REPORT_JSON).read_bytes(), type=ReportData)
    assert report.evaluation.framework == "soc2-tsc-2017"
    assert report.evaluation.population_sizes["session"] == 3
    assert report.checkpoint == (unpacked / layout.CHECKPOINT).read_text(encoding="utf-8")
    assert [sample.test_id for sample in report.samples] == sorted(sample.test_id for sample in report.samples)
    assert any("development identity" in limit for limit in report.limits)
    for table in report.deviations:
        lines = (unpacked / layout.DEVIATIONS / f"{table.test_id}.csv").read_text(encoding="utf-8").splitlines()
        assert len(lines) == table.total + 1
    assert report.deviations, "the access that nobody approved deviates"


def test_no_raw_payload_is_in_the_pack(unpacked: Path) -> None:
    """The text of a command is in the rows, redacted; the source's own bytes are nowhere."""
    raw = b'"type":"session_event"'
    for path in unpacked.rglob("*"):
        assert not path.is_file() or raw not in path.read_bytes(), path.name


def test_a_certificate_that_is_not_valid_signs_nothing(draft: Draft, identity: SigningIdentity) -> None:
    with pytest.raises(UsageError, match="valid from"):
        sign_pack(draft, identity, END - 86_400_000 * 365)


def test_signing_changes_no_content(draft: Draft, identity: SigningIdentity) -> None:
    signed = sign_pack(draft, identity, SIGNED_AT)
    assert set(signed) == {*draft.members, layout.REPORT_PDF, *layout.SIGNATURES}
    assert all(signed[name] is content for name, content in draft.members.items())


@pytest.mark.skipif(any(shutil.which(tool) is None for tool in TOOLS), reason=f"needs {', '.join(TOOLS)}")
def test_the_commands_of_the_guide_work_and_notice_a_change(unpacked: Path, tmp_path: Path) -> None:
    shutil.copytree(unpacked, tmp_path / "pack")
    whole, output = _run_guide(tmp_path / "pack")
    assert whole == 0, output
    assert "Signature is Valid" in output
    assert "Total document signed" in output
    statement = msgspec.json.decode((unpacked / layout.MANIFEST).read_bytes())
    assert statement["predicate"]["unsignedPdf"]["sha256"] in output
    assert hashlib.sha256((unpacked / layout.CONTENT_MANIFEST).read_bytes()).hexdigest() in output
    fingerprint = statement["predicate"]["signer"]["certificateSha256"].upper()
    assert ":".join(re.findall("..", fingerprint)) in output
    for name in (layout.GAPS_JSON, layout.MANIFEST, layout.REPORT_PDF, layout.CONTENT_MANIFEST, layout.SUMS):
        path = tmp_path / "pack" / name
        original = path.read_bytes()
        path.write_bytes(original[:-2] + b" " + original[-1:])
        assert _run_guide(tmp_path / "pack")[0] != 0, name
        path.write_bytes(original)


def test_the_archive_is_named_files_only(unpacked: Path, identity: SigningIdentity, tmp_path: Path) -> None:
    names = set(read_members(small_pack(tmp_path / "again", identity)))
    assert names == {path.relative_to(unpacked).as_posix() for path in unpacked.rglob("*") if path.is_file()}


def _run_guide(folder: Path) -> tuple[int, str]:
    return run_guide(folder, blocks=7)
