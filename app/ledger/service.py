# SPDX-License-Identifier: Apache-2.0

"""The ledger's verbs: append, checkpoint, prove, check.

In:  a database, the checkpoint key, and pages of source records.
Out: entries with their places, signed checkpoints, proofs.
There is one writer at a time, over all processes; a page is one transaction, so a crash leaves whole pages.
"""

import hashlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import TypeVar

import msgspec

from app.connectors.base import SourceRecord
from app.db import Connection, Database, lock
from app.errors import NotFound
from app.ledger import fsck, repository
from app.ledger.entry import LedgerEntry, entry_hash, fingerprint
from app.ledger.hashes import range_hashes, read_hashes, root_of
from app.ledger.kept import KeptCheckpoints
from app.ledger.merkle import extend, leaf_hash
from app.ledger.note import ORIGIN_PREFIX, Checkpoint, VerifierKey, open_checkpoint, sign_checkpoint
from app.ledger.outside import Outside
from app.ledger.ranges import complete_nodes, consistency_ranges, inclusion_ranges, subset_ranges
from app.ledger.repository import EntryValues
from app.signing.canonical import canonical_flat
from app.signing.checkpoint_key import CheckpointKey

T = TypeVar("T")


class AppendResult(msgspec.Struct, frozen=True):
    """Where the records of a page went.

    Attributes:
        indices: for each record its new place, or None for a duplicate.
        size: number of entries afterwards.
    """

    indices: tuple[int | None, ...]
    size: int

    @property
    def accepted(self) -> int:
        """Return the number of new entries."""
        return len(self.indices) - self.indices.count(None)


class Inclusion(msgspec.Struct, frozen=True, kw_only=True):
    """The proof that one entry is in the ledger, with all that is needed to check it; hashes are hex.

    Attributes:
        entry: the entry; with its index left out, its canonical JSON is the leaf's data.
        leaf_hash: SHA-256 of a zero byte and that data.
        proof: hashes from the leaf up (RFC 9162 section 2.1.3).
        checkpoint: the signed note over size and root. verifier_key: the key that has signed it.
    """

    entry: LedgerEntry
    leaf_hash: str
    proof: tuple[str, ...]
    checkpoint: str
    verifier_key: str


class Growth(msgspec.Struct, frozen=True, kw_only=True):
    """The proof that the ledger only grew, with all that is needed to check it; hashes are hex.

    Attributes:
        old_size, old_root: the earlier state. proof: RFC 9162 section 2.1.4.
        checkpoint: the signed note over the present size and root. verifier_key: the key that has signed it.
    """

    old_size: int
    old_root: str
    proof: tuple[str, ...]
    checkpoint: str
    verifier_key: str


