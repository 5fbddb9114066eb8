# SPDX-License-Identifier: Apache-2.0

"""The ZIP container of a pack, of which there is exactly one spelling for given names and contents.

In:  member names and where their bytes are.
Out: the archive's bytes, in pieces; or, for an archive somebody handed us, what is wrong with it.
Nothing is unpacked here, and no name from an archive is used as a path.

Members are stored (not deflated: deflate depends on the library's build), in order of name, with fixed dates and
modes. So a reader can write the archive again from its members and compare every byte.
Source: PKWARE APPNOTE.TXT 6.3.10, sections 4.3 to 4.5.
"""

import hashlib
import io
import re
import struct
import zipfile
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import IO, Protocol

import msgspec

MAX_MEMBERS = 100_000
"""A pack of ten years has about 15,000 members; a hostile one may claim millions."""
MAX_NAME = 200
CHUNK = 1 << 20
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*(/[A-Za-z0-9][A-Za-z0-9._-]*)*", re.ASCII)
_LIMIT = 0xFFFFFFFF
_COUNT_LIMIT = 0xFFFF
_MAX_DIRECTORY = MAX_MEMBERS * (46 + MAX_NAME + 28)
"""Bytes of the longest directory a pack may have: its entries, with their names and ZIP64 fields."""
_DATE = (1 << 5) | 1  # 1980-01-01, the earliest date the format can say.
_MODE = 0o100644 << 16
_MADE_BY = (3 << 8) | 45  # Unix, version 4.5.


class Content(Protocol):
    """Bytes that can be read more than once, in pieces."""

    def chunks(self) -> Iterator[bytes]:
        """Yield the bytes in pieces of at most a mebibyte."""
        ...


class FileContent:
    """The bytes of a file on disk."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def chunks(self) -> Iterator[bytes]:
        """Yield the file's bytes in pieces."""
        with self._path.open("rb") as file:
            while chunk := file.read(CHUNK):
                yield chunk


class MemoryContent:
    """Bytes held in memory."""

    def __init__(self, data: bytes) -> None:
        self._data = data

    def chunks(self) -> Iterator[bytes]:
        """Yield the bytes in pieces."""
        for start in range(0, len(self._data), CHUNK):
            yield self._data[start : start + CHUNK]


class MeasuredContent:
    """Bytes of which the length and the check sum are known, so that they need not be read for these."""

    def __init__(self, content: Content, size: int, crc: int) -> None:
        self._content = content
        self.size = size
        self.crc = crc

    def chunks(self) -> Iterator[bytes]:
        """Yield the bytes in pieces."""
        return self._content.chunks()


class _Guarded:
    """A file that refuses to be read in one huge piece: an archive's directory may claim any length."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self.seek, self.tell, self.seekable = file.seek, file.tell, file.seekable

    def read(self, size: int = -1) -> bytes:
        if size > _MAX_DIRECTORY:
            message = "its directory is longer than a pack's may be"
            raise zipfile.BadZipFile(message)
        return self._file.read(size)


class _Member(msgspec.Struct, frozen=True):
    name: bytes
    size: int
    crc: int
    offset: int


def name_problem(name: str) -> str | None:
    """Say what is wrong with a member's name, or None: relative, forward slashes, plain ASCII, no dot folders."""
    if len(name) > MAX_NAME:
        return "its name is too long"
    if not _NAME.fullmatch(name):
        return "its name is not a plain relative path"
    return None


def measure(content: Content) -> tuple[MeasuredContent, str]:
    """Read bytes once for everything that is asked of them before they are written; return their SHA-256 as well."""
    size = crc = 0
    digest = hashlib.sha256()
    for chunk in content.chunks():
        size += len(chunk)
        crc = zlib.crc32(chunk, crc)
        digest.update(chunk)
    return MeasuredContent(content, size, crc), digest.hexdigest()


def write_archive(members: dict[str, Content], output: IO[bytes]) -> str:
    """Write the one archive that holds these members, and return its hex SHA-256.

    Raises:
        ValueError: a name is not allowed, or there are too many.
    """
    digest = hashlib.sha256()
    for chunk in archive_chunks(members):
        output.write(chunk)
        digest.update(chunk)
    return digest.hexdigest()


def archive_chunks(members: dict[str, Content], *, limit: int = _LIMIT) -> Iterator[bytes]:
    """Yield the archive's bytes. ``limit`` is where ZIP64 fields begin; only tests change it."""
    if len(members) > MAX_MEMBERS:
        message = f"a pack holds at most {MAX_MEMBERS} files"
        raise ValueError(message)
    written: list[_Member] = []
    offset = 0
    for name in sorted(members):
        if problem := name_problem(name):
            message = f"{name!r}: {problem}"
            raise ValueError(message)
        member = _member(name, members[name], offset)
        header = _local_header(member, limit)
        yield header
        yield from members[name].chunks()
        written.append(member)
        offset += len(header) + member.size
    yield from _directory(written, offset, limit)


def inspect_archive(file: IO[bytes]) -> tuple[dict[str, zipfile.ZipInfo], list[str]]:
    """List an archive's members and everything that is wrong with how it is written.

    Members with a problem of their own are left out of the listing. When the listing is whole, the caller should
    also ask ``first_difference``.
    """
    try:
        archive = zipfile.ZipFile(_Guarded(file))
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError, struct.error) as error:
        return {}, [f"not a ZIP archive ({error})"]
    with archive:
        infos = archive.infolist()
    if len(infos) > MAX_MEMBERS:
        return {}, [f"it holds {len(infos)} members, more than the {MAX_MEMBERS} a pack may have"]
    members: dict[str, zipfile.ZipInfo] = {}
    problems: list[str] = []
    total = file.seek(0, io.SEEK_END)
    for info in infos:
        problem = _info_problem(info, total)
        if info.filename in members:
            problem = "its name appears twice"
        if problem:
            problems.append(f"{info.filename[:MAX_NAME]!r}: {problem}")
        else:
            members[info.filename] = info
    problems += [f"{name!r}: {problem}" for name, problem in _clashes(members)]
    if sum(info.file_size for info in members.values()) > total:
        return {}, [*problems, "its members overlap"]
    return members, problems


