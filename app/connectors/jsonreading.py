# SPDX-License-Identifier: Apache-2.0

"""Cut a file into JSON objects, in bounded memory, and lose nothing silently.

In:  a file of JSON lines, or of one or more JSON documents (a list, an object around a list, plain objects).
Out: steps: an object with its exact bytes and place, or a Reject with the digest of what could not be used.
Never holds more than one record, and never trusts the file to be well formed, complete or small.
"""

import hashlib
import mmap
import re
from collections.abc import Callable, Collection, Iterator
from io import BufferedReader
from pathlib import Path

import msgspec

from app.connectors.base import MAX_RECORD_BYTES, Reject
from app.connectors.documents import Cut, documents, members_of
from app.connectors.strictjson import JsonObject, strict_object
from app.errors import InvalidInput, RecordRejected

_CHUNK = 1 << 20
_BOM = b"\xef\xbb\xbf"
_NEXT_LINE_OPENS = re.compile(rb'[ \t\r\n]*\n\{[ \t]*"')


class Position(msgspec.Struct, frozen=True):
    """How far a file was read: bytes, and lines or items, consumed."""

    offset: int = 0
    items: int = 0


class Found(msgspec.Struct, frozen=True, gc=False):
    """One JSON object of a file. ``name`` is the member it stood under, where the format has one."""

    raw: bytes
    value: JsonObject
    locator: str
    name: str | None = None


class Step(msgspec.Struct, frozen=True, gc=False):
    """One item, and the position after it."""

    item: Found | Reject
    end: Position


Reader = Callable[[Path, Position], Iterator[Step]]
"""Reads one file from a position on."""


class JsonReader:
    """Reads JSON lines and JSON documents alike.

    Args:
        members: names under which a document may hold its list of records, such as ``data``.

    Attributes:
        summaries: what else stood beside such a list (``total``, ``has_next_page``), one per document read to its end.
    """

    def __init__(self, members: Collection[str] = ()) -> None:
        self._members = frozenset(members)
        self.summaries: list[JsonObject] = []

    def __call__(self, path: Path, start: Position) -> Iterator[Step]:
        """Yield the objects of a file after ``start``.

        Raises:
            InvalidInput: the file cannot be read at all.
        """
        if self._is_lines(path):
            return read_lines(path, start)
        return _cut_steps(path, start, lambda buffer: documents(buffer, self._members, self.summaries))

    def _is_lines(self, path: Path) -> bool:
        with open_file(path) as file:
            first = file.readline(MAX_RECORD_BYTES + 2)
            while first and not first.strip():
                first = file.readline(MAX_RECORD_BYTES + 2)
            following = file.read(4096)
        head = first.removeprefix(_BOM).lstrip()
        if head.startswith(b"["):
            return False
        try:
            return not any(isinstance(strict_object(head).get(name), list) for name in self._members)
        except RecordRejected:
            opens = re.compile(rb'\{\s*("|$)').match(head) is not None
            return not opens or self._is_broken_line(head, following)

    def _is_broken_line(self, head: bytes, following: bytes) -> bool:
        """Tell a broken first line from the first line of a document that goes on below."""
        if len(head) > MAX_RECORD_BYTES:
            return not any(b'"%s"' % name.encode() in head[:4096] for name in self._members)
        one_line = not following.strip()
        return (one_line and not self._members) or _NEXT_LINE_OPENS.match(b"\n" + following) is not None


def read_members(path: Path, start: Position) -> Iterator[Step]:
    """Yield each member of the one object in a file as an item of its own, repeated names and all.

    Raises:
        InvalidInput: the file cannot be read at all.
    """
    return _cut_steps(path, start, members_of)