class Ledger:
    """The append-only log of what the sources said."""

    def __init__(self, database: Database, key: CheckpointKey, kept: KeptCheckpoints | None = None) -> None:
        """Open it.

        Args:
            database: where it is stored.
            key: signs its checkpoints.
            kept: where they are kept outside the database; without it, a rollback can only be seen from elsewhere.
        """
        self._database = database
        self._key = key
        self.outside = Outside(database, self.verifier_key, kept)

    @property
    def verifier_key(self) -> VerifierKey:
        """Return the public key of the checkpoints; its name is the ledger's origin, ``proofroom/<ledger id>``."""
        return VerifierKey(ORIGIN_PREFIX + self._key.ledger_id, self._key.public_bytes)

    def append(
        self,
        source: str,
        run_id: str,
        collected_at: int,
        records: Iterable[SourceRecord],
        *,
        within: Connection | None = None,
    ) -> AppendResult:
        """Append a page of records; what is there already, byte for byte, is a duplicate and adds nothing.

        Args:
            source: the configured name of the source.
            run_id: the collection run that got them.
            collected_at: when, epoch milliseconds.
            records: fit records (see ``entry.why_unfit``), in order; hold thousands rather than millions.
            within: a transaction of ``Database.write`` to append in; without it, the page is its own.
        """
        page = [_prepared(source, record) for record in records]
        with self._writing(within) as connection:
            size = repository.size(connection)
            seen = repository.known_fingerprints(connection, [mark for _, _, mark in page])
            indices: list[int | None] = []
            entries: list[EntryValues] = []
            raws = []
            for record, digest, mark in page:
                if mark in seen:
                    indices.append(None)
                    continue
                seen.add(mark)
                index = size + len(entries)
                indices.append(index)
                entries.append(_values(index, record, (source, run_id, collected_at), (digest, mark)))
                raws.append(record.raw)
            _store(connection, size, entries, raws)
        return AppendResult(tuple(indices), size + len(entries))

    def size(self) -> int:
        """Return the number of entries."""
        with self._database.read() as connection:
            return repository.size(connection)

    def root(self, size: int | None = None) -> bytes:
        """Return the root over the first ``size`` entries, by default all.

        Raises:
            NotFound: there are fewer entries.
        """
        with self._database.read() as connection:
            return root_of(connection, _known_size(connection, size))

    def checkpoint(self) -> bytes:
        """Return the signed note for the present size; the same bytes whenever it is asked for at this size."""
        with self._database.read() as connection:
            earlier = repository.find_checkpoint(connection, repository.size(connection))
        if earlier is not None:
            return earlier
        with self._writing(None) as connection:
            size = repository.size(connection)
            note = repository.find_checkpoint(connection, size)
            if note is None:
                self.outside.refuse_fork(connection, size)
                root = root_of(connection, size)
                note = sign_checkpoint(
                    Checkpoint(self.verifier_key.name, size, root), self.verifier_key, self._key.sign
                )
                self.outside.keep(size, note)
                repository.insert_checkpoint(connection, size, root, note)
            return note

    def cosigned_checkpoint(self) -> bytes:
        """Return the checkpoint of the present size with the lines of the witnesses who cosigned it."""
        return self.outside.with_cosignatures(self.checkpoint())

    def checkpoints(self) -> list[tuple[int, bytes]]:
        """Return the size and signed note of every checkpoint there is, by size."""
        with self._database.read() as connection:
            return [(size, note.encode()) for size, _, note in repository.read_checkpoints(connection)]

    def entries(self, indices: Iterable[int]) -> Iterator[LedgerEntry]:
        """Yield the entries at ``indices`` (a range will do), in the order asked for.

        Raises:
            NotFound: there is no such entry.
        """
        return self._read(repository.read_entries, indices)

    def leaves(self, indices: Iterable[int]) -> Iterator[tuple[int, bytes]]:
        """Yield the indices and the leaf bytes of entries, in the order asked for: what ``entries`` says, for millions.

        Raises:
            NotFound: there is no such entry.
        """
        return self._read(repository.read_leaves, indices)

    def _read(self, read: Callable[[Connection, list[int]], Iterator[T]], indices: Iterable[int]) -> Iterator[T]:
        wanted = list(indices)
        with self._database.read() as connection:
            count = 0
            for count, found in enumerate(read(connection, wanted), 1):  # noqa: B007
                yield found
        if count != len(wanted):
            raise NotFound("the ledger has fewer entries than were asked for")

    def raw(self, index: int) -> bytes:
        """Return the raw bytes of one entry.

        Raises:
            NotFound: there is no such entry.
        """
        with self._database.read() as connection:
            raw = repository.read_raw(connection, index)
        if raw is None:
            raise NotFound(f"the ledger has no entry {index}")
        return raw

    def scan(
        self, start: int = 0, end: int | None = None, *, kind: str | None = None
    ) -> Iterator[tuple[LedgerEntry, bytes]]:
        """Yield entries with their raw bytes in order, in bounded memory; only those of ``kind`` if given."""
        with self._database.read() as connection:
            yield from repository.scan(connection, start, _known_size(connection, end), kind)

    def prove_inclusion(self, index: int, size: int | None = None) -> list[bytes]:
        """Prove that entry ``index`` is among the first ``size`` entries (RFC 9162 section 2.1.3).

        Raises:
            NotFound: there are fewer entries.
            ValueError: the index is not below the size.
        """
        with self._database.read() as connection:
            return range_hashes(connection, inclusion_ranges(index, _known_size(connection, size)))

    def inclusion(self, index: int) -> Inclusion:
        """Prove that one entry is in the present ledger, self-contained.

        Raises:
            NotFound: there is no such entry.
        """
        checkpoint = self.checkpoint()
        size = open_checkpoint(checkpoint, [self.verifier_key]).size
        if not 0 <= index < size:
            raise NotFound(f"the ledger has {size} entries, from 0 on, and no entry {index}")
        entry = next(self.entries([index]))
        return Inclusion(
            entry=entry,
            leaf_hash=entry_hash(entry).hex(),
            proof=tuple(value.hex() for value in self.prove_inclusion(index, size)),
            checkpoint=checkpoint.decode(),
            verifier_key=str(self.verifier_key),
        )

    def consistency(self, old: int) -> Growth:
        """Prove that the present ledger starts with its first ``old`` entries, self-contained.

        Raises:
            NotFound: there are fewer entries.
        """
        checkpoint = self.checkpoint()
        size = open_checkpoint(checkpoint, [self.verifier_key]).size
        root = self.root(old)
        if old > size:
            raise NotFound(f"the ledger has {size} entries, not {old}")
        return Growth(
            old_size=old,
            old_root=root.hex(),
            proof=tuple(value.hex() for value in self.prove_consistency(old, size)),
            checkpoint=checkpoint.decode(),
            verifier_key=str(self.verifier_key),
        )

    def prove_subset(self, indices: Sequence[int], size: int | None = None) -> list[bytes]:
        """Prove with one proof that all entries ``indices``, which must rise, are among the first ``size``.

        Raises:
            NotFound: there are fewer entries.
            ValueError: ``indices`` is empty, does not rise, or is not below the size.
        """
        with self._database.read() as connection:
            return range_hashes(connection, subset_ranges(indices, _known_size(connection, size)))

    def prove_consistency(self, old: int, new: int | None = None) -> list[bytes]:
        """Prove that the first ``new`` entries start with the first ``old`` (RFC 9162 section 2.1.4).

        Raises:
            NotFound: there are fewer entries.
            ValueError: the old size is larger.
        """
        with self._database.read() as connection:
            return range_hashes(connection, consistency_ranges(old, _known_size(connection, new)))

    def fsck(self) -> list[str]:
        """Read everything again; return what does not fit, each naming the entry. Empty means sound.

        The checkpoints that were kept outside the database count too: they show that its end was cut off.
        """
        with self._database.read() as connection:
            found = fsck.check(connection, self.verifier_key)
        return found + self.outside.problems()

    @contextmanager
    def _writing(self, within: Connection | None) -> Iterator[Connection]:
        if within is not None:
            lock(within, "ledger")
            yield within
            return
        with self._database.write() as connection:
            lock(connection, "ledger")
            yield connection


