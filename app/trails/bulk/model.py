# SPDX-License-Identifier: Apache-2.0

"""What a freeze reads from, and what it may go on from."""

from collections.abc import Callable, Collection, Iterable
from pathlib import Path

import msgspec
import pyarrow as pa

from app.records.model import Observation, RecordType
from app.trails.evidence import SourceCoverage

Batches = Callable[[int], Iterable[pa.RecordBatch]]
ToldAt = Callable[[list[int]], Iterable[pa.RecordBatch]]
Observations = Callable[[Collection[RecordType]], Iterable[Observation]]


class Sources(msgspec.Struct, frozen=True, kw_only=True):
    """Where a freeze reads from.

    Attributes:
        batches: gives the observations of ledger entries from an index on, as Arrow batches of
            ``app.records.columns.OBSERVATIONS``.
        told_at: gives those of the entries at some indices.
        observations: gives the observations of some record types.
        size: number of ledger entries that were there before reading began.
        root: gives the ledger's root over its first so many entries, hex; it tells one ledger from another.
        coverages: what each source can speak for.
        as_of: instant the judgment is made for, epoch milliseconds.
    """

    batches: Batches
    told_at: ToldAt
    observations: Observations
    size: int
    root: Callable[[int], str]
    coverages: list[SourceCoverage]
    as_of: int


class Keep(msgspec.Struct, frozen=True, kw_only=True):
    """Where the tables of a freeze are kept, so that the next one does only what changed since.

    Attributes:
        file: a file of DuckDB beside the folders of segments; it is there after the first freeze, and each replaces it.
        name: what the folder of this freeze's segments will be called when the next one looks for it.
        made_for: everything but records that rows depend on, in a few words; other words, and the file is not read.
    """

    file: Path
    name: str
    made_for: str
