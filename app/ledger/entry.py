# SPDX-License-Identifier: Apache-2.0

"""One ledger entry, and the bytes of its leaf.

In:  what a source said and how we got it.
Out: canonical bytes, equal on every machine, whose hash is the leaf of the Merkle log.

The leaf holds the digest of the raw bytes, not the bytes, so an entry can be proved to somebody who must not see them.
The index is not in the leaf: a leaf's place is proved by the tree.
"""

import hashlib

import msgspec

from app.connectors.base import MAX_RECORD_BYTES, SourceRecord
from app.ledger.merkle import leaf_hash
from app.signing.canonical import canonical_flat

RUN_KIND = "proofroom.collection_run"
"""Kind of the entries that hold a collection run's own completeness box; no source may use it."""

_MAX_TEXT = {"kind": 256, "key": 1024, "occurred_at_text": 256}
"""Bytes of UTF-8; a PostgreSQL index takes no more, and no source we know comes near."""
_PLAIN = min(_MAX_TEXT.values())
_MAX_INSTANT = 1 << 53


class LedgerEntry(msgspec.Struct, frozen=True, kw_only=True):
    """One entry of the ledger.

    Attributes:
        index: its place in the log, from 0, without holes.
        source: the configured name of the source.
        kind: the source's own name for what it is. key: its id in the source.
        occurred_at: the source's instant, epoch milliseconds. occurred_at_text: as the source spelled it.
        collected_at: when we got it, by our clock, epoch milliseconds.
        run_id: the collection run that got it.
        raw_sha256: hex SHA-256 of the raw bytes. raw_length: their number.
    """

    index: int
    source: str
    kind: str
    key: str
    occurred_at: int | None
    occurred_at_text: str | None
    collected_at: int
    run_id: str
    raw_sha256: str
    raw_length: int


def leaf_bytes(entry: LedgerEntry) -> bytes:
    """Return the canonical JSON of an entry without its index: the data of its leaf.

    Raises:
        InvalidInput: a text is not valid Unicode, or a number is too large.
    """
    return leaf_of(
        entry.source,
        entry.kind,
        entry.key,
        entry.occurred_at,
        entry.occurred_at_text,
        entry.collected_at,
        entry.run_id,
        entry.raw_sha256,
        entry.raw_length,
    )


def leaf_of(
    source: str,
    kind: str,
    key: str,
    occurred_at: int | None,
    occurred_at_text: str | None,
    collected_at: int,
    run_id: str,
    raw_sha256: str,
    raw_length: int,
) -> bytes:
    """Do as ``leaf_bytes`` without an object in between; for the paths of millions."""
    return canonical_flat(
        {
            "collected_at": collected_at,
            "key": key,
            "kind": kind,
            "occurred_at": occurred_at,
            "occurred_at_text": occurred_at_text,
            "raw_length": raw_length,
            "raw_sha256": raw_sha256,
            "run_id": run_id,
            "source": source,
        }
    )


def entry_hash(entry: LedgerEntry) -> bytes:
    """Return the leaf hash of an entry."""
    return leaf_hash(leaf_bytes(entry))


def fingerprint(source: str, kind: str, key: str, raw_digest: bytes) -> bytes:
    """Return 16 bytes that tell whether an entry is there already: SHA-256 of source, kind, key and raw digest, cut.

    The texts hold no zero byte (see ``why_unfit``), so no two different entries are spelled alike.
    """
    return hashlib.sha256(f"{source}\0{kind}\0{key}\0".encode() + raw_digest).digest()[:16]


def why_unfit(record: SourceRecord) -> str | None:
    """Say why a source record cannot become an entry, or None when it can; the record is then counted as rejected."""
    if record.kind == RUN_KIND:
        return "the kind is reserved for collection runs"
    if len(record.raw) > MAX_RECORD_BYTES:
        return f"the record is larger than {MAX_RECORD_BYTES} bytes"
    if record.occurred_at is not None and not -_MAX_INSTANT < record.occurred_at < _MAX_INSTANT:
        return "the instant is out of range"
    # Nearly all records are plain and short; three closer looks at each would be felt over millions.
    texts = f"{record.kind}{record.key}{record.occurred_at_text}"
    if len(texts) <= _PLAIN and texts.isascii() and "\x00" not in texts:
        return None
    return (
        _why_unfit_text("kind", record.kind)
        or _why_unfit_text("key", record.key)
        or _why_unfit_text("occurred_at_text", record.occurred_at_text or "")
    )


def _why_unfit_text(field: str, value: str) -> str | None:
    try:
        size = len(value) if value.isascii() else len(value.encode())
    except UnicodeEncodeError:
        return f"its {field} is not valid Unicode"
    if size > _MAX_TEXT[field]:
        return f"its {field} is longer than {_MAX_TEXT[field]} bytes"
    # PostgreSQL's text cannot hold it.
    return f"its {field} holds a zero byte" if "\x00" in value else None
