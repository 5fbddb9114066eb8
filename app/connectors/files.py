# SPDX-License-Identifier: Apache-2.0

"""Turn files into the pages that a connector's ``fetch`` yields.

In:  paths, a reader for the file's shape, and a function that names what each object is.
Out: pages of source records and rejects, in the files' order, with a cursor that any later run can go on from.
Never holds more than one page, never skips anything, and refuses a file of another format before it reads on.

A file has no query, so the window is not applied: everything in the file is handed over, and the completeness box says
which window the operator declares it to cover.
"""

import hashlib
from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from pathlib import Path

from app.connectors.base import InputFile, Page, Reject, SourceRecord
from app.connectors.formats import SNIFFED, check_format
from app.connectors.jsonreading import Found, Position, Reader, Step, open_file, reject
from app.errors import InvalidInput, RecordRejected, UsageError

PAGE_RECORDS = 1000
PAGE_BYTES = 4_194_304

Identify = Callable[[Found], SourceRecord]
"""Says what an object is: its kind, key and instant. Raises RecordRejected where it cannot."""


def read_pages(
    paths: Sequence[Path], cursor: str | None, *, connector: str, reader: Reader, identify: Identify
) -> Iterator[Page]:
    """Yield the records of files as pages; the last page, and only that one, has no cursor.

    Args:
        paths: the files, in the order to read them.
        cursor: where an earlier page ended, or None for the beginning.
        connector: name of the connector, to recognise its format.
        reader: cuts one file into objects.
        identify: names one object.

    Raises:
        InvalidInput: a file cannot be read, or is of another format.
        UsageError: the cursor is not one of ours.
    """
    first, start = _position(cursor, len(paths))
    for path in paths[first:]:
        check_format(connector, path, [step.item for step in islice(reader(path, Position()), SNIFFED)])
    sizes = [path.stat().st_size for path in paths]
    page = _Filling(sum(sizes))
    for index in range(first, len(paths)):
        before = sum(sizes[:index])
        for step in reader(paths[index], start if index == first else Position()):
            if page.is_full:
                yield page.turn()
            page.add(step, identify, index, before)
    yield page.last()


class FileSource:
    """What every file connector shares: the files it was given, in order.

    Args:
        paths: the files.
    """

    def __init__(self, paths: Sequence[Path]) -> None:
        self._paths = tuple(paths)

    @property
    def query(self) -> str:
        """Say what is asked of files: their names, without their folders."""
        return "files: " + ", ".join(path.name for path in self._paths)

    @property
    def inputs(self) -> tuple[InputFile, ...]:
        """Return name, size and digest of every file that can be read."""
        return tuple(found for path in self._paths if (found := _input_file(path)) is not None)


class _Filling:
    """A page being filled."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._file = self._before = 0
        self._end = Position()
        self._clear()

    @property
    def is_full(self) -> bool:
        return len(self._records) + len(self._rejects) >= PAGE_RECORDS or self._bytes >= PAGE_BYTES

    def add(self, step: Step, identify: Identify, file: int, before: int) -> None:
        item = step.item
        self._file, self._before, self._end = file, before, step.end
        if isinstance(item, Reject):
            self._rejects.append(item)
            return
        self._bytes += len(item.raw)
        try:
            self._records.append(identify(item))
        except RecordRejected as error:
            self._rejects.append(reject(item.raw, item.locator, error.what))

    def turn(self) -> Page:
        page = self._page(f"{self._file}:{self._end.offset}:{self._end.items}")
        self._clear()
        return page

    def last(self) -> Page:
        return self._page(None)

    def _page(self, cursor: str | None) -> Page:
        return Page(
            records=tuple(self._records),
            rejects=tuple(self._rejects),
            cursor=cursor,
            position=self._size if cursor is None else self._before + self._end.offset,
            size=self._size,
        )

    def _clear(self) -> None:
        self._records: list[SourceRecord] = []
        self._rejects: list[Reject] = []
        self._bytes = 0


def _input_file(path: Path) -> InputFile | None:
    digest, size = hashlib.sha256(), 0
    try:
        with open_file(path) as file:
            while chunk := file.read(1 << 20):
                digest.update(chunk)
                size += len(chunk)
    except InvalidInput:
        return None  # fetch() has said so.
    return InputFile(name=path.name, size=size, sha256=digest.hexdigest())


def _position(cursor: str | None, files: int) -> tuple[int, Position]:
    if cursor is None:
        return 0, Position()
    parts = cursor.split(":")
    if len(parts) == 3 and all(part.isascii() and part.isdigit() and len(part) < 19 for part in parts):  # noqa: PLR2004
        index, offset, items = map(int, parts)
        if index < files:
            return index, Position(offset, items)
    raise UsageError("this cursor does not belong to these files", hint="Import the files from the beginning")
