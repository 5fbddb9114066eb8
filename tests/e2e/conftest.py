# SPDX-License-Identifier: Apache-2.0

"""One demo, run once through the command line, for every end-to-end test to look at."""

import subprocess
import sys
from pathlib import Path

import msgspec
import pytest

from tests.conftest import ROOT


class Demo(msgspec.Struct, frozen=True):
    """A finished demo: its data directory, the pack, the certificate, and what was printed."""

    folder: Path
    pack: Path
    certificate: Path
    output: str


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Demo:
    """Run ``proofroom demo --no-serve`` in a new folder."""
    folder = tmp_path_factory.mktemp("demo") / "data"
    command = [sys.executable, "-m", "app", "demo", "--dir", str(folder), "--no-serve"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return Demo(folder, Path(done.stdout.strip().splitlines()[-1]), folder / "keys" / "signing.crt", done.stdout)
