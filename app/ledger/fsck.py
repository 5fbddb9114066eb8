# SPDX-License-Identifier: Apache-2.0

"""Read the whole ledger again and say what does not fit.

In:  the tables, taken as hostile: somebody with access to the database may have written anything into them.
Out: problems, each naming the entry, subtree or checkpoint; none means sound.

Every entry is checked against its own leaf hash, every subtree against its two children, every checkpoint against the
subtrees and the key. Together they bind every byte to the signed roots, while one change is reported where it was made.
"""

import hashlib
from collections.abc import Iterator
from itertools import islice

from app.db import Connection, DBAPIError
from app.errors import ProofroomError
from app.ledger import repository
from app.ledger.entry import entry_hash, fingerprint
from app.ledger.merkle import HASH_SIZE, fold, node_hash
from app.ledger.note import Checkpoint, VerifierKey, open_checkpoint
from app.ledger.ranges import node_position
from app.ledger.repository import CHUNK, StoredEntry

MAX_PROBLEMS = 1_000


def check(connection: Connection, key: VerifierKey) -> list[str]:
    """Return up to ``MAX_PROBLEMS`` problems of the stored ledger, and then one line that says there are more."""
    found = list(islice(_Check(connection, key).problems(), MAX_PROBLEMS + 1))
    return found if len(found) <= MAX_PROBLEMS else [*found[:MAX_PROBLEMS], "there are more problems than are listed"]


class _Check:
    """One pass over the ledger, in the order of its entries."""

    def __init__(self, connection: Connection, key: VerifierKey) -> None:
        self._connection = connection
        self._key = key
        self._checkpoints = repository.read_checkpoints(connection)
        # The subtrees so far; None where the ledger does not say. ``_nodes`` holds the stored ones ahead of us.
        self._frontier: list[bytes | None] = []
        self._nodes: dict[int, object] = {}
        self._size = 0

    def problems(self) -> Iterator[str]:
        try:
            yield from self._problems()
        except DBAPIError as error:
            # Such as a text that is not valid UTF-8, which no insert of ours can have made.
            yield f"the database cannot be read beyond entry {self._size}: {_excerpt(error.orig)}"

    def _problems(self) -> Iterator[str]:
        yield from self._check_checkpoints()
        for stored in repository.scan_stored(self._connection):
            yield from self._check_place(stored)
            if stored.place != self._size:
                yield f"nothing from entry {stored.place} on was checked"
                return
            yield from _check_entry(stored)
            leaf = stored.columns["leaf_hash"]
            yield from self._add(leaf if _is_hash(leaf) else None)
        for index in repository.stray_raws(self._connection):
            yield f"entry {index}: there are raw bytes without an entry"
        yield from self._check_end()

    def _check_place(self, stored: StoredEntry) -> Iterator[str]:
        missing = stored.place - self._size
        if missing > 0:
            yield f"entry {self._size}: {missing} entries are missing from here on"
        if 0 < missing <= CHUNK:
            for _ in range(missing):
                yield from self._add(None)

    def _add(self, leaf: bytes | None) -> Iterator[str]:
        level, current, rest = 0, leaf, self._size
        while rest & 1:
            level, rest = level + 1, rest >> 1
            left = self._frontier.pop()
            expected = None if left is None or current is None else node_hash(left, current)
            stored = self._stored_node(level, rest)
            if not _is_hash(stored) or (expected is not None and stored != expected):
                first = rest << level
                yield f"entries {first} to {first + (1 << level) - 1}: the hash of their subtree does not fit"
            # Going on with what is stored keeps one change from being reported at every level above it.
            current = stored if isinstance(stored, bytes) and _is_hash(stored) else expected
        self._frontier.append(current)
        self._size += 1
        yield from self._check_checkpoints()

    def _stored_node(self, level: int, index: int) -> object:
        position = node_position(level, index)
        if position not in self._nodes:
            self._nodes = repository.node_range(self._connection, position, CHUNK)
        return self._nodes.get(position)

    def _check_checkpoints(self) -> Iterator[str]:
        while self._checkpoints and self._checkpoints[0][0] <= self._size:
            size, root, note = self._checkpoints.pop(0)
            yield from self._check_checkpoint(size, root, note)

    def _check_checkpoint(self, size: int, root: object, note: object) -> Iterator[str]:
        if size == self._size and None not in self._frontier:
            computed = fold([part for part in self._frontier if part is not None])
            if root != computed:
                yield f"checkpoint of size {size}: the entries do not give its root"
        try:
            stated = open_checkpoint(str(note).encode(errors="replace"), [self._key])
        except ProofroomError as error:
            yield f"checkpoint of size {size}: {error.what}"
            return
        if stated != Checkpoint(self._key.name, size, root if isinstance(root, bytes) else b""):
            yield f"checkpoint of size {size}: its signed note states another size or root"

    def _check_end(self) -> Iterator[str]:
        for size, _, _ in self._checkpoints:
            yield f"checkpoint of size {size}: the ledger ends after {self._size} entries, so the last are missing"
        surplus = repository.count_nodes(self._connection) - (self._size - self._size.bit_count())
        if surplus > 0:
            yield f"there are {surplus} subtree hashes more than {self._size} entries have"


def _check_entry(stored: StoredEntry) -> Iterator[str]:
    columns, raw = stored.columns, stored.raw
    name = (
        f"entry {stored.place} ({_excerpt(columns['source'])} {_excerpt(columns['kind'])} {_excerpt(columns['key'])})"
    )
    try:
        leaf = entry_hash(repository.entry_of(stored))
    except (ProofroomError, AttributeError, TypeError):
        leaf = b""
    if columns["leaf_hash"] != leaf:
        yield f"{name}: its columns do not give its leaf hash"
    try:
        mark = fingerprint(columns["source"], columns["kind"], columns["key"], columns["raw_sha256"])
    except (TypeError, UnicodeEncodeError):
        mark = b""
    if columns["fingerprint"] != mark:
        yield f"{name}: its fingerprint, by which duplicates are known, does not fit"
    if not isinstance(raw, bytes):
        yield f"{name}: its raw bytes are missing"
    elif hashlib.sha256(raw).digest() != columns["raw_sha256"] or len(raw) != columns["raw_length"]:
        yield f"{name}: its raw bytes do not have the recorded digest and length"


def _is_hash(value: object) -> bool:
    return isinstance(value, bytes) and len(value) == HASH_SIZE


def _excerpt(value: object) -> str:
    text = str(value)[:60]
    return "".join(character if character.isprintable() else "?" for character in text)
