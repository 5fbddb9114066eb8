# SPDX-License-Identifier: Apache-2.0

"""Read sessions as hoop.dev's ``GET /sessions`` and ``GET /sessions/{id}`` return them, saved to files."""

from collections.abc import Iterator, Sequence
from typing import ClassVar

import msgspec

from app.connectors.base import Page, SequenceGap, SourceRecord, Window
from app.connectors.files import FileSource, read_pages
from app.connectors.hoop.normalize import RECORD_TYPES, last_change, normalize
from app.connectors.jsonreading import Found, JsonReader
from app.connectors.strictjson import JsonObject
from app.connectors.values import identifier
from app.records.model import AccessRecord, RecordType


class HoopFile(FileSource):
    """Sessions with their embedded reviews: response pages, a list, or one session a line."""

    name: ClassVar[str] = "hoop"
    title: ClassVar[str] = "hoop.dev sessions (JSON of GET /sessions)"
    record_types: ClassVar[frozenset[RecordType]] = RECORD_TYPES

    def fetch(self, window: Window, cursor: str | None) -> Iterator[Page]:  # noqa: ARG002  # a file has no query
        """Yield the sessions; the last page has the total that the API claimed, and a gap if pages are missing."""
        reader = JsonReader(members=("data",))
        pages = read_pages(self._paths, cursor, connector=self.name, reader=reader, identify=_identify)
        for page in pages:
            yield page if page.cursor else _completed(page, reader.summaries)

    def normalize(self, record: SourceRecord) -> tuple[AccessRecord, ...]:
        """Say what one session states; see ``app.connectors.hoop.normalize``."""
        return normalize(record)


def _identify(found: Found) -> SourceRecord:
    key = identifier(found.value, "id")
    instant, spelled = last_change(found.value)
    return SourceRecord(
        kind="session",
        key=key,
        raw=found.raw,
        occurred_at=instant,
        occurred_at_text=spelled,
        locator=found.locator,
    )


def _completed(page: Page, summaries: Sequence[JsonObject]) -> Page:
    """Add what the response envelopes say about completeness.

    ``total`` counts all sessions that match, whatever page was asked for, so it is taken when every envelope has the
    same; it is null with ``?count=none``, and a mere lower bound when ``total_is_capped``. ``has_next_page`` on every
    envelope proves that a further page existed and is not here.
    """
    totals = {each.get("total") for each in summaries if each.get("total_is_capped") is not True}
    total = totals.pop() if len(totals) == 1 and len(summaries) else None
    gaps: tuple[SequenceGap, ...] = ()
    if summaries and all(each.get("has_next_page") is True for each in summaries):
        number = len(summaries) + 1
        gaps = (SequenceGap(what="page of GET /sessions", first_missing=number, last_missing=number),)
    capped = any(each.get("total_is_capped") is True for each in summaries)
    return msgspec.structs.replace(page, source_count=total if type(total) is int and not capped else None, gaps=gaps)
