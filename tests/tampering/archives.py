# SPDX-License-Identifier: Apache-2.0

"""Tricks with the ZIP container: no file's bytes change, or two readers of the archive would see different files.

All are seen without any key, and each by the step about the container.
"""

import io
import stat
import struct
import zipfile
import zlib
from collections.abc import Callable

from tests.tampering.model import CONTAINER, Tampering, World

DATE = (1980, 1, 1, 0, 0, 0)
VICTIM = "gaps.json"
"""The file that the tricks are played with."""
Change = Callable[[zipfile.ZipInfo, bytes], tuple[zipfile.ZipInfo, bytes]]


def _info(name: str) -> zipfile.ZipInfo:
    info = zipfile.ZipInfo(name, DATE)
    info.create_system, info.create_version, info.external_attr = 3, 45, 0o100644 << 16
    return info


def _zip(files: list[tuple[zipfile.ZipInfo, bytes]], comment: bytes = b"") -> bytes:
    output = io.BytesIO()
    with zipfile.ZipFile(output, "w") as target:
        target.comment = comment
        for info, data in files:
            target.writestr(info, data)
    return output.getvalue()


def _files(world: World) -> list[tuple[zipfile.ZipInfo, bytes]]:
    return [(_info(name), data) for name, data in sorted(world.members.items())]


def _with(world: World, info: zipfile.ZipInfo, data: bytes = b"x") -> bytes:
    return _zip([*_files(world), (info, data)])


def _changed(world: World, **attributes: object) -> bytes:
    files = _files(world)
    for info, _ in files:
        if info.filename == VICTIM:
            for name, value in attributes.items():
                setattr(info, name, value)
    return _zip(files)


def _headers(data: bytes) -> tuple[int, int]:
    """Return where the victim's local header and its directory entry begin."""
    name = VICTIM.encode()
    local = data.index(name) - 30
    while data[local : local + 4] != b"PK\x03\x04":
        local = data.index(name, local + 31) - 30
    central = data.rindex(name) - 46
    while data[central : central + 4] != b"PK\x01\x02":
        central = data.rindex(name, 0, central + 46) - 46
    return local, central


def _patched(data: bytes, offset: int, value: bytes) -> bytes:
    return data[:offset] + value + data[offset + len(value) :]


def untouched(world: World) -> bytes:
    """Return what the tricks begin with: the good archive, byte for byte."""
    return _zip(_files(world))


def a_name_twice(world: World) -> bytes:
    """Some unpackers take the first, some the last."""
    member = b"PK\x03\x04"
    data = _with(world, _info("gaps.jsoN"), b"[]")
    assert data.count(member) == len(world.members) + 1
    return data.replace(b"gaps.jsoN", b"gaps.json")


def a_case_twin(world: World) -> bytes:
    """Where names have no case, one file would take the other's place."""
    return _with(world, _info("Gaps.json"), b"[]")


def a_name_that_climbs_out(world: World) -> bytes:
    return _with(world, _info("../outside.txt"))


def a_name_from_the_root(world: World) -> bytes:
    return _with(world, _info("/etc/cron.d/x"))


def a_name_with_a_drive(world: World) -> bytes:
    return _with(world, _info("C:/x.txt"))


def a_name_with_backslashes(world: World) -> bytes:
    return _with(world, _info("..\\outside.txt"))


def a_name_with_a_zero_byte(world: World) -> bytes:
    return _with(world, _info("gaps.jsonX.txt")).replace(b"gaps.jsonX", b"gaps.json\0")


def a_name_that_looks_alike(world: World) -> bytes:
    return _with(world, _info("g\N{CYRILLIC SMALL LETTER A}ps.json"), b"[]")


def a_name_written_right_to_left(world: World) -> bytes:
    return _with(world, _info("\N{RIGHT-TO-LEFT OVERRIDE}nosj.spag"), b"[]")


def a_name_in_the_unicode_field(world: World) -> bytes:
    """The extra field 0x7075 gives some unpackers another name (APPNOTE 4.6.9)."""
    other = b"\x01" + struct.pack("<I", zlib.crc32(VICTIM.encode())) + b"report.json"
    return _changed(world, extra=struct.pack("<HH", 0x7075, len(other)) + other)


