# SPDX-License-Identifier: Apache-2.0

"""The container: one spelling, readable by everybody, and every other archive refused by name."""

import io
import shutil
import stat
import struct
import subprocess
import zipfile
from pathlib import Path

import pytest

from app.packs.container import (
    Content,
    FileContent,
    MemoryContent,
    archive_chunks,
    first_difference,
    inspect_archive,
    write_archive,
)

MEMBERS: dict[str, Content] = {
    "b/two.txt": MemoryContent(b"second"),
    "a.txt": MemoryContent(b"first"),
    "empty": MemoryContent(b""),
    "large": MemoryContent(b"x" * 3_000_000),
}


def test_the_archive_is_the_same_each_time_and_python_reads_it() -> None:
    data = _archive(MEMBERS)
    assert data == _archive(dict(reversed(MEMBERS.items())))
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        assert archive.namelist() == ["a.txt", "b/two.txt", "empty", "large"]
        assert archive.testzip() is None
        assert archive.read("b/two.txt") == b"second"
        info = archive.getinfo("a.txt")
        assert (info.date_time, info.compress_type) == ((1980, 1, 1, 0, 0, 0), zipfile.ZIP_STORED)
        assert stat.S_IMODE(info.external_attr >> 16) == 0o644


def test_files_on_disk_and_bytes_in_memory_are_the_same(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"first")
    assert _archive({"a": FileContent(tmp_path / "file")}) == _archive({"a": MemoryContent(b"first")})


@pytest.mark.parametrize("limit", [1, 5, 100, 2_000_000])
def test_zip64_fields_are_read_by_others(limit: int) -> None:
    data = b"".join(archive_chunks(MEMBERS, limit=limit))
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        assert archive.testzip() is None
        assert archive.read("large") == b"x" * 3_000_000


@pytest.mark.skipif(shutil.which("unzip") is None, reason="unzip is not installed")
def test_unzip_reads_it(tmp_path: Path) -> None:
    with (tmp_path / "pack.zip").open("wb") as file:
        write_archive(MEMBERS, file)
    done = subprocess.run(["unzip", "-t", "pack.zip"], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


def test_the_one_spelling_has_no_problem() -> None:
    file = io.BytesIO(_archive(MEMBERS))
    members, problems = inspect_archive(file)
    assert problems == []
    assert set(members) == set(MEMBERS)
    seen: dict[str, bytes] = {}
    file.seek(0)
    assert first_difference(file, members, lambda name, piece: seen.update({name: seen.get(name, b"") + piece})) is None
    assert {name: seen.get(name, b"") for name in members} == {
        name: b"".join(content.chunks()) for name, content in MEMBERS.items()
    }


def test_every_changed_byte_is_seen() -> None:
    small: dict[str, Content] = {"a": MemoryContent(b"first"), "b": MemoryContent(b"second")}
    data = _archive(small)
    members, _ = inspect_archive(io.BytesIO(data))
    for position in range(len(data)):
        changed = io.BytesIO(data[:position] + bytes([data[position] ^ 1]) + data[position + 1 :])
        assert first_difference(changed, members) is not None


@pytest.mark.parametrize("where", ["before", "after"])
def test_bytes_around_the_archive_are_seen(where: str) -> None:
    data = _archive(MEMBERS)
    changed = b"#!/bin/sh\n" + data if where == "before" else data + b"\n"
    for archive in (data, changed):
        members, _ = inspect_archive(io.BytesIO(archive))
        assert first_difference(io.BytesIO(changed), members) is not None


def test_a_directory_that_was_read_otherwise_is_seen() -> None:
    """Should a reader of archives be led to another directory, its members would not be those that were looked at."""
    data = _archive(MEMBERS)
    members, _ = inspect_archive(io.BytesIO(data))
    members["large"].header_offset += 1
    assert first_difference(io.BytesIO(data), members) is not None


@pytest.mark.parametrize(
    ("name", "word"),
    [
        ("../up", "plain relative path"),
        ("/etc/passwd", "plain relative path"),
        ("a/../b", "plain relative path"),
        ("a\\b", "plain relative path"),
        ("C:evil", "plain relative path"),
        ("a/", "plain relative path"),
        (".hidden", "plain relative path"),
        ("a\nb", "plain relative path"),
        ("näme", "plain relative path"),
        ("x" * 300, "too long"),
    ],
)
def test_hostile_names_are_refused(name: str, word: str) -> None:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr(zipfile.ZipInfo(name), b"")
    members, problems = inspect_archive(file)
    assert members == {}
    assert word in problems[0]
    with pytest.raises(ValueError, match="name"):
        _archive({name: MemoryContent(b"")})


def test_a_link_is_refused() -> None:
    info = zipfile.ZipInfo("link")
    info.external_attr = (stat.S_IFLNK | 0o777) << 16
    assert "not a regular file" in _problem(info, b"/etc/passwd")


def test_a_compressed_member_is_refused() -> None:
    info = zipfile.ZipInfo("bomb")
    info.compress_type = zipfile.ZIP_DEFLATED
    assert "compressed" in _problem(info, b"0" * 100_000)


def test_a_name_that_appears_twice_is_refused() -> None:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("a", b"1")
        with pytest.warns(UserWarning, match="Duplicate"):
            archive.writestr("a", b"2")
    assert any("twice" in problem for problem in inspect_archive(file)[1])


def test_an_encrypted_member_is_refused() -> None:
    data = bytearray(_archive({"a": MemoryContent(b"first")}))
    entry = data.index(b"PK\x01\x02")
    struct.pack_into("<H", data, entry + 8, 1)
    assert "encrypted" in inspect_archive(io.BytesIO(data))[1][0]


def test_a_size_beyond_the_archive_is_refused() -> None:
    data = bytearray(_archive({"a": MemoryContent(b"first")}))
    entry = data.index(b"PK\x01\x02")
    struct.pack_into("<II", data, entry + 20, 1 << 30, 1 << 30)
    assert "larger than the archive" in inspect_archive(io.BytesIO(data))[1][0]


def test_a_directory_longer_than_a_pack_may_have_is_not_read() -> None:
    size = 100_000_000
    file = io.BytesIO(b"PK\x01\x02")
    file.seek(size)
    file.write(struct.pack("<IHHHHIIH", 0x06054B50, 0, 0, 0xFFFE, 0xFFFE, size, 0, 0))
    members, problems = inspect_archive(file)
    assert members == {}
    assert "longer than a pack's may be" in problems[0]


@pytest.mark.parametrize("data", [b"", b"PK", b"PK\x05\x06" + b"\x00" * 10, b"\x00" * 1000])
def test_what_is_no_archive_is_refused(data: bytes) -> None:
    members, problems = inspect_archive(io.BytesIO(data))
    assert members == {}
    assert problems


def _archive(members: dict[str, Content]) -> bytes:
    file = io.BytesIO()
    write_archive(members, file)
    return file.getvalue()


def _problem(info: zipfile.ZipInfo, data: bytes) -> str:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr(info, data)
    members, problems = inspect_archive(file)
    assert members == {}
    return problems[0]
