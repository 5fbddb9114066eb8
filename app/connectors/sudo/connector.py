# SPDX-License-Identifier: Apache-2.0

"""Read the JSON event log of sudo and sudo_logsrvd (``log_format=json`` and, from 1.9.16, ``json_compact``)."""

from collections.abc import Iterator
from pathlib import Path
from typing import ClassVar

from app.connectors.base import Page, SourceRecord, Window
from app.connectors.files import FileSource, read_pages
from app.connectors.jsonreading import Found, Position, Step, open_file, read_lines, read_members
from app.connectors.strictjson import strict_object
from app.connectors.sudo.normalize import RECORD_TYPES, event_of, normalize, server_instant
from app.connectors.values import as_identifier, child, identifier, text
from app.errors import RecordRejected
from app.records.model import AccessRecord, RecordType


class SudoFile(FileSource):
    """Events: one object with repeated names, or one object a line."""

    name: ClassVar[str] = "sudo"
    title: ClassVar[str] = "sudo event log (JSON)"
    record_types: ClassVar[frozenset[RecordType]] = RECORD_TYPES

    def fetch(self, window: Window, cursor: str | None) -> Iterator[Page]:  # noqa: ARG002  # a file has no query
        """Yield the events. A cursor lies before the closing brace, which sudo overwrites when it writes on."""
        return read_pages(self._paths, cursor, connector=self.name, reader=_read, identify=_identify)

    def normalize(self, record: SourceRecord) -> tuple[AccessRecord, ...]:
        """Say what one event states; see ``app.connectors.sudo.normalize``."""
        return normalize(record)


def _read(path: Path, start: Position) -> Iterator[Step]:
    return read_lines(path, start) if _is_compact(path) else read_members(path, start)


def _is_compact(path: Path) -> bool:
    """Tell whether the first line is a whole object; in the other format it is an opening brace."""
    with open_file(path) as file:
        first = file.readline(1 << 20)
        while first and not first.strip():
            first = file.readline(1 << 20)
        more = file.read(1)
    try:
        value = strict_object(first)
    except RecordRejected:
        # A line that ends in "{" goes on below; a whole log on one line repeats names, so it is no event of its own.
        return not first.rstrip().endswith(b"{") and first.count(b'"server_time"') <= 1
    return bool(more) or len(value) == 1


def _identify(found: Found) -> SourceRecord:
    kind, event = (found.name, found.value) if found.name is not None else event_of(found.value)
    at = server_instant(event)
    return SourceRecord(
        kind=as_identifier(kind, "event"),
        key=as_identifier(f"{identifier(event, 'uuid')}/{kind}", "uuid"),
        raw=found.raw,
        occurred_at=at,
        occurred_at_text=text(child(event, "server_time"), "iso8601"),
        locator=found.locator,
    )