def a_name_too_long(world: World) -> bytes:
    return _with(world, _info("a" * 4000))


def a_symbolic_link(world: World) -> bytes:
    info = _info("link")
    info.external_attr = (stat.S_IFLNK | 0o777) << 16
    return _with(world, info, b"/etc/passwd")


def a_device(world: World) -> bytes:
    info = _info("device")
    info.external_attr = (stat.S_IFCHR | 0o666) << 16
    return _with(world, info, b"")


def a_folder(world: World) -> bytes:
    return _with(world, _info("empty/"), b"")


def a_file_that_is_also_a_folder(world: World) -> bytes:
    return _with(world, _info(f"{VICTIM}/x"))


def a_setuid_bit(world: World) -> bytes:
    return _changed(world, external_attr=0o104755 << 16)


def another_date(world: World) -> bytes:
    return _changed(world, date_time=(2026, 1, 1, 0, 0, 0))


def another_order(world: World) -> bytes:
    return _zip(_files(world)[::-1])


def a_compressed_file(world: World) -> bytes:
    return _changed(world, compress_type=zipfile.ZIP_DEFLATED)


def a_bomb(world: World) -> bytes:
    """A hundred megabytes of nothing in a hundred kilobytes."""
    info = _info("bomb")
    info.compress_type = zipfile.ZIP_DEFLATED
    return _with(world, info, bytes(100_000_000))


def a_bomb_of_overlapping_files(world: World) -> bytes:
    """Every directory entry names the same large file: the sum of the files is many times the archive."""
    data = world.data
    start = struct.unpack_from("<I", data, len(data) - 6)[0]
    biggest = max(world.members, key=lambda name: len(world.members[name]))
    entry_at = data.index(b"PK\x01\x02", start)
    while data[entry_at + 46 : entry_at + 46 + len(biggest)] != biggest.encode():
        entry_at = data.index(b"PK\x01\x02", entry_at + 4)
    fixed = data[entry_at : entry_at + 46]
    entries = b"".join(fixed[:28] + struct.pack("<H", 8) + fixed[30:] + b"f%07d" % number for number in range(2_000))
    end = struct.pack("<IHHHHIIH", 0x06054B50, 0, 0, 2_000, 2_000, len(entries), start, 0)
    return data[:start] + entries + end


def a_hundred_thousand_names(world: World) -> bytes:
    """A directory of 65,535 entries that all claim to be the same empty file."""
    entries = b"".join(
        struct.pack("<IHHHHHHIIIHHHHHII", 0x02014B50, 0x32D, 20, 0, 0, 0, 33, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0) + b"a"
        for _ in range(65_535)
    )
    return entries + struct.pack("<IHHHHIIH", 0x06054B50, 0, 0, 65_535, 65_535, len(entries), 0, 0)


def an_encrypted_file(world: World) -> bytes:
    data = world.data
    local, central = _headers(data)
    return _patched(_patched(data, local + 6, b"\x01\x00"), central + 8, b"\x01\x00")


def a_local_name_of_its_own(world: World) -> bytes:
    """Readers of a stream see one name, readers of the directory another."""
    data = world.data
    return _patched(data, _headers(data)[0] + 30, b"Gaps.json")


def a_local_size_of_its_own(world: World) -> bytes:
    data = world.data
    return _patched(data, _headers(data)[0] + 18, struct.pack("<II", 1, 1))


def a_local_checksum_of_its_own(world: World) -> bytes:
    data = world.data
    return _patched(data, _headers(data)[0] + 14, b"\0\0\0\0")


def a_local_method_of_its_own(world: World) -> bytes:
    data = world.data
    return _patched(data, _headers(data)[0] + 8, b"\x08\x00")


def a_data_descriptor(world: World) -> bytes:
    """Flag bit 3 says that sizes come after the data, so a stream reader looks for the end itself."""
    data = world.data
    local, central = _headers(data)
    return _patched(_patched(data, local + 6, b"\x08\x00"), central + 8, b"\x08\x00")


