# SPDX-License-Identifier: Apache-2.0

"""Read one hostile YAML file into plain values, and remember where each value stands.

In:  the bytes of a file. Out: a ``Document`` of dicts, lists and scalars with a position for every path.
It must never build an object of a class named in the file, follow an alias, or use more memory than its limits allow:
values are built from parser events, so each limit bites before anything grows. Plain scalars follow the core schema of
YAML 1.2.2 (section 10.3.2), so ``no`` and ``12:30`` are texts and a date is a text.
"""

import re
from bisect import bisect_right
from collections.abc import Iterator
from typing import Final

import msgspec
import yaml

from app.controls.problems import Position, Problem, ProblemFound

MAX_BYTES: Final = 1 << 20
MAX_DEPTH: Final = 20
MAX_NODES: Final = 50_000

Value = None | bool | int | float | str | list["Value"] | dict[str, "Value"]
PathKey = tuple[str | int, ...]

_NULL = frozenset({"", "~", "null", "Null", "NULL"})
_BOOLEANS = {"true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False}
_INTEGER = re.compile(r"[-+]?(0|[1-9][0-9]{0,17})\Z")
_FLOAT = re.compile(r"[-+]?(0|[1-9][0-9]{0,17})\.[0-9]{1,18}([eE][-+]?[0-9]{1,2})?\Z")
_LINE_BREAK = re.compile("\r\n|[\n\r\x85\u2028\u2029]")
_TAB = re.compile(r" *\t")
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class Text(msgspec.Struct, frozen=True, kw_only=True):
    """Where the pieces of one scalar came from: ascending offsets into its value, and the position of each."""

    offsets: tuple[int, ...]
    positions: tuple[Position, ...]

    def at(self, offset: int) -> Position:
        """Return the position in the file of the character at ``offset`` of the value."""
        piece = max(bisect_right(self.offsets, offset) - 1, 0)
        start = self.positions[piece]
        return Position(line=start.line, column=start.column + offset - self.offsets[piece])


class Document(msgspec.Struct, frozen=True, kw_only=True):
    """One file: its name, its value, and the positions of its values, keys and texts by path."""

    name: str
    value: Value
    values: dict[PathKey, Position]
    keys: dict[PathKey, Position]
    texts: dict[PathKey, Text]

    def position(self, path: PathKey) -> Position:
        """Return where ``path`` stands, or the nearest thing around it."""
        while path not in self.values and path:
            path = path[:-1]
        return self.values.get(path, Position(line=1, column=1))

    def key_position(self, path: PathKey) -> Position:
        """Return where the key at the end of ``path`` stands, or its value."""
        return self.keys.get(path) or self.position(path)

    def text_position(self, path: PathKey, line: int, column: int) -> Position:
        """Return where line and column (from 1) of the text at ``path`` stand in the file."""
        value: Value = self.value
        for step in path:
            value = value[step] if isinstance(value, (dict, list)) else None  # type: ignore[index]
        if path not in self.texts or not isinstance(value, str):
            return self.position(path)
        lines = value.split("\n")[: line - 1]
        return self.texts[path].at(sum(len(part) + 1 for part in lines) + column - 1)

    def problem(self, at: Position, message: str, hint: str) -> Problem:
        """Return a problem of this file."""
        return Problem(file=self.name, position=at, message=message, hint=hint)


def read_document(name: str, data: bytes) -> Document:
    """Read one YAML file.

    Raises:
        ProblemFound: the file is too big, not UTF-8, not YAML, or uses a feature that is refused.
    """
    if len(data) > MAX_BYTES:
        raise _refused(name, 1, 1, f"the file has more than {MAX_BYTES} bytes", "Split it by subject.")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise _refused(name, line, 1, "the file is not UTF-8", "Save it as UTF-8.") from None
    try:
        return _Builder(name, text).build(yaml.parse(text, Loader=_LOADER))
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line, column = (mark.line + 1, mark.column + 1) if mark else (1, 1)
        what = f"this is not YAML: {error.problem or error.context}"
        hint = "Check the indentation and quotes here and on the line above."
        if any(_TAB.match(at) for at in _LINE_BREAK.split(text)[line - 1 : line]):
            hint = "Use spaces for the indentation, no tabs."
        raise _refused(name, line, column, what, hint) from None
    except yaml.YAMLError as error:
        reason = str(getattr(error, "reason", "")) or "a character is not allowed"
        raise _refused(name, 1, 1, f"this is not YAML: {reason}", "Remove control characters.") from None


def _refused(name: str, line: int, column: int, message: str, hint: str) -> ProblemFound:
    return ProblemFound(Problem(file=name, position=Position(line=line, column=column), message=message, hint=hint))


class _Open:
    """A mapping or list that is still being filled."""

    def __init__(self, value: dict[str, Value] | list[Value], path: PathKey) -> None:
        self.value = value
        self.path = path
        self.key: str | None = None


class _Builder:
    """Builds values from events, without recursion."""

    def __init__(self, name: str, text: str) -> None:
        self._name = name
        self._lines = _LINE_BREAK.split(text)
        self._stack: list[_Open] = []
        self._nodes = 0
        self._documents = 0
        self._root: Value = None
        self._values: dict[PathKey, Position] = {}
        self._keys: dict[PathKey, Position] = {}
        self._texts: dict[PathKey, Text] = {}

    def build(self, events: Iterator[yaml.Event]) -> Document:
        for event in events:
            self._take(event)
        return Document(name=self._name, value=self._root, values=self._values, keys=self._keys, texts=self._texts)

    def _take(self, event: yaml.Event) -> None:
        match event:
            case yaml.DocumentStartEvent():
                self._documents += 1
                if self._documents > 1:
                    raise self._at(event, "a second document starts here", "Put it in a file of its own.")
            case yaml.AliasEvent():
                raise self._at(event, "aliases are not allowed", "Write the value out.")
            case yaml.ScalarEvent():
                self._check(event)
                self._scalar(event)
            case yaml.MappingStartEvent() | yaml.SequenceStartEvent():
                self._check(event)
                self._collection(event)
            case yaml.MappingEndEvent() | yaml.SequenceEndEvent():
                self._stack.pop()
            case _:
                pass

    def _check(self, event: yaml.ScalarEvent | yaml.CollectionStartEvent) -> None:
        self._nodes += 1
        if self._nodes > MAX_NODES:
            raise self._at(event, f"the file has more than {MAX_NODES} values", "Split it by subject.")
        if event.anchor is not None:
            raise self._at(event, "anchors are not allowed", "Write the value out where it is used.")
        if event.tag is not None:
            raise self._at(event, "tags are not allowed", "Remove the word that starts with '!'.")

    def _scalar(self, event: yaml.ScalarEvent) -> None:
        top = self._stack[-1] if self._stack else None
        if top is not None and isinstance(top.value, dict) and top.key is None:
            self._key(top, event)
            return
        path = self._place(event, _plain(event.value) if not event.style else event.value)
        self._texts[path] = _text(event, self._lines)

    def _key(self, top: _Open, event: yaml.ScalarEvent) -> None:
        key = event.value
        if key == "<<" and not event.style:
            raise self._at(event, "merge keys are not allowed", "Write the keys out.")
        if key in top.value:
            raise self._at(event, f"the key '{_short(key)}' is here twice", "Keep one of the two.")
        self._keys[(*top.path, key)] = _position(event)
        top.key = key

    def _collection(self, event: yaml.MappingStartEvent | yaml.SequenceStartEvent) -> None:
        if len(self._stack) >= MAX_DEPTH:
            raise self._at(event, f"values are nested more than {MAX_DEPTH} deep", "Flatten this part.")
        if self._stack and isinstance(self._stack[-1].value, dict) and self._stack[-1].key is None:
            raise self._at(event, "a key must be a text", "Quote the key.")
        value: dict[str, Value] | list[Value] = {} if isinstance(event, yaml.MappingStartEvent) else []
        path = self._place(event, value)
        self._stack.append(_Open(value, path))

    def _place(self, event: yaml.NodeEvent, value: Value) -> PathKey:
        """Put a value where it belongs and return its path."""
        path: PathKey = ()
        if not self._stack:
            self._root = value
        else:
            top = self._stack[-1]
            if isinstance(top.value, list):
                path = (*top.path, len(top.value))
                top.value.append(value)
            elif top.key is not None:
                path = (*top.path, top.key)
                top.value[top.key] = value
                top.key = None
        self._values[path] = _position(event)
        return path

    def _at(self, event: yaml.Event, message: str, hint: str) -> ProblemFound:
        at = _position(event)
        return _refused(self._name, at.line, at.column, message, hint)


def _plain(text: str) -> Value:
    if text in _NULL:
        return None
    if text in _BOOLEANS:
        return _BOOLEANS[text]
    if _INTEGER.match(text):
        return int(text)
    if _FLOAT.match(text):
        return float(text)
    return text


def _position(event: yaml.Event) -> Position:
    mark = event.start_mark
    return Position(line=mark.line + 1, column=mark.column + 1) if mark else Position(line=1, column=1)


def _text(event: yaml.ScalarEvent, lines: list[str]) -> Text:
    """Find each source line of a scalar in its value; folding changes what is between the lines, not the lines."""
    offsets, positions = [0], [_position(event)]
    start, end = event.start_mark, event.end_mark
    if start is None or end is None:
        return Text(offsets=tuple(offsets), positions=tuple(positions))
    cursor = 0
    for number in range(start.line, min(end.line + 1, len(lines))):
        first = number == start.line
        if first and event.style in ("|", ">"):
            continue
        line = lines[number]
        begin = start.column + (event.style in ("'", '"')) if first else len(line) - len(line.lstrip(" "))
        piece = line[begin : end.column if number == end.line else None].rstrip("\"' ")
        found = event.value.find(piece, cursor) if piece else -1
        if found < 0:
            continue
        offsets.append(found)
        positions.append(Position(line=number + 1, column=begin + 1))
        cursor = found + len(piece)
    return Text(offsets=tuple(offsets), positions=tuple(positions))


def _short(text: str) -> str:
    return text if len(text) <= 40 else f"{text[:40]}…"  # noqa: PLR2004 - an excerpt, no more