def read_lines(path: Path, start: Position) -> Iterator[Step]:
    """Yield each line of a file that holds one JSON object a line; blank lines are no items.

    Raises:
        InvalidInput: the file cannot be read at all.
    """
    name = path.name
    with open_file(path) as file:
        file.seek(start.offset)
        offset, number = start.offset, start.items
        while line := file.readline(MAX_RECORD_BYTES + 2):
            number += 1
            place = f"{name}:{number}"
            raw = line.rstrip(b"\r\n")
            if len(raw) > MAX_RECORD_BYTES:
                reject, consumed = _too_long(file, line, place)
                offset += consumed
                yield Step(reject, Position(offset, number))
                continue
            offset += len(line)
            if number == 1:
                raw = raw.removeprefix(_BOM)
            if raw and not raw.isspace():
                yield Step(_line_item(raw, place, cut_off=not line.endswith(b"\n")), Position(offset, number))


def open_file(path: Path) -> BufferedReader:
    """Open a regular file for reading.

    Raises:
        InvalidInput: it is missing, not readable, or not a regular file.
    """
    if path.is_dir() or (path.exists() and not path.is_file()):
        raise InvalidInput("this is not a regular file", where=path.name, hint="Name the exported file itself")
    try:
        return path.open("rb")
    except FileNotFoundError:
        raise InvalidInput("there is no such file", where=str(path)) from None
    except OSError as error:
        raise InvalidInput(f"the file cannot be read: {error.strerror}", where=path.name) from None


def reject(raw: bytes, place: str, reason: str) -> Reject:
    """Return a Reject for bytes that are at hand."""
    return Reject(locator=place, reason=reason, raw_sha256=hashlib.sha256(raw).hexdigest(), length=len(raw))


def _line_item(raw: bytes, place: str, *, cut_off: bool) -> Found | Reject:
    try:
        return Found(raw, strict_object(raw), place)
    except RecordRejected as error:
        return reject(raw, place, "the last line is cut off" if cut_off else error.what)


def _too_long(file: BufferedReader, head: bytes, place: str) -> tuple[Reject, int]:
    """Run through a line that is too long, keeping only its digest and length; return also the bytes consumed."""
    digest = hashlib.sha256()
    consumed = length = 0
    chunk = head
    while chunk:
        consumed += len(chunk)
        body = chunk.rstrip(b"\r\n") if chunk.endswith(b"\n") else chunk
        digest.update(body)
        length += len(body)
        if chunk.endswith(b"\n"):
            break
        chunk = file.readline(_CHUNK)
    return _longer(place, digest.hexdigest(), length), consumed


def _longer(place: str, digest: str, length: int) -> Reject:
    return Reject(locator=place, reason=f"it is longer than {MAX_RECORD_BYTES} bytes", raw_sha256=digest, length=length)


def _cut_steps(path: Path, start: Position, cutter: Callable[[mmap.mmap], Iterator[Cut]]) -> Iterator[Step]:
    """Turn the cuts of a document into steps; what lies before ``start`` is scanned again, and passed over."""
    with open_file(path) as file:
        if not path.stat().st_size:
            return
        buffer = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
    counted = line = 0
    for number, cut in enumerate(cutter(buffer), start=1):
        line += _newlines(buffer, counted, cut.start)
        counted = cut.start
        if number > start.items:
            place = f"{path.name}:{line + 1} (item {number})"
            yield Step(_cut_item(buffer, cut, place), Position(cut.end, number))


def _cut_item(buffer: mmap.mmap, cut: Cut, place: str) -> Found | Reject:
    length = cut.end - cut.start
    if length > MAX_RECORD_BYTES:
        digest = hashlib.sha256()
        for begin in range(cut.start, cut.end, _CHUNK):
            digest.update(buffer[begin : min(begin + _CHUNK, cut.end)])
        reject_long = _longer(place, digest.hexdigest(), length)
        return msgspec.structs.replace(reject_long, reason=cut.problem) if cut.problem else reject_long
    raw = buffer[cut.start : cut.end]
    if cut.problem:
        return reject(raw, place, cut.problem)
    try:
        return Found(raw, strict_object(raw), place, cut.name)
    except RecordRejected as error:
        return reject(raw, place, error.what)


def _newlines(buffer: mmap.mmap, begin: int, end: int) -> int:
    return sum(buffer[at : min(at + _CHUNK, end)].count(b"\n") for at in range(begin, end, _CHUNK))
