# SPDX-License-Identifier: Apache-2.0

"""Compare the ledger with what somebody kept outside its database: checkpoints, and exported tiles.

In:  the stored hashes, through functions; a signed note, or a folder of tiles.
Out: problems in sentences. A checkpoint shows that something before its size was changed, or that the end is gone;
tiles name each entry.
"""

from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from pathlib import Path

from app.ledger import tiles
from app.ledger.note import Checkpoint

_LISTED = 20
Root = Callable[[int], bytes]
"""Gives the root over the first so many entries, as they are stored."""


def checkpoint_problems(kept: Sequence[tuple[str, Checkpoint]], size: int, root: Root) -> Iterator[str]:
    """Yield what contradicts checkpoints that were kept.

    Args:
        kept: each with where it was kept.
        size: number of entries there are.
        root: gives roots.
    """
    sound = 0
    for place, state in sorted(kept, key=lambda each: each[1].size):
        if state.size > size:
            last = f"entry {size} is" if state.size == size + 1 else f"entries {size} to {state.size - 1} are"
            yield f"{place}: a checkpoint of size {state.size} was signed, so {last} missing: the end was cut off"
        elif root(state.size) == state.root:
            sound = state.size
        else:
            yield (
                f"{place}: the first {state.size} entries are not those that were signed; "
                f"one of entries {sound} to {state.size - 1} was changed, moved, put in or taken out"
            )
            return


def tile_problems(folder: Path, size: int, leaves: Iterator[bytes], present: int) -> Iterator[str]:
    """Yield the entries that are not those of an export.

    Args:
        folder: the exported files.
        size: entries of its checkpoint.
        leaves: the leaf hashes as they are stored, in order.
        present: their number.
    """
    found: list[tuple[int, bytes, bytes]] = []
    pairs = zip(tiles.read_hashes(folder, size), leaves, strict=False)
    for index, (theirs, mine) in enumerate(pairs):
        if theirs is None:
            yield f"entry {index}: the export does not hold its hash"
        elif theirs != mine:
            found.append((index, theirs, mine))
        if len(found) > _LISTED:
            break
    moved = {mine: index for index, _, mine in found}
    for index, theirs, _ in islice(found, _LISTED):
        now = moved.get(theirs)
        yield f"entry {index}: it is not the one that was exported" + (f", which is now entry {now}" if now else "")
    if len(found) > _LISTED:
        yield "there are more entries that were not exported so"
    if present < size:
        yield f"entries {present} to {size - 1} were exported and are missing: the end was cut off"