def _clashes(names: Iterable[str]) -> Iterator[tuple[str, str]]:
    """Yield the names that cannot be unpacked beside the others everywhere."""
    folded: set[str] = set()
    present = set(names)
    for name in sorted(present):
        if name.casefold() in folded:
            yield name, "its name differs from another's only in capital letters"
        folded.add(name.casefold())
        parts = name.split("/")
        if any("/".join(parts[:depth]) in present for depth in range(1, len(parts))):
            yield name, "its folder has the name of a file"


class Readable(Protocol):
    """A file that is read from its beginning."""

    def read(self, size: int, /) -> bytes:
        """Return the next bytes."""
        ...


def first_difference(
    file: Readable,
    members: Mapping[str, zipfile.ZipInfo],
    look: Callable[[str, bytes], None] = lambda _name, _piece: None,
    *,
    limit: int = _LIMIT,
) -> int | None:
    """Return the offset of the first part in which an archive differs from the one right spelling, or None.

    The archive is read once. If it has that spelling, the bytes that ``look`` was given are those that are read when a
    member is opened.

    Args:
        file: the archive, at its beginning.
        members: as ``inspect_archive`` lists them.
        look: is given each member's name and bytes, piece by piece, in order.
        limit: as for ``archive_chunks``.
    """
    written: list[_Member] = []
    offset = 0
    for name in sorted(members):
        size, encoded = members[name].file_size, name.encode("ascii")
        length = len(_local_header(_Member(encoded, size, 0, offset), limit))
        header, crc, left = file.read(length), 0, size
        while left and (chunk := file.read(min(CHUNK, left))):
            crc, left = zlib.crc32(chunk, crc), left - len(chunk)
            look(name, chunk)
        member = _Member(encoded, size, crc, offset)
        # Whoever opens the member goes by the directory as it was read, so that must mean this very place.
        if left or header != _local_header(member, limit) or members[name].header_offset != offset:
            return offset
        written.append(member)
        offset += length + size
    for part in _directory(written, offset, limit):
        if file.read(len(part)) != part:
            return offset
        offset += len(part)
    return offset if file.read(1) else None


def _info_problem(info: zipfile.ZipInfo, total: int) -> str | None:
    if problem := name_problem(info.orig_filename):
        return problem
    if info.flag_bits & 0x1:
        return "it is encrypted"
    if info.compress_type != zipfile.ZIP_STORED or info.compress_size != info.file_size:
        return "it is compressed; the members of a pack are stored as they are"
    if info.file_size > total:
        return "it claims to be larger than the archive"
    if info.external_attr >> 16 & 0o170000 not in {0, 0o100000}:
        return "it is not a regular file"
    return None


def _member(name: str, content: Content, offset: int) -> _Member:
    measured = content if isinstance(content, MeasuredContent) else measure(content)[0]
    return _Member(name.encode("ascii"), measured.size, measured.crc, offset)


def _zip64(values: Iterable[int]) -> bytes:
    """Return the ZIP64 extended information field (APPNOTE 4.5.3), or nothing."""
    body = b"".join(struct.pack("<Q", value) for value in values)
    return struct.pack("<HH", 1, len(body)) + body if body else b""


def _local_header(member: _Member, limit: int) -> bytes:
    """Return a local file header (APPNOTE 4.3.7)."""
    large = member.size >= limit
    size = _LIMIT if large else member.size
    extra = _zip64((member.size, member.size) if large else ())
    fields = (0x04034B50, 45 if large else 20, 0, 0, 0, _DATE, member.crc, size, size, len(member.name), len(extra))
    return struct.pack("<IHHHHHIIIHH", *fields) + member.name + extra


def _directory(members: list[_Member], start: int, limit: int) -> Iterator[bytes]:
    """Yield the central directory and its end records (APPNOTE 4.3.12, 4.3.14 to 4.3.16)."""
    size = 0
    for member in members:
        entry = _directory_entry(member, limit)
        size += len(entry)
        yield entry
    count = len(members)
    if count >= _COUNT_LIMIT or start >= limit or size >= limit:
        yield struct.pack("<IQHHIIQQQQ", 0x06064B50, 44, _MADE_BY, 45, 0, 0, count, count, size, start)
        yield struct.pack("<IIQI", 0x07064B50, 0, start + size, 1)
    count = min(count, _COUNT_LIMIT)
    size = _LIMIT if size >= limit else size
    start = _LIMIT if start >= limit else start
    yield struct.pack("<IHHHHIIH", 0x06054B50, 0, 0, count, count, size, start, 0)


def _directory_entry(member: _Member, limit: int) -> bytes:
    large, far = member.size >= limit, member.offset >= limit
    size = _LIMIT if large else member.size
    offset = _LIMIT if far else member.offset
    extra = _zip64(((member.size, member.size) if large else ()) + ((member.offset,) if far else ()))
    lengths = (len(member.name), len(extra), 0)
    version = 45 if large or far else 20
    fields = (0x02014B50, _MADE_BY, version, 0, 0, 0, _DATE, member.crc, size, size, *lengths, 0, 0, _MODE, offset)
    return struct.pack("<IHHHHHHIIIHHHHHII", *fields) + member.name + extra
