# SPDX-License-Identifier: Apache-2.0

"""Find where each record of a JSON document begins and ends, without decoding the document.

In:  the bytes of a file, mapped. Out: cuts, in order; a cut that has a problem covers what could not be used.
Never decodes: a cut is handed to the strict decoder afterwards. Every scan moves forward only, so hostile bytes cost no
more than others.
"""

import mmap
import re
from collections.abc import Collection, Generator, Iterator

import msgspec

from app.connectors.strictjson import JsonObject, strict_value
from app.errors import RecordRejected

_SPACE = re.compile(rb"[ \t\r\n]*+")
_STRING = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"', re.DOTALL)
_TOKEN = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+("?)|[{\[]|[}\]]', re.DOTALL)
_SCALAR = re.compile(rb"[^\s,\]}\"{\[]++")
_LONGEST_NAME = 1024
_LONGEST_SUMMARY = 64
_OPENING, _CLOSING = (b"{", b"["), (b"}", b"]")
_BOM = b"\xef\xbb\xbf"


class Cut(msgspec.Struct, frozen=True, gc=False):
    """A stretch of a document: one record, or, where ``problem`` says so, what could not be read as one."""

    start: int
    end: int
    problem: str | None = None
    name: str | None = None


class _Broken(Exception):
    """The document is not well formed from ``start`` on; never leaves this file."""

    def __init__(self, start: int, problem: str) -> None:
        super().__init__(problem)
        self.start = start
        self.problem = problem


def documents(buffer: mmap.mmap, members: Collection[str], summaries: list[JsonObject]) -> Iterator[Cut]:
    """Yield the records of one or more JSON values that follow one another.

    A list gives its items; an object that has a list under one of ``members`` gives that list's items, and adds its
    other short members to ``summaries``; any other object is a record itself.
    """
    at = _after_bom(buffer)
    try:
        while (at := _skip(buffer, at)) < len(buffer):
            if buffer[at : at + 1] == b"[":
                at = yield from _items(buffer, at)
            else:
                _expect(buffer, at, b"{")
                at = yield from _object(buffer, at, members, summaries)
    except _Broken as broken:
        yield Cut(broken.start, len(buffer), broken.problem)


def members_of(buffer: mmap.mmap) -> Iterator[Cut]:
    """Yield every member of the one object in the buffer, whatever its name and however often it is repeated."""
    at = _skip(buffer, _after_bom(buffer))
    try:
        _expect(buffer, at, b"{")
        at += 1
        while (member := _member(buffer, at)) is not None:
            name, start = member
            end = _value_end(buffer, start)
            yield Cut(start, end, name=name)
            at = _next_or_end(buffer, end, b"}")
    except _Broken as broken:
        yield Cut(broken.start, len(buffer), broken.problem)


def _object(
    buffer: mmap.mmap, at: int, members: Collection[str], summaries: list[JsonObject]
) -> Generator[Cut, None, int]:
    """Yield the records of one object; its return value is the place after it."""
    opening, found = at, False
    summary: JsonObject = {}
    at += 1
    while (member := _member(buffer, at)) is not None:
        name, start = member
        if name in members and buffer[start : start + 1] == b"[":
            found = True
            end = yield from _items(buffer, start)
        else:
            end = _value_end(buffer, start)
            if name is not None and end - start <= _LONGEST_SUMMARY:
                summary[name] = _short_value(buffer[start:end])
        at = _next_or_end(buffer, end, b"}")
    end = _skip(buffer, at) + 1
    if found:
        summaries.append(summary)
    else:
        yield Cut(opening, end)
    return end


def _items(buffer: mmap.mmap, at: int) -> Generator[Cut, None, int]:
    """Yield the items of the list that opens at ``at``; the return value is the place after it."""
    at = _skip(buffer, at + 1)
    while buffer[at : at + 1] != b"]":
        if at >= len(buffer):
            raise _Broken(at, "the file ends before its list does")
        end = _value_end(buffer, at)
        yield Cut(at, end)
        at = _skip(buffer, _next_or_end(buffer, end, b"]"))
    return at + 1


def _member(buffer: mmap.mmap, at: int) -> tuple[str | None, int] | None:
    """Return the name of the member at ``at`` and where its value starts; None where the object closes."""
    at = _skip(buffer, at)
    if buffer[at : at + 1] == b"}":
        return None
    found = _STRING.match(buffer, at)
    if found is None:
        raise _Broken(at, "the file ends inside an object" if at >= len(buffer) else "a member's name is missing")
    name_end = found.end()
    colon = _skip(buffer, name_end)
    if buffer[colon : colon + 1] != b":":
        raise _Broken(at, "a member's value is missing")
    name = _name(buffer[at:name_end]) if name_end - at <= _LONGEST_NAME else None
    return name, _skip(buffer, colon + 1)


def _next_or_end(buffer: mmap.mmap, at: int, closing: bytes) -> int:
    """Step over a comma, or stay on the closing bracket."""
    at = _skip(buffer, at)
    sign = buffer[at : at + 1]
    if sign == b",":
        return at + 1
    if sign == closing:
        return at
    raise _Broken(at, "the file ends before its list does" if not sign else "a comma is missing here")


def _value_end(buffer: mmap.mmap, at: int) -> int:
    """Return the place after the value that starts at ``at``."""
    sign = buffer[at : at + 1]
    if sign in (b"{", b"["):
        return _container_end(buffer, at)
    found = (_STRING if sign == b'"' else _SCALAR).match(buffer, at)
    if found is None:
        raise _Broken(at, "the file ends inside this record" if sign in (b"", b'"') else "a value is missing")
    return found.end()


def _container_end(buffer: mmap.mmap, at: int) -> int:
    depth = 0
    for token in _TOKEN.finditer(buffer, at):
        sign = token[0] if token.end() - token.start() == 1 else b""
        if sign in _OPENING:
            depth += 1
        elif sign in _CLOSING:
            depth -= 1
            if not depth:
                return token.end()
        elif not token[1]:
            break
    raise _Broken(at, "the file ends inside this record")


def _expect(buffer: mmap.mmap, at: int, sign: bytes) -> None:
    if buffer[at : at + 1] != sign:
        raise _Broken(at, "a JSON object is missing here")


def _skip(buffer: mmap.mmap, at: int) -> int:
    found = _SPACE.match(buffer, at)
    return at if found is None else found.end()


def _after_bom(buffer: mmap.mmap) -> int:
    return len(_BOM) if buffer[: len(_BOM)] == _BOM else 0


def _name(raw: bytes) -> str | None:
    value = _short_value(raw)
    return value if isinstance(value, str) else None


def _short_value(raw: bytes) -> object:
    try:
        return strict_value(raw)
    except RecordRejected:
        return None
