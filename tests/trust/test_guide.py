# SPDX-License-Identifier: Apache-2.0

"""VERIFY.md of a pack with a chain and two authorities: its commands say yes, and no to anything else."""

import datetime as dt
import shutil
import zipfile
from pathlib import Path

import pytest

from app.packs import layout
from tests.packs.guide_commands import run_guide
from tests.trust.conftest import Trusted

TOOLS = ("openssl", "sha256sum", "pdfsig", "bash")
pytestmark = pytest.mark.skipif(any(shutil.which(tool) is None for tool in TOOLS), reason=f"needs {', '.join(TOOLS)}")


@pytest.fixture
def folder(trusted: Trusted, tmp_path: Path) -> Path:
    """Return the unpacked pack, with the authorities' roots that a reader has from elsewhere."""
    with zipfile.ZipFile(trusted.pack) as archive:
        archive.extractall(tmp_path / "pack")
    roots = b"".join(stamper.root_pem for stamper in trusted.stampers)
    (tmp_path / "pack" / "time-authority.pem").write_bytes(roots)
    return tmp_path / "pack"


def test_every_command_says_yes(folder: Path) -> None:
    status, output = run_guide(folder, blocks=8)
    assert status == 0, output
    assert output.count("Verification: OK") == 4
    assert "Verified OK" in output
    assert output.count("CMS Verification successful") == 2
    assert output.count("Time stamp:") == 2
    assert "subject=CN = Preparer" in output
    assert "Signature is Valid" in output


@pytest.mark.parametrize(
    "name",
    [
        layout.MANIFEST,
        layout.BUNDLE,
        layout.CMS,
        layout.REPORT_PDF,
        layout.CHECKPOINT,
        layout.checkpoint_token(0),
        layout.checkpoint_token(1),
        layout.GAPS_JSON,
    ],
)
def test_a_changed_file_makes_them_say_no(folder: Path, name: str) -> None:
    data = (folder / name).read_bytes()
    place = data.index(b"signedTimestamp") + 900 if name == layout.BUNDLE else len(data) // 2
    (folder / name).write_bytes(data[:place] + bytes([data[place] ^ 1]) + data[place + 1 :])
    assert run_guide(folder, blocks=8)[0] != 0


def test_another_authority_makes_them_say_no(folder: Path, trusted: Trusted) -> None:
    (folder / "time-authority.pem").write_bytes(trusted.stampers[0].root_pem)
    status, output = run_guide(folder, blocks=8)
    assert status != 0
    assert "Verification: FAILED" in output


def test_the_guides_name_the_authorities_and_the_times(trusted: Trusted) -> None:
    today = dt.datetime.fromtimestamp(trusted.stampers[0].certificate.not_valid_before_utc.timestamp(), tz=dt.UTC)
    for name in (layout.README, layout.VERIFY):
        assert b"https://a.example/tsr" in trusted.members[name]
    assert f"confirmed the state of the ledger at {today:%Y}".encode() in trusted.members[layout.README]
