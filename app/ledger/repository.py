# SPDX-License-Identifier: Apache-2.0

"""All SQL of the ledger. It inserts and reads; it has no statement that changes or removes."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing
from itertools import islice
from typing import Any, NamedTuple, TypeVar

from sqlalchemy import func
from sqlmodel import col, select

from app.db import Connection, bulk_find, bulk_insert
from app.ledger.entry import LedgerEntry, leaf_of
from app.ledger.ranges import Node, node_position
from app.ledger.tables import LedgerCheckpointRow, LedgerEntryRow, LedgerNodeRow, LedgerRawRow

T = TypeVar("T")

CHUNK = 4_000
"""Rows a query: large enough to cost little, small enough for memory and for the databases' limits on parameters."""

_SPARSE = 4
"""A range is read whole if at least one in so many of its entries is wanted."""

_ENTRY_COLUMNS = (
    "index",
    "source",
    "kind",
    "key",
    "occurred_at",
    "occurred_at_text",
    "collected_at",
    "run_id",
    "raw_sha256",
    "raw_length",
    "leaf_hash",
    "fingerprint",
)

EntryValues = tuple[int, str, str, str, int | None, str | None, int, str, bytes, int, bytes, bytes]
"""The values of one row of ``ledger_entry``, in the order of its columns."""


class StoredEntry(NamedTuple):
    """One entry as the tables hold it, which need not be how we wrote it: the input of ``fsck``."""

    place: int
    columns: dict[str, Any]
    raw: object


def size(connection: Connection) -> int:
    """Return the number of entries: one more than the last index."""
    last: int | None = connection.execute(select(func.max(LedgerEntryRow.index))).scalar_one_or_none()
    return 0 if last is None else last + 1


def known_fingerprints(connection: Connection, fingerprints: Iterable[bytes]) -> set[bytes]:
    """Return those of ``fingerprints`` that an entry has already."""
    known: set[bytes] = set()
    for chunk in _chunks(fingerprints):
        known.update(bulk_find(connection, "ledger_entry", "fingerprint", chunk))
    return known


def insert_entries(connection: Connection, entries: Sequence[EntryValues], raws: Sequence[bytes]) -> None:
    """Store entries and their raw bytes."""
    bulk_insert(connection, "ledger_entry", _ENTRY_COLUMNS, entries)
    bulk_insert(connection, "ledger_raw", ("index", "raw"), [(e[0], raw) for e, raw in zip(entries, raws, strict=True)])


def insert_nodes(connection: Connection, first: int, hashes: Sequence[bytes]) -> None:
    """Store the hashes of subtrees that became complete, from place ``first`` on."""
    bulk_insert(connection, "ledger_node", ("position", "hash"), list(enumerate(hashes, first)))


def read_nodes(connection: Connection, nodes: Iterable[Node]) -> dict[Node, bytes]:
    """Return the hashes of complete subtrees; what is not stored is not in the result."""
    leaves: dict[int, Node] = {}
    inner: dict[int, Node] = {}
    for level, index in nodes:
        if level:
            inner[node_position(level, index)] = (level, index)
        else:
            leaves[index] = (level, index)
    found = {}
    for chunk in _chunks(leaves):
        rows = connection.execute(
            select(LedgerEntryRow.index, LedgerEntryRow.leaf_hash).where(col(LedgerEntryRow.index).in_(chunk))
        )
        found.update({leaves[index]: bytes(value) for index, value in rows})
    for chunk in _chunks(inner):
        nodes_read = connection.execute(
            select(LedgerNodeRow.position, LedgerNodeRow.hash).where(col(LedgerNodeRow.position).in_(chunk))
        )
        found.update({inner[position]: bytes(value) for position, value in nodes_read})
    return found


def node_range(connection: Connection, first: int, count: int) -> dict[int, object]:
    """Return place to hash of the stored subtrees in ``count`` places from ``first`` on."""
    rows = connection.execute(
        select(LedgerNodeRow.position, LedgerNodeRow.hash).where(
            LedgerNodeRow.position >= first, LedgerNodeRow.position < first + count
        )
    )
    return {position: value for position, value in rows}  # noqa: C416  A row is a tuple only at run time.


def count_nodes(connection: Connection) -> int:
    """Return the number of stored subtrees."""
    return connection.execute(select(func.count()).select_from(LedgerNodeRow)).scalar_one()


def leaf_hashes(connection: Connection) -> Iterator[bytes]:
    """Yield the stored leaf hashes of all entries, in order."""
    start = 0
    while True:
        rows = connection.execute(
            select(LedgerEntryRow.index, LedgerEntryRow.leaf_hash)
            .where(col(LedgerEntryRow.index) >= start)
            .order_by(col(LedgerEntryRow.index))
            .limit(CHUNK)
        ).all()
        yield from (bytes(value) for _, value in rows)
        if len(rows) < CHUNK:
            return
        start = rows[-1][0] + 1


def read_entries(connection: Connection, indices: Iterable[int]) -> Iterator[LedgerEntry]:
    """Yield entries in the order asked for; indices without an entry are left out."""
    for index, source, kind, key, at, at_text, collected_at, run_id, digest, length in _rows(connection, indices):
        yield LedgerEntry(
            index=index,
            source=source,
            kind=kind,
            key=key,
            occurred_at=at,
            occurred_at_text=at_text,
            collected_at=collected_at,
            run_id=run_id,
            raw_sha256=digest.hex(),
            raw_length=length,
        )


