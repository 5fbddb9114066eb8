# SPDX-License-Identifier: Apache-2.0

"""What a freeze says of itself in the file that is kept, so that the next one knows whether it can go on from there.

In:  the kept file. Out: the earlier freeze, if it is of the same period and ledger, and its segments are there.
"""

from collections.abc import Mapping
from pathlib import Path

import msgspec
import pyarrow as pa

from app.trails.bulk.model import Keep, Sources
from app.trails.bulk.store import Store

_STATE = pa.schema(
    [
        *(pa.field(name, pa.string()) for name in ("made_for", "root", "segments")),
        *(pa.field(name, pa.int64()) for name in ("size", "as_of")),
    ]
)
_DIGESTS = pa.schema([pa.field("name", pa.string()), pa.field("sha256", pa.string())])


class Earlier(msgspec.Struct, frozen=True):
    """An earlier freeze.

    Attributes:
        size: number of ledger entries that it had read.
        as_of: the instant that it was made for, epoch ms.
        segments: the folder of its segments.
        digests: theirs, by name.
    """

    size: int
    as_of: int
    segments: Path
    digests: dict[str, str]


def earlier_of(store: Store, sources: Sources, keep: Keep) -> Earlier | None:
    """Return the freeze that the store begins from, if this one can go on from it.

    It must be of the same ledger: another may have been restored from a backup, and have grown differently since.
    What is asked is the copy that the store has: another process may put a newer file in its place meanwhile.

    Raises:
        duckdb.Error: the file says nothing of itself.
    """
    [(made_for, size, as_of, root, name)] = store.rows("SELECT made_for, size, as_of, root, segments FROM state")
    segments = keep.file.parent / name
    is_same = made_for == keep.made_for and size <= sources.size and root == sources.root(size)
    if not is_same or not segments.is_dir():
        return None
    return Earlier(size, as_of, segments, dict(store.rows("SELECT name, sha256 FROM segment")))


def hand_over(store: Store, keep: Keep, sources: Sources, digests: Mapping[str, str]) -> None:
    """Close the store, and put its kept file where the next freeze looks for it."""
    state = {
        "made_for": keep.made_for,
        "root": sources.root(sources.size),
        "segments": keep.name,
        "size": sources.size,
        "as_of": sources.as_of,
    }
    store.put("fresh", [state], _STATE)
    store.keep("state", "FROM fresh")
    store.put("fresh", [{"name": name, "sha256": sha256} for name, sha256 in digests.items()], _DIGESTS)
    store.keep("segment", "FROM fresh")
    store.close()
    store.kept.replace(keep.file)
