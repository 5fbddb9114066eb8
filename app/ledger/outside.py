# SPDX-License-Identifier: Apache-2.0

"""What of the ledger is outside its database: kept checkpoints, witnesses' cosignatures, exported tiles.

In:  the database, the key that signs checkpoints, the folder that keeps them.
Out: files; and problems, when the database contradicts what is outside of it.
It signs nothing and writes nothing into the database.
"""

from collections.abc import Sequence
from pathlib import Path

from app.db import Connection, Database
from app.errors import InvalidInput, LedgerCorrupt, ProofroomError, VerificationFailed
from app.ledger import repository
from app.ledger.anchors import checkpoint_problems, tile_problems
from app.ledger.cosignature import Cosignature, WitnessKey, cosignatures, known_lines, merge
from app.ledger.entry import leaf_bytes
from app.ledger.hashes import read_hashes, root_of
from app.ledger.kept import KeptCheckpoints
from app.ledger.note import MAX_NOTE_BYTES, Checkpoint, VerifierKey, open_checkpoint
from app.ledger.tiles import CHECKPOINT, write_tiles


class Outside:
    """The ledger as it is known outside its database.

    Args:
        database: where it is stored.
        key: the public key of its checkpoints.
        kept: where they are kept outside; without it, a rollback can only be seen by others.
    """

    def __init__(self, database: Database, key: VerifierKey, kept: KeptCheckpoints | None) -> None:
        self._database = database
        self._key = key
        self._kept = kept

    def keep(self, size: int, note: bytes) -> None:
        """Keep a checkpoint.

        Raises:
            LedgerCorrupt: another one of this size was kept.
        """
        if self._kept is not None:
            self._kept.keep(size, note)

    def with_cosignatures(self, note: bytes) -> bytes:
        """Return a checkpoint with the lines of the witnesses who cosigned it."""
        size = open_checkpoint(note, [self._key]).size
        kept = None if self._kept is None else self._kept.find(size)
        return note if kept is None else merge(note, kept)

    def accept_cosignatures(self, cosigned: bytes, witnesses: Sequence[WitnessKey]) -> tuple[Cosignature, ...]:
        """Keep the lines of known witnesses below a checkpoint of this ledger, and return them.

        Raises:
            InvalidInput: this is not a checkpoint of this ledger, or the ledger keeps none outside the database.
            VerificationFailed: the ledger has not signed it, a witness's line is wrong, or no known witness is there.
        """
        state = open_checkpoint(cosigned, [self._key])
        found = cosignatures(cosigned, witnesses)
        if not found:
            raise VerificationFailed("none of these witnesses has cosigned the checkpoint")
        if self._kept is None or self._root(state.size) != state.root:
            raise InvalidInput("the cosigned checkpoint is not one of this ledger")
        self._kept.keep(state.size, known_lines(cosigned, self._key, witnesses))
        return found

    def export_tiles(self, note: bytes, folder: Path) -> tuple[int, int]:
        """Write the ledger as static files (C2SP tlog-tiles); return entries and files written.

        Args:
            note: the checkpoint to export.
            folder: where to; an earlier export is added to.

        Raises:
            InvalidInput: the folder holds an export of another ledger, or of a longer one.
        """
        state = open_checkpoint(note, [self._key])
        if problems := self._export_problems(folder):
            raise InvalidInput(f"this folder holds another export: {problems[0]}", where=str(folder))
        with self._database.read() as connection:
            written = write_tiles(
                folder,
                state.size,
                lambda height, start, end: read_hashes(connection, [(height, index) for index in range(start, end)]),
                lambda start, end: [leaf_bytes(e) for e in repository.read_entries(connection, range(start, end))],
                note,
            )
        return state.size, written

    def compare(self, place: Path) -> list[str]:
        """Compare with a checkpoint file, or a folder of exported tiles, that somebody kept; empty means that it fits.

        Raises:
            InvalidInput: it is neither.
            VerificationFailed: this ledger's key has not signed it.
        """
        if place.is_dir():
            return self._tile_problems(place)
        state = open_checkpoint(_read_file(place), [self._key])
        return self._checkpoint_problems([(place.name, state)])

    def refuse_fork(self, connection: Connection, size: int) -> None:
        """Sign nothing that contradicts the last checkpoint that was kept."""
        sizes = self._kept.sizes() if self._kept is not None else []
        if not sizes or self._kept is None:
            return
        last = open_checkpoint(self._kept.find(sizes[-1]) or b"", [self._key])
        if last.size > size or root_of(connection, last.size) != last.root:
            raise LedgerCorrupt(
                f"the last checkpoint was over {last.size} entries that are not the first ones any more",
                hint="The database was rolled back or changed; run 'proofroom ledger fsck'",
            )

    def problems(self) -> list[str]:
        """Return what contradicts the kept checkpoints."""
        if self._kept is None:
            return []
        kept, problems = [], []
        for size in self._kept.sizes():
            name = f"kept checkpoint {size}"
            try:
                state = open_checkpoint(self._kept.find(size) or b"", [self._key])
            except ProofroomError as error:
                problems.append(f"{name}: {error.what}")
                continue
            kept.append((name, state))
            if state.size != size:
                problems.append(f"{name}: it is about {state.size} entries")
        try:
            return problems + self._checkpoint_problems(kept)
        except LedgerCorrupt as error:
            return [*problems, error.what]

    def _checkpoint_problems(self, kept: Sequence[tuple[str, Checkpoint]]) -> list[str]:
        with self._database.read() as connection:
            size = repository.size(connection)
            return list(checkpoint_problems(kept, size, lambda wanted: root_of(connection, wanted)))

    def _tile_problems(self, folder: Path) -> list[str]:
        state = open_checkpoint(_read_file(folder / CHECKPOINT), [self._key])
        with self._database.read() as connection:
            hashes = repository.leaf_hashes(connection)
            found = list(tile_problems(folder, state.size, hashes, repository.size(connection)))
        return found + self._checkpoint_problems([(CHECKPOINT, state)])

    def _export_problems(self, folder: Path) -> list[str]:
        """Look only at the checkpoint, so that exporting again stays cheap."""
        if not (folder / CHECKPOINT).exists():
            return []
        state = open_checkpoint(_read_file(folder / CHECKPOINT), [self._key])
        return self._checkpoint_problems([(CHECKPOINT, state)])

    def _root(self, size: int) -> bytes | None:
        with self._database.read() as connection:
            return root_of(connection, size) if size <= repository.size(connection) else None


def _read_file(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(MAX_NOTE_BYTES + 1)
    except OSError as error:
        raise InvalidInput(f"the checkpoint cannot be read ({error.strerror})", where=str(path)) from error