def read_leaves(connection: Connection, indices: Iterable[int]) -> Iterator[tuple[int, bytes]]:
    """Yield index and leaf bytes of entries, in the order asked for; indices without an entry are left out."""
    for index, source, kind, key, at, at_text, collected_at, run_id, digest, length in _rows(connection, indices):
        yield index, leaf_of(source, kind, key, at, at_text, collected_at, run_id, digest.hex(), length)


def _rows(connection: Connection, indices: Iterable[int]) -> Iterator[Sequence[Any]]:
    """Yield the columns of entries that make their leaves, in the order asked for."""
    table = LedgerEntryRow.__table__  # type: ignore[attr-defined]
    columns = select(*(table.c[name] for name in LedgerEntry.__struct_fields__))
    for chunk in _chunks(indices):
        first, last = min(chunk), max(chunk)
        # Nearly always nearly all of a range is asked for, and a list of thousands costs more than what is read.
        is_range = last - first < _SPARSE * len(chunk)
        wanted = table.c.index.between(first, last) if is_range else table.c.index.in_(chunk)
        with closing(connection.execute(columns.where(wanted))) as result:
            cursor: Any = result.cursor  # Rows as the driver makes them: SQLAlchemy's cost more than to read them.
            found = {row[0]: row for row in cursor.fetchall()}
        yield from (found[index] for index in chunk if index in found)


def read_raw(connection: Connection, index: int) -> bytes | None:
    """Return the raw bytes of an entry."""
    value = connection.execute(select(LedgerRawRow.raw).where(LedgerRawRow.index == index)).scalar_one_or_none()
    return None if value is None else bytes(value)


def entry_of(stored: StoredEntry) -> LedgerEntry:
    """Return the entry that stored columns state.

    Raises:
        AttributeError: the digest is not stored as bytes.
    """
    return _entry(stored.columns)


def scan(connection: Connection, start: int, end: int, kind: str | None = None) -> Iterator[tuple[LedgerEntry, bytes]]:
    """Yield the entries from ``start`` to before ``end`` with their raw bytes, in order; only of ``kind`` if given."""
    for stored in scan_stored(connection, start, end, kind):
        yield _entry(stored.columns), stored.raw if isinstance(stored.raw, bytes) else b""


def scan_stored(
    connection: Connection, start: int | None = None, end: int | None = None, kind: str | None = None
) -> Iterator[StoredEntry]:
    """Yield the rows of entries from ``start`` to before ``end`` as they are, in order; raw is None where it lacks."""
    entry = LedgerEntryRow.__table__  # type: ignore[attr-defined]
    raw = LedgerRawRow.__table__  # type: ignore[attr-defined]
    chosen = select(entry, raw.c.raw).select_from(entry.outerjoin(raw, entry.c.index == raw.c.index))
    chosen = chosen.order_by(entry.c.index).limit(CHUNK)
    chosen = chosen if kind is None else chosen.where(entry.c.kind == kind)
    chosen = chosen if end is None else chosen.where(entry.c.index < end)
    while True:
        rows = connection.execute(chosen if start is None else chosen.where(entry.c.index >= start)).all()
        yield from (StoredEntry(row[0], _columns(row), row[-1]) for row in rows)
        if len(rows) < CHUNK:
            return
        start = rows[-1][0] + 1


def stray_raws(connection: Connection) -> list[int]:
    """Return up to ten indices that have raw bytes and no entry."""
    rows = connection.execute(
        select(LedgerRawRow.index)
        .outerjoin(LedgerEntryRow, col(LedgerEntryRow.index) == LedgerRawRow.index)
        .where(col(LedgerEntryRow.index).is_(None))
        .order_by(col(LedgerRawRow.index))
        .limit(10)
    )
    return list(rows.scalars())


def find_checkpoint(connection: Connection, tree_size: int) -> bytes | None:
    """Return the stored note of a size."""
    note = connection.execute(
        select(LedgerCheckpointRow.note).where(LedgerCheckpointRow.size == tree_size)
    ).scalar_one_or_none()
    return None if note is None else note.encode()


def insert_checkpoint(connection: Connection, tree_size: int, root_hash: bytes, note: bytes) -> None:
    """Store a signed checkpoint."""
    bulk_insert(connection, "ledger_checkpoint", ("size", "root_hash", "note"), [(tree_size, root_hash, note.decode())])


def read_checkpoints(connection: Connection) -> list[tuple[int, bytes, str]]:
    """Return (size, root, note) of all checkpoints, by size."""
    rows = connection.execute(
        select(LedgerCheckpointRow.size, LedgerCheckpointRow.root_hash, LedgerCheckpointRow.note).order_by(
            col(LedgerCheckpointRow.size)
        )
    )
    return [(tree_size, root_hash, note) for tree_size, root_hash, note in rows]


def _columns(row: Sequence[Any]) -> dict[str, Any]:
    return dict(zip(_ENTRY_COLUMNS, row, strict=False))


def _entry(columns: dict[str, Any]) -> LedgerEntry:
    fields = {**columns, "raw_sha256": columns["raw_sha256"].hex()}
    del fields["leaf_hash"], fields["fingerprint"]
    return LedgerEntry(**fields)


def _chunks(values: Iterable[T]) -> Iterator[list[T]]:
    iterator = iter(values)
    while chunk := list(islice(iterator, CHUNK)):
        yield chunk
