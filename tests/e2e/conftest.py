# SPDX-License-Identifier: Apache-2.0

"""One demo, run once through the command line, for every end-to-end test to look at."""

from pathlib import Path

import msgspec
import pytest

from app.__main__ import run


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
    capture = pytest.MonkeyPatch()
    lines: list[str] = []
    capture.setattr("app.cli.options.out.file", _Lines(lines))
    try:
        status = run(["demo", "--dir", str(folder), "--no-serve"])
    finally:
        capture.undo()
    output = "".join(lines)
    assert status == 0, output
    return Demo(folder, Path(output.strip().splitlines()[-1]), folder / "keys" / "signing.crt", output)


class _Lines:
    """A text file that keeps what is written."""

    def __init__(self, lines: list[str]) -> None:
        self._lines = lines

    def write(self, text: str) -> int:
        self._lines.append(text)
        return len(text)

    def flush(self) -> None:
        pass