def a_zip64_size_that_lies(world: World) -> bytes:
    """A 64-bit size in the extra field, beside a 32-bit size that does not ask for it."""
    return _changed(world, extra=struct.pack("<HHQQ", 1, 16, 1 << 40, 1 << 40))


def a_zip64_end_that_lies(world: World) -> bytes:
    """The 64-bit end record counts no files, the 32-bit one all."""
    data = world.data
    start = struct.unpack_from("<I", data, len(data) - 6)[0]
    size = len(data) - 22 - start
    far = struct.pack("<IQHHIIQQQQ", 0x06064B50, 44, 45, 45, 0, 0, 0, 0, size, start)
    locator = struct.pack("<IIQI", 0x07064B50, 0, len(data) - 22, 1)
    return data[:-22] + far + locator + data[-22:]


def two_directories(world: World) -> bytes:
    """A whole other archive before this one: some readers take the first end record, some the last."""
    return _zip([(_info("README.md"), b"another pack")]) + world.data


def data_in_front(world: World) -> bytes:
    return b"#!/bin/sh\nexit 0\n" + world.data


def data_behind(world: World) -> bytes:
    return world.data + b"\n"


def a_comment(world: World) -> bytes:
    return _zip(_files(world), b"PK\x05\x06 nothing to see")


def a_gap_between_files(world: World) -> bytes:
    """Bytes that no directory entry names, with all offsets behind them moved."""
    data, hidden = world.data, b"hidden from everybody"
    start = struct.unpack_from("<I", data, len(data) - 6)[0]
    local, _ = _headers(data)
    entries = bytearray(data[start:-22])
    place = 0
    while place < len(entries):
        lengths = struct.unpack_from("<HHH", entries, place + 28)
        offset = struct.unpack_from("<I", entries, place + 42)[0]
        if offset >= local:
            struct.pack_into("<I", entries, place + 42, offset + len(hidden))
        place += 46 + sum(lengths)
    end = data[-22:-6] + struct.pack("<IH", start + len(hidden), 0)
    return data[:local] + hidden + data[local:start] + bytes(entries) + end


def a_file_not_in_the_directory(world: World) -> bytes:
    """A local file that only stream readers find."""
    data = world.data
    _, central = _headers(data)
    start = struct.unpack_from("<I", data, len(data) - 6)[0]
    length = 46 + len(VICTIM)
    count = len(world.members) - 1
    end = struct.pack("<IHHHHIIH", 0x06054B50, 0, 0, count, count, len(data) - 22 - start - length, start, 0)
    return data[:central] + data[central + length : -22] + end


def several_disks(world: World) -> bytes:
    data = world.data
    return _patched(data, len(data) - 22 + 4, b"\x01\x00\x01\x00")


def an_archive_cut_short(world: World) -> bytes:
    return world.data[: len(world.data) // 2]


TRICKS = [
    a_name_twice,
    a_case_twin,
    a_name_that_climbs_out,
    a_name_from_the_root,
    a_name_with_a_drive,
    a_name_with_backslashes,
    a_name_with_a_zero_byte,
    a_name_that_looks_alike,
    a_name_written_right_to_left,
    a_name_in_the_unicode_field,
    a_name_too_long,
    a_symbolic_link,
    a_device,
    a_folder,
    a_file_that_is_also_a_folder,
    a_setuid_bit,
    another_date,
    another_order,
    a_compressed_file,
    a_bomb,
    a_bomb_of_overlapping_files,
    a_hundred_thousand_names,
    an_encrypted_file,
    a_local_name_of_its_own,
    a_local_size_of_its_own,
    a_local_checksum_of_its_own,
    a_local_method_of_its_own,
    a_data_descriptor,
    a_zip64_size_that_lies,
    a_zip64_end_that_lies,
    two_directories,
    data_in_front,
    data_behind,
    a_comment,
    a_gap_between_files,
    a_file_not_in_the_directory,
    several_disks,
    an_archive_cut_short,
]
ARCHIVES = [Tampering(make, CONTAINER) for make in TRICKS]
