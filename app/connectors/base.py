# SPDX-License-Identifier: Apache-2.0

"""The contract every connector keeps, whether it reads a file or a live service.

In:  a source system's own records.
Out: pages of ``SourceRecord`` (raw bytes), and, purely, the ``AccessRecord``s each of them states.
A connector never writes anywhere, never judges, and never skips: what it cannot use is a ``Reject``, which is counted.

``app.connectors.testing.connector_conformance`` is the executable form of this page.
"""

import hashlib
from collections.abc import Iterator
from typing import ClassVar, Protocol, runtime_checkable

import msgspec

from app.records.model import AccessRecord, RecordType

MAX_RECORD_BYTES = 1_048_576
"""Larger records are rejected: no privileged-access record we know needs a mebibyte, and hostile ones do."""


class SourceRecord(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One item exactly as the source gave it; it holds no containers, so the garbage collector need not look at it.

    Attributes:
        kind: the source's own name for what it is, such as ``session.start``.
        key: its id in the source; the same key with other bytes is a newer version.
        raw: the bytes as received. For items cut out of a larger document, the exact slice.
        occurred_at: the source's instant, epoch milliseconds, or None when it states none.
        occurred_at_text: that instant as the source spelled it.
        locator: where it was found, such as ``audit.log:17``; for messages only.
    """

    kind: str
    key: str
    raw: bytes
    occurred_at: int | None
    occurred_at_text: str | None
    locator: str

    @property
    def raw_sha256(self) -> str:
        """Return the hex SHA-256 of the raw bytes."""
        return hashlib.sha256(self.raw).hexdigest()


class Reject(msgspec.Struct, frozen=True, kw_only=True):
    """Input that could not be used: where it is, why, and its digest and length, so that it can be found again."""

    locator: str
    reason: str
    raw_sha256: str
    length: int


class SequenceGap(msgspec.Struct, frozen=True, kw_only=True):
    """Proof that the source produced records we did not get, such as a missing ``line_num``."""

    what: str
    first_missing: int
    last_missing: int


class Page(msgspec.Struct, frozen=True, kw_only=True):
    """A stretch of a source.

    Attributes:
        records: what was read, in the source's order.
        rejects: what could not be read.
        gaps: holes in the source's own numbering found so far in this page.
        cursor: where to go on, opaque; None when the source has no more.
        source_count: the total that the source itself claims for the window, when it claims one.
        position: bytes or items consumed so far, for progress; ``size`` is the total when known.
    """

    records: tuple[SourceRecord, ...]
    rejects: tuple[Reject, ...] = ()
    gaps: tuple[SequenceGap, ...] = ()
    cursor: str | None = None
    source_count: int | None = None
    position: int = 0
    size: int | None = None


class Window(msgspec.Struct, frozen=True, kw_only=True):
    """The time asked for: from ``start`` (inclusive) to ``end`` (exclusive), epoch milliseconds; None = open."""

    start: int | None = None
    end: int | None = None


class InputFile(msgspec.Struct, frozen=True, kw_only=True):
    """A file that was read: its name without folders, its length in bytes and its SHA-256."""

    name: str
    size: int
    sha256: str


@runtime_checkable
class HasInputs(Protocol):
    """A connector that reads files tells which; asked once, after ``fetch`` has ended, early or not."""

    @property
    def inputs(self) -> tuple[InputFile, ...]:
        """Return the files read so far."""
        ...


class Connector(Protocol):
    """Reads privileged-access records from one source system. Never writes, never judges."""

    name: ClassVar[str]
    """Short name used on the command line, such as ``teleport``."""
    title: ClassVar[str]
    """Name for people, such as ``Teleport audit events (JSON lines)``."""
    record_types: ClassVar[frozenset[RecordType]]
    """Every kind of access record this connector can produce; producing another is a defect."""

    @property
    def query(self) -> str:
        """Say what is asked of the source, so that an auditor can ask it again; never holds a secret."""
        ...

    def fetch(self, window: Window, cursor: str | None) -> Iterator[Page]:
        """Yield pages in the source's order, starting after ``cursor``.

        Raises:
            SourceUnavailable: the source cannot be reached now.
            SourceRefused: the source refuses us.
            InvalidInput: the input as a whole is not of this connector's format.
        """
        ...

    def normalize(self, record: SourceRecord) -> tuple[AccessRecord, ...]:
        """Say what access records this source record states; pure, and empty for kinds that state none.

        Raises:
            RecordRejected: the record cannot be used; the message says why.
        """
        ...
