# SPDX-License-Identifier: Apache-2.0

"""The static export against the published examples of tlog-tiles, and against the tree itself."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.ledger import merkle, tiles
from app.ledger.tiles import Tile, bundle, entries_path, read_bundle, read_hashes, tiles_of, write_tiles


def test_paths_are_those_of_the_specification() -> None:
    """The example of https://c2sp.org/tlog-tiles: 1234067 is x001/x234/067."""
    assert Tile(0, 1234067, 256).path == "tile/0/x001/x234/067"
    assert Tile(3, 0, 256).path == "tile/3/000"
    assert Tile(1, 1, 17).path == "tile/1/001.p/17"
    assert entries_path(1000, 5) == "tile/entries/x001/000.p/5"


def test_a_tree_of_70000_leaves_has_the_tiles_of_the_specification() -> None:
    found = list(tiles_of(70_000))
    assert sum(tile.level == 0 and tile.width == 256 for tile in found) == 273
    assert [(tile.level, tile.index, tile.width) for tile in found if tile.width < 256] == [
        (0, 273, 112),
        (1, 1, 17),
        (2, 0, 1),
    ]
    assert sum(tile.level == 1 and tile.width == 256 for tile in found) == 1
    assert list(tiles_of(256)) == [Tile(0, 0, 256), Tile(1, 0, 1)]
    assert list(tiles_of(0)) == []


@given(st.lists(st.binary(max_size=300), max_size=20))
def test_a_bundle_comes_back(leaves: list[bytes]) -> None:
    assert read_bundle(bundle(leaves)) == leaves
    if leaves:
        assert read_bundle(bundle(leaves)[:-1]) != leaves


class Tree:
    """A tree in memory."""

    def __init__(self, size: int) -> None:
        self.data = [str(number).encode() for number in range(size)]
        self.levels = [[merkle.leaf_hash(leaf) for leaf in self.data]]
        while len(self.levels[-1]) > 1:
            below = self.levels[-1]
            self.levels.append([merkle.node_hash(a, b) for a, b in zip(below[::2], below[1::2], strict=False)])

    def hashes(self, height: int, start: int, end: int) -> list[bytes]:
        return self.levels[height][start:end]

    def leaves(self, start: int, end: int) -> list[bytes]:
        return self.data[start:end]


@pytest.mark.parametrize("size", [0, 1, 255, 256, 257, 65_536, 65_793])
def test_the_root_can_be_made_from_the_files_alone(tmp_path: Path, size: int) -> None:
    tree = Tree(size)
    write_tiles(tmp_path, size, tree.hashes, tree.leaves, b"note")
    assert (tmp_path / tiles.CHECKPOINT).read_bytes() == b"note"
    leaves = [leaf for leaf in read_hashes(tmp_path, size) if leaf is not None]
    assert merkle.root(leaves) == merkle.root(tree.levels[0])
    for tile in tiles_of(size):
        data = (tmp_path / tile.path).read_bytes()
        assert len(data) == 32 * tile.width
        if tile.level:
            below = (tmp_path / Tile(tile.level - 1, tile.index * 256, 256).path).read_bytes()
            parts = [below[place : place + 32] for place in range(0, len(below), 32)]
            assert data[:32] == merkle.root(parts)
        else:
            entries = read_bundle((tmp_path / entries_path(tile.index, tile.width)).read_bytes())
            assert entries is not None
            assert b"".join(map(merkle.leaf_hash, entries)) == data


def test_exporting_again_writes_only_what_is_new(tmp_path: Path) -> None:
    tree = Tree(600)
    assert write_tiles(tmp_path, 512, tree.hashes, tree.leaves, b"a") == 2 + 2 + 1 + 1
    assert write_tiles(tmp_path, 600, tree.hashes, tree.leaves, b"b") == 1 + 1 + 1
    assert list(read_hashes(tmp_path, 600)) == tree.levels[0]
