# SPDX-License-Identifier: Apache-2.0

"""The file that opens what a pack withholds: kept by the operator beside the pack, handed out whole, in part or never.

    {"content_manifest_sha256":"…","format":"urn:proofroom:disclosures:v1"}
    ["event.text","session_event","hoop/session_event/1","event.text","<salt>","DROP TABLE customers"]

One line a value: the field's name, population, item id, place, salt, value. Pure but for reading and writing files.
"""

import os
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import IO

import msgspec

from app.errors import InvalidInput, UsageError
from app.packs.withholding.commitments import Place, mark

FORMAT = "urn:proofroom:disclosures:v1"
MODE = 0o600


class Header(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which pack a file is about: the digest of its content manifest, hex."""

    format: str
    content_manifest_sha256: str


class Disclosure(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    """What opens one commitment."""

    field: str
    population: str
    item_id: str
    path: str
    salt: str
    value: str | None

    @property
    def place(self) -> Place:
        """Return where the value stands."""
        return Place(self.population, self.item_id, self.path)

    @property
    def mark(self) -> str:
        """Return what the pack must hold in that place."""
        return mark(self.salt, self.place, self.value)


def disclosures_path(pack: Path) -> Path:
    """Return where the file lies that opens what a pack withholds; its name says that it is not to be handed over."""
    return pack.with_name(f"{pack.stem}.SECRET-disclosures.jsonl")


def write_line(disclosure: Disclosure, output: IO[bytes]) -> None:
    """Append one disclosure."""
    output.write(msgspec.json.encode(disclosure) + b"\n")


def write_file(path: Path, content_manifest_sha256: str, lines: Iterable[bytes]) -> None:
    """Write the file aside, readable by its owner only, and put it in place whole."""
    aside = path.with_name(f".{path.name}.partial")
    aside.unlink(missing_ok=True)
    header = Header(format=FORMAT, content_manifest_sha256=content_manifest_sha256)
    try:
        with os.fdopen(os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, MODE), "wb") as file:
            file.write(msgspec.json.encode(header, order="sorted") + b"\n")
            file.writelines(lines)
        aside.replace(path)
    finally:
        aside.unlink(missing_ok=True)


def read_header(line: bytes, *, where: str) -> Header:
    """Return the first line of a file.

    Raises:
        InvalidInput: it is not such a file.
    """
    try:
        header = msgspec.json.decode(line, type=Header)
    except msgspec.DecodeError as error:
        raise InvalidInput("this is no file of disclosures", where=where) from error
    if header.format != FORMAT:
        raise InvalidInput("this is no file of disclosures of this version", where=where)
    return header


def read_lines(lines: Iterable[bytes], *, where: str) -> Iterator[Disclosure]:
    """Yield the disclosures that follow the header.

    Raises:
        InvalidInput: a line cannot be read.
    """
    for number, line in enumerate(lines, 2):
        try:
            yield msgspec.json.decode(line, type=Disclosure)
        except msgspec.DecodeError as error:
            raise InvalidInput("this is no disclosure", where=f"{where}:{number}") from error


def select(source: Path, target: Path, wanted: Callable[[Disclosure], bool]) -> int:
    """Write a part of a file; return how many values it opens.

    Raises:
        UsageError: it would be written over the source, and what opens all other values would be lost.
        InvalidInput: the source cannot be read, or nothing in it is wanted.
    """
    if target.resolve() == source.resolve():
        raise UsageError("this would be written over the file that opens everything", where=str(target))
    try:
        with source.open("rb") as file:
            header = read_header(file.readline(), where=source.name)
            chosen = [found for found in read_lines(file, where=source.name) if wanted(found)]
    except OSError as error:
        raise InvalidInput(f"the file cannot be read ({error.strerror})", where=str(source)) from error
    if not chosen:
        raise InvalidInput("nothing that was withheld is of these items and fields", where=source.name)
    write_file(target, header.content_manifest_sha256, (msgspec.json.encode(found) + b"\n" for found in chosen))
    return len(chosen)
