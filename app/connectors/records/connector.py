# SPDX-License-Identifier: Apache-2.0

"""Read Proofroom's own format: one access record a line."""

from collections.abc import Iterator
from typing import ClassVar

from app.connectors.base import Page, SourceRecord, Window
from app.connectors.files import FileSource, read_pages
from app.connectors.jsonreading import Found, JsonReader
from app.connectors.records.normalize import as_of, kind_text, normalize
from app.connectors.values import identifier, text
from app.errors import RecordRejected
from app.records.model import AccessRecord, RecordType


class RecordsFile(FileSource):
    """Access records; the shape is docs/reference/access-record.schema.json."""

    name: ClassVar[str] = "records"
    title: ClassVar[str] = "Proofroom access records (JSON lines)"
    record_types: ClassVar[frozenset[RecordType]] = frozenset(RecordType)

    def fetch(self, window: Window, cursor: str | None) -> Iterator[Page]:  # noqa: ARG002  # a file has no query
        """Yield the records."""
        return read_pages(self._paths, cursor, connector=self.name, reader=JsonReader(), identify=_identify)

    def normalize(self, record: SourceRecord) -> tuple[AccessRecord, ...]:
        """Decode one record; see ``app.connectors.records.normalize``."""
        return normalize(record)


def _identify(found: Found) -> SourceRecord:
    kind, key = kind_text(found.value), identifier(found.value, "id")
    try:
        instant, spelled = as_of(found.value)
    except RecordRejected:
        instant, spelled = None, None  # normalize() rejects the record and says why.
    return SourceRecord(
        kind=kind,
        key=f"{kind}/{key}",
        raw=found.raw,
        occurred_at=instant,
        occurred_at_text=text({"": spelled}, "") if isinstance(spelled, str) else None,
        locator=found.locator,
    )
