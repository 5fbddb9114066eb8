# SPDX-License-Identifier: Apache-2.0

"""The ledger as static files, which any web server can serve and any client of transparency logs can read.

In:  a ledger's hashes and leaves, by number.
Out: ``checkpoint``, ``tile/<level>/<index>`` with up to 256 hashes, ``tile/entries/<index>`` with up to 256 leaves.
Full tiles never change, so writing again adds what is new. Leaves hold digests of raw bytes, never the bytes.

Source: https://c2sp.org/tlog-tiles.
"""

import struct
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import msgspec

WIDTH = 256
HEIGHT = 8
CHECKPOINT = "checkpoint"
Hashes = Callable[[int, int, int], Sequence[bytes]]
"""Gives the hashes of complete subtrees: of a height, from an index to before another."""
Leaves = Callable[[int, int], Sequence[bytes]]
"""Gives the leaves' data, from an index to before another."""


class Tile(msgspec.Struct, frozen=True):
    """Which hashes a tile holds: level, index in the level, and how many (256 when full)."""

    level: int
    index: int
    width: int

    @property
    def path(self) -> str:
        """Return where it lies, such as ``tile/0/x001/234`` or ``tile/1/017.p/5``."""
        return f"tile/{self.level}/{_number(self.index, self.width)}"


def entries_path(index: int, width: int) -> str:
    """Return where a bundle of leaves lies, such as ``tile/entries/x001/234``."""
    return f"tile/entries/{_number(index, width)}"


def tiles_of(size: int, known: int = 0) -> Iterator[Tile]:
    """Yield the tiles of a tree, level by level, without those that were full in a tree of ``known`` leaves."""
    level = 0
    while size:
        full, rest = divmod(size, WIDTH)
        yield from (Tile(level, index, WIDTH) for index in range(known // WIDTH, full))
        if rest:
            yield Tile(level, full, rest)
        level, size, known = level + 1, full, known // WIDTH


def bundle(leaves: Sequence[bytes]) -> bytes:
    """Return leaves one after the other, each after its length in two bytes."""
    return b"".join(struct.pack(">H", len(leaf)) + leaf for leaf in leaves)


def read_bundle(data: bytes) -> list[bytes] | None:
    """Return the leaves of a bundle, or None if it is none."""
    leaves, place = [], 0
    while place < len(data):
        (length,) = struct.unpack(">H", data[place : place + 2].rjust(2, b"\0"))
        leaves.append(data[place + 2 : place + 2 + length])
        place += 2 + length
    return leaves if place == len(data) else None


def write_tiles(folder: Path, size: int, hashes: Hashes, leaves: Leaves, checkpoint: bytes) -> int:
    """Write what is new since the last time, the checkpoint last, and return the number of files written.

    Args:
        folder: where to; made if need be.
        size: number of entries that ``checkpoint`` is about.
        hashes: gives hashes of subtrees.
        leaves: gives leaves' data.
        checkpoint: the signed note.
    """
    written = 0
    for tile in tiles_of(size):
        start = tile.index * WIDTH
        if not (folder / tile.path).is_file():
            data = b"".join(hashes(tile.level * HEIGHT, start, start + tile.width))
            written += _put(folder / tile.path, data)
        if tile.level == 0 and not (folder / entries_path(tile.index, tile.width)).is_file():
            data = bundle(leaves(start, start + tile.width))
            written += _put(folder / entries_path(tile.index, tile.width), data)
    return written + _put(folder / CHECKPOINT, checkpoint)


def read_hashes(folder: Path, size: int) -> Iterator[bytes | None]:
    """Yield the leaf hashes of an exported tree; None for each that is not there."""
    for tile in tiles_of(size):
        if tile.level:
            return
        try:
            data = (folder / tile.path).read_bytes()[: WIDTH * 32]
        except OSError:
            data = b""
        for place in range(tile.width):
            part = data[place * 32 : place * 32 + 32]
            yield part if len(part) == 32 else None  # noqa: PLR2004 - Bytes of SHA-256.


def _put(path: Path, data: bytes) -> int:
    path.parent.mkdir(parents=True, exist_ok=True)
    aside = path.with_name(f".{path.name}.partial")
    aside.write_bytes(data)
    aside.replace(path)
    return 1


def _number(index: int, width: int) -> str:
    """Return an index in groups of three digits, all but the last after an ``x``; and the width of a partial tile."""
    groups: list[str] = []
    while True:
        index, group = divmod(index, 1000)
        groups.insert(0, f"{'x' if groups else ''}{group:03d}")
        if not index:
            break
    return "/".join(groups) + ("" if width == WIDTH else f".p/{width}")
