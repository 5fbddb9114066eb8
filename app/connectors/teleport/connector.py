# SPDX-License-Identifier: Apache-2.0

"""Read Teleport audit events, one JSON object a line, as the audit log and the event handler write them."""

from collections.abc import Iterator
from hashlib import sha256
from typing import ClassVar

from app.connectors.base import Page, SourceRecord, Window
from app.connectors.files import FileSource, read_pages
from app.connectors.jsonreading import Found, JsonReader
from app.connectors.teleport.normalize import RECORD_TYPES, normalize
from app.connectors.values import identifier, instant, text
from app.errors import RecordRejected
from app.records.model import AccessRecord, RecordType


class TeleportFile(FileSource):
    """Audit events: JSON lines, a JSON list, or the web API's ``{"events": [...]}``."""

    name: ClassVar[str] = "teleport"
    title: ClassVar[str] = "Teleport audit events (JSON lines)"
    record_types: ClassVar[frozenset[RecordType]] = RECORD_TYPES

    def fetch(self, window: Window, cursor: str | None) -> Iterator[Page]:  # noqa: ARG002  # a file has no query
        """Yield the events.

        No sequence gaps are reported: ``ei`` counts a session's events per emitter, and most of them (``print``) go to
        the recording only, so a missing number proves nothing about the audit log.
        """
        reader = JsonReader(members=("events",))
        return read_pages(self._paths, cursor, connector=self.name, reader=reader, identify=_identify)

    def normalize(self, record: SourceRecord) -> tuple[AccessRecord, ...]:
        """Say what one event states; see ``app.connectors.teleport.normalize``."""
        return normalize(record)


def _identify(found: Found) -> SourceRecord:
    """Name an event by its ``uid``; some old events have none, and are named by their digest."""
    kind = identifier(found.value, "event")
    key = identifier(found.value, "uid") if found.value.get("uid") else f"sha256:{sha256(found.raw).hexdigest()}"
    spelled = text(found.value, "time")
    try:
        occurred_at = instant(found.value, "time")
    except RecordRejected:
        occurred_at = None  # normalize() rejects the event if it states an access record.
    return SourceRecord(
        kind=kind,
        key=key,
        raw=found.raw,
        occurred_at=occurred_at,
        occurred_at_text=spelled,
        locator=found.locator,
    )
