# SPDX-License-Identifier: Apache-2.0

"""A small world to tell records into, and to see the populations of."""

import hashlib
from collections.abc import Callable, Collection, Iterable, Iterator

import msgspec
import pyarrow as pa
import pytest

from app.collection.model import CollectionRun
from app.connectors.base import Window
from app.records.columns import batches_of
from app.records.folding import fold
from app.records.model import AccessRecord, Alias, Identity, Observation, RecordType, record_type
from app.trails.linking import build_populations
from app.trails.model import AccessTrail
from app.trails.populations import PeriodView, Row
from app.trails.service import TrailService

DAY = 86_400_000


class World:
    """Sources that tell records; whole days 0 to 99 are covered by every source that told anything."""

    day = DAY
    period = PeriodView(start=0, end=90 * DAY, as_of=100 * DAY)

    def __init__(self) -> None:
        self.told: list[Observation] = []
        self.boxes: list[CollectionRun] = []

    def tell(self, source: str, *records: AccessRecord, at: int = 0) -> None:
        """Let a source tell records."""
        for record in records:
            self.told.append(Observation(source=source, ledger_index=len(self.told), observed_at=at, record=record))

    def person(self, key: str, **aliases: str) -> None:
        """Let HR know an active person with these logins: source to subject."""
        names = tuple(Alias(source=source, subject=subject) for source, subject in aliases.items())
        email = f"{key}@x.example"
        self.tell(
            "hr",
            Identity(id=key, kind="human", email=email, person_id=f"P-{key}", status="active", aliases=names),
        )

    def box(self, source: str, **fields: object) -> CollectionRun:
        """Return the box of a run of a source that covers everything, unless told otherwise."""
        box = CollectionRun(
            id=f"records-{source}-{len(self.boxes)}",
            source=source,
            connector="records",
            query="all",
            started_at=100 * DAY,
            finished_at=100 * DAY,
            asked=Window(),
            covered=Window(start=0, end=100 * DAY),
            covered_basis="declared",
        )
        return msgspec.structs.replace(box, **fields)

    def runs(self) -> list[CollectionRun]:
        """Return the boxes that were set, else one per source with what it told."""
        if self.boxes:
            return self.boxes
        produced: dict[str, dict[str, int]] = {}
        for each in self.told:
            kinds = produced.setdefault(each.source, {})
            kind = str(each.record.__struct_config__.tag)
            kinds[kind] = kinds.get(kind, 0) + 1
        return [self.box(source, produced=kinds) for source, kinds in sorted(produced.items())]

    def observations(self, record_types: Collection[RecordType] | None = None) -> list[Observation]:
        """Return everything told, or what is of these types."""
        return [each for each in self.told if record_types is None or record_type(each.record) in record_types]

    def observations_at(self, indices: Iterable[int]) -> list[Observation]:
        """Return what was told at these places."""
        return [self.told[index] for index in sorted(set(indices))]

    def batches(self, since: int = 0) -> Iterator[pa.RecordBatch]:
        """Return what was told from a place on, as columns."""
        return batches_of(self.told[since:])

    def size(self) -> int:
        """Return how much was told."""
        return len(self.told)

    def root(self, size: int) -> str:
        """Return what stands for everything told up to a place."""
        return hashlib.sha256(msgspec.json.encode(self.told[:size])).hexdigest()

    def populations(self, period: PeriodView | None = None) -> dict[str, list[Row]]:
        """Return all populations."""
        period = period or self.period
        return build_populations(fold(self.told), self.runs(), period, period.as_of)

    def rows(self, population: str) -> dict[str, Row]:
        """Return one population by item id."""
        return {row.item_id: row for row in self.populations()[population]}

    def row(self, item_id: str) -> Row:
        """Return one row by its item id."""
        return self.rows(item_id.split("/")[1])[item_id]

    def trail(self, item_id: str) -> AccessTrail:
        """Return one trail."""
        return TrailService(self).trail(item_id, self.period)


@pytest.fixture
def world() -> World:
    """Return an empty world."""
    return World()


@pytest.fixture(scope="session")
def new_world() -> Callable[[], World]:
    """Return what makes an empty world, for tests that need many."""
    return World
