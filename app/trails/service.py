# SPDX-License-Identifier: Apache-2.0

"""The verbs of this stage: populations of a period, trails, and freezing a period.

In:  what collection keeps. Out: rows, trails and segments. Nothing is stored but the segments that are asked for.
"""

from collections.abc import Collection, Iterable, Sequence
from pathlib import Path
from typing import Protocol

import msgspec
import pyarrow as pa

from app.collection.model import CollectionRun
from app.errors import InvalidInput
from app.records.columns import batches_of
from app.records.folding import fold
from app.records.model import Observation, RecordType
from app.trails.bulk.freeze import freeze_in_bulk
from app.trails.bulk.model import Keep, Sources
from app.trails.evidence import Declared, SourceCoverage, coverages
from app.trails.flags import Flagger
from app.trails.index import TrailIndex
from app.trails.linking import make_frame, populations
from app.trails.model import AccessTrail, PeriodLike
from app.trails.populations import PeriodView, Row
from app.trails.rows import Frame
from app.trails.trail import SessionTrails, trail_of

DEFAULT_MEMORY_LIMIT = "1GB"


class Collected(Protocol):
    """What this stage needs of collection."""

    def observations(self, record_types: Collection[RecordType] | None = None) -> Iterable[Observation]:
        """Return all observations, or those of some record types."""
        ...

    def observations_at(self, indices: Iterable[int]) -> Iterable[Observation]:
        """Return what the entries at these ledger indices state."""
        ...

    def batches(self, since: int = 0) -> Iterable[pa.RecordBatch]:
        """Return the observations by entries from an index on; see ``app.records.columns``."""
        ...

    def size(self) -> int:
        """Return the number of ledger entries."""
        ...

    def root(self, size: int) -> str:
        """Return the ledger's root over its first entries, hex."""
        ...

    def runs(self) -> list[CollectionRun]:
        """Return the completeness boxes of all collections."""
        ...


class _Known(msgspec.Struct, frozen=True):
    """What was built from one state of the collection; ``state`` tells when it is out of date."""

    state: tuple[str, ...]
    index: TrailIndex
    sources: list[SourceCoverage]
    as_of: int


class TrailService:
    """Links what was collected.

    Args:
        collection: gives observations and runs.
        declared: connector name to the record types that it declares, as ``DECLARED_TYPES`` of the connectors. A source
            is trusted to have told all there is of these; a connector for arbitrary records should declare none.
        memory_limit: what freezing a period may take, as DuckDB spells it.
    """

    def __init__(
        self, collection: Collected, declared: Declared | None = None, memory_limit: str = DEFAULT_MEMORY_LIMIT
    ) -> None:
        self._memory_limit = memory_limit
        self._collection = collection
        self._declared = declared or {}
        self._known: _Known | None = None

    def as_of(self) -> int:
        """Return the instant that everything here is judged for: the end of the newest collection.

        Raises:
            InvalidInput: nothing was collected yet.
        """
        return _newest(self._collection.runs())

    def root(self, size: int) -> str:
        """Return the root over the first ``size`` ledger entries, hex: what populations of that size rest on."""
        return self._collection.root(size)

    def populations(self, period: PeriodLike, flagger: Flagger | None = None) -> dict[str, list[Row]]:
        """Return the rows of every population of a period, by item id.

        Args:
            period: the audit period.
            flagger: knows the risk rules for the texts of commands; without it nothing is flagged.

        Raises:
            InvalidInput: nothing was collected yet.
        """
        return _populations(self._load(), period, flagger)

    def freeze(
        self, period: PeriodLike, directory: Path, flagger: Flagger | None = None, keep: Keep | None = None
    ) -> int:
        """Freeze the populations of a period into a directory, and return the instant of the judgment.

        Args:
            period: the audit period.
            directory: where to write.
            flagger: knows the risk rules for the texts of commands; without it nothing is flagged.
            keep: where an earlier freeze is found, to write only what changed since; the result is the same.

        Raises:
            InvalidInput: nothing was collected yet, or a record holds what no segment can.
        """
        size, runs = self._collection.size(), self._collection.runs()
        sources = Sources(
            batches=self._collection.batches,
            told_at=lambda indices: batches_of(self._collection.observations_at(indices)),
            size=size,
            root=self._collection.root,
            observations=self._collection.observations,
            coverages=coverages(runs, self._declared),
            as_of=_newest(runs),
        )
        freeze_in_bulk(sources, period, directory, flagger, self._memory_limit, keep)
        return sources.as_of

    def trails(self, period: PeriodLike) -> Sequence[AccessTrail]:
        """Return the trails of the period's sessions, by item id; each is linked when it is looked at.

        Raises:
            InvalidInput: nothing was collected yet.
        """
        return SessionTrails(_frame(self._load(), period))

    def trail(self, item_id: str, period: PeriodLike | None = None) -> AccessTrail:
        """Return the trail of a session or grant.

        Args:
            item_id: ``source/session/id`` or ``source/grant/id``.
            period: the period to see it in; by default all time up to ``as_of``.

        Raises:
            NotFound: no session and no grant has this item id.
            InvalidInput: nothing was collected yet.
        """
        known = self._load()
        always = PeriodView(start=0, end=known.as_of + 1, as_of=known.as_of)
        return trail_of(_frame(known, period or always), item_id)

    def _load(self) -> _Known:
        """Fold and index anew only when something was collected since."""
        runs = self._collection.runs()
        state = tuple(sorted(run.id for run in runs))
        if self._known is None or self._known.state != state:
            self._known = _Known(
                state=state,
                index=TrailIndex(fold(self._collection.observations())),
                sources=coverages(runs, self._declared),
                as_of=_newest(runs),
            )
        return self._known


def _populations(known: _Known, period: PeriodLike, flagger: Flagger | None) -> dict[str, list[Row]]:
    return populations(_frame(known, period, flagger), known.sources)


def _frame(known: _Known, period: PeriodLike, flagger: Flagger | None = None) -> Frame:
    return make_frame(known.index, known.sources, period, known.as_of, flagger)


def _newest(runs: list[CollectionRun]) -> int:
    if not runs:
        raise InvalidInput("nothing was collected yet", hint="Import records first: proofroom import FILE --as FORMAT")
    return max(run.finished_at for run in runs)
