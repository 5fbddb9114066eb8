# SPDX-License-Identifier: Apache-2.0

"""Keep every signed checkpoint outside the database, so that a database which was rolled back is noticed.

In:  signed notes.
Out: ``<folder>/<size, 20 digits>``, one file a checkpoint, with the cosignatures that came later.
A file is never replaced by a note about something else, and never removed.
"""

import contextlib
import os
import secrets
from pathlib import Path

from app.errors import LedgerCorrupt
from app.ledger.cosignature import merge
from app.ledger.note import MAX_NOTE_BYTES, split_note

_DIGITS = 20


class KeptCheckpoints:
    """A folder of checkpoints; made when the first is kept."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def keep(self, size: int, note: bytes) -> None:
        """Keep a checkpoint; cosignatures that are kept already stay.

        Raises:
            LedgerCorrupt: another checkpoint of this size was signed before.
        """
        earlier = self.find(size)
        if earlier is not None and split_note(earlier)[0] != split_note(note)[0]:
            raise LedgerCorrupt(
                f"two checkpoints of size {size} were signed over different entries",
                where=str(self._path(size)),
                hint="The database was rolled back or changed; run 'proofroom ledger fsck'",
            )
        whole = note if earlier is None else merge(earlier, note)
        if whole != earlier:
            self._write(size, whole)

    def find(self, size: int) -> bytes | None:
        """Return the kept note of a size."""
        try:
            with self._path(size).open("rb") as file:
                return file.read(MAX_NOTE_BYTES + 1)
        except FileNotFoundError:
            return None

    def sizes(self) -> list[int]:
        """Return the sizes of all kept checkpoints, ascending."""
        names = (path.name for path in self._folder.glob("[0-9]*")) if self._folder.is_dir() else ()
        return sorted(int(name) for name in names if len(name) == _DIGITS and name.isdecimal())

    def _path(self, size: int) -> Path:
        return self._folder / f"{size:0{_DIGITS}d}"

    def _write(self, size: int, note: bytes) -> None:
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        path = self._path(size)
        aside = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
        try:
            with aside.open("wb") as file:
                file.write(note)
                file.flush()
                os.fsync(file.fileno())
            aside.replace(path)
        finally:
            with contextlib.suppress(FileNotFoundError):
                aside.unlink()
