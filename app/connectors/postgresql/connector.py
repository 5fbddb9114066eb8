# SPDX-License-Identifier: Apache-2.0

"""Read PostgreSQL's JSON server log (``log_destination = 'jsonlog'``, 15 and later) with pgaudit's lines in it."""

from collections.abc import Iterator
from typing import ClassVar

import msgspec

from app.connectors.base import Page, SourceRecord, Window
from app.connectors.files import FileSource, read_pages
from app.connectors.jsonreading import Found, JsonReader
from app.connectors.postgresql.normalize import RECORD_TYPES, kind_of, log_instant, normalize
from app.connectors.sequences import Sequences
from app.connectors.strictjson import JsonObject
from app.connectors.values import as_identifier, identifier, integer, text
from app.errors import RecordRejected
from app.records.model import AccessRecord, RecordType


class PostgresFile(FileSource):
    """Server log lines, one JSON object a line."""

    name: ClassVar[str] = "postgresql"
    title: ClassVar[str] = "PostgreSQL JSON log with pgaudit (15 and later)"
    record_types: ClassVar[frozenset[RecordType]] = RECORD_TYPES

    def fetch(self, window: Window, cursor: str | None) -> Iterator[Page]:  # noqa: ARG002  # a file has no query
        """Yield the lines; the last page has the gaps in the sessions' own line numbers."""
        lines = _Lines()
        pages = read_pages(self._paths, cursor, connector=self.name, reader=JsonReader(), identify=lines.identify)
        for page in pages:
            yield page if page.cursor else msgspec.structs.replace(page, gaps=lines.sequences.gaps())

    def normalize(self, record: SourceRecord) -> tuple[AccessRecord, ...]:
        """Say what one line states; see ``app.connectors.postgresql.normalize``."""
        return normalize(record)


class _Lines:
    """Names lines, and watches ``line_num``, which every process counts from one without a hole.

    A session that was open before the first line read has its first lines elsewhere; only one that began afterwards
    must have its line 1 here.
    """

    def __init__(self) -> None:
        self.sequences = Sequences("line_num of session")
        self._first: int | None = None

    def identify(self, found: Found) -> SourceRecord:
        value = found.value
        session, number = identifier(value, "session_id"), integer(value, "line_num")
        if number is None or number < 1:
            raise RecordRejected("'line_num' is missing")
        at, kind = log_instant(value, "timestamp"), kind_of(value)
        self._watch(value, session, number, at, ends=kind == "disconnection")
        return SourceRecord(
            kind=kind,
            key=as_identifier(f"{session}/{number}", "session_id"),
            raw=found.raw,
            occurred_at=at,
            occurred_at_text=text(value, "timestamp"),
            locator=found.locator,
        )

    def _watch(self, value: JsonObject, session: str, number: int, at: int, *, ends: bool) -> None:
        self._first = at if self._first is None else self._first
        started = log_instant(value, "session_start") if "session_start" in value else None
        self.sequences.see(session, number, began_here=started is not None and started > self._first)
        if ends:
            self.sequences.close(session)
