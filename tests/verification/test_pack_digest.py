# SPDX-License-Identifier: Apache-2.0

"""The digest that a verification states is that of the file, whether or not the file is a pack."""

import hashlib
from pathlib import Path

import pytest

from app.errors import InvalidInput
from app.packs.container import MemoryContent, write_archive
from app.verification.verifier import verify


@pytest.mark.parametrize("change", [b"", b"more", None])
def test_it_is_the_digest_of_the_whole_file(tmp_path: Path, change: bytes | None) -> None:
    path = tmp_path / "pack.zip"
    with path.open("wb") as file:
        written = write_archive({"a.txt": MemoryContent(b"first"), "b.txt": MemoryContent(b"x" * 3_000_000)}, file)
        file.write(change or b"")
    if change is None:
        path.write_bytes(b"this is no archive")
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    assert (digest == written) is (change == b"")
    report = verify(path)
    assert (report.pack_sha256, report.holds) == (digest, False)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="cannot be opened"):
        verify(tmp_path / "none.zip")