def _store(connection: Connection, size: int, entries: list[EntryValues], raws: list[bytes]) -> None:
    repository.insert_entries(connection, entries, raws)
    frontier = read_hashes(connection, list(complete_nodes(0, size)))
    completed = extend(frontier, size, [values[-2] for values in entries])
    # A tree of n leaves has n minus the number of ones in n complete subtrees of two leaves or more.
    repository.insert_nodes(connection, size - size.bit_count(), completed)


def _prepared(source: str, record: SourceRecord) -> tuple[SourceRecord, bytes, bytes]:
    digest = hashlib.sha256(record.raw).digest()
    return record, digest, fingerprint(source, record.kind, record.key, digest)


def _values(
    index: int, record: SourceRecord, origin: tuple[str, str, int], digests: tuple[bytes, bytes]
) -> EntryValues:
    source, run_id, collected_at = origin
    digest, mark = digests
    # The same leaf as entry.leaf_bytes gives, without an object in between: this runs once a record.
    leaf = canonical_flat(
        {
            "collected_at": collected_at,
            "key": record.key,
            "kind": record.kind,
            "occurred_at": record.occurred_at,
            "occurred_at_text": record.occurred_at_text,
            "raw_length": len(record.raw),
            "raw_sha256": digest.hex(),
            "run_id": run_id,
            "source": source,
        }
    )
    return (
        index,
        source,
        record.kind,
        record.key,
        record.occurred_at,
        record.occurred_at_text,
        collected_at,
        run_id,
        digest,
        len(record.raw),
        leaf_hash(leaf),
        mark,
    )


def _known_size(connection: Connection, size: int | None) -> int:
    present = repository.size(connection)
    if size is not None and not 0 <= size <= present:
        raise NotFound(f"the ledger has {present} entries, not {size}")
    return present if size is None else size
