# SPDX-License-Identifier: Apache-2.0

"""Read the audit log of OpenBao (and of HashiCorp Vault, which writes the same lines)."""

from collections.abc import Iterator
from typing import ClassVar

from app.connectors.base import Page, SourceRecord, Window
from app.connectors.files import FileSource, read_pages
from app.connectors.jsonreading import Found, JsonReader
from app.connectors.openbao.normalize import RECORD_TYPES, normalize
from app.connectors.values import as_identifier, child, identifier, required_instant, text
from app.errors import RecordRejected
from app.records.model import AccessRecord, RecordType


class OpenBaoFile(FileSource):
    """Audit entries of one file or http audit device, one JSON object a line."""

    name: ClassVar[str] = "openbao"
    title: ClassVar[str] = "OpenBao audit log (JSON lines)"
    record_types: ClassVar[frozenset[RecordType]] = RECORD_TYPES

    def fetch(self, window: Window, cursor: str | None) -> Iterator[Page]:  # noqa: ARG002  # a file has no query
        """Yield the entries. They carry no sequence number, so a missing one leaves no trace here."""
        return read_pages(self._paths, cursor, connector=self.name, reader=JsonReader(), identify=_identify)

    def normalize(self, record: SourceRecord) -> tuple[AccessRecord, ...]:
        """Say what one entry states; see ``app.connectors.openbao.normalize``."""
        return normalize(record)


def _identify(found: Found) -> SourceRecord:
    """Name an entry by its mount's type, which is a short list, and not by its path, which users choose.

    One ``request.id`` has two responses under a control group, and the server's own requests have none, so the key is
    the id with the instant, which is given in nanoseconds.
    """
    value = found.value
    spelled = identifier(value, "time")
    request = child(value, "request")
    mount = text(request, "mount_type") or "unmounted"
    if not mount.isprintable() or len(mount) > 64:  # noqa: PLR2004
        raise RecordRejected("'mount_type' is not a name")
    return SourceRecord(
        kind=f"{identifier(value, 'type')}.{mount}",
        key=as_identifier(f"{text(request, 'id') or '-'}/{spelled}", "request.id"),
        raw=found.raw,
        occurred_at=required_instant(value, "time"),
        occurred_at_text=spelled,
        locator=found.locator,
    )
