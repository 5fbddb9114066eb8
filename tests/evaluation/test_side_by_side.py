# SPDX-License-Identifier: Apache-2.0

"""Two sets of controls over one period: other risk rules make other flags, so each side must see its own."""

from collections.abc import Collection, Iterable, Iterator
from pathlib import Path

import pyarrow as pa
import pytest

from app.collection.model import CollectionRun
from app.connectors.base import Window
from app.controls.loader import Controls
from app.controls.model import Catalog, CatalogControl, Mapping, MappingEntry, RiskRule
from app.evaluation.model import Period
from app.evaluation.side_by_side import compare_side_by_side
from app.records.columns import batches_of
from app.records.model import Observation, RecordType, SessionEvent
from app.trails.service import TrailService

DAY = 86_400_000


class Collection:
    """One command, told by a source that covers the day."""

    event = SessionEvent(id="e", at=5, text="drop table customers")
    told = Observation(source="tp", ledger_index=0, observed_at=5, record=event)

    def observations(self, record_types: Collection[RecordType] | None = None) -> list[Observation]:
        """Return what was told."""
        return [self.told] if record_types is None or RecordType.SESSION_EVENT in record_types else []

    def observations_at(self, indices: Iterable[int]) -> list[Observation]:
        """Return what was told."""
        return [self.told for _ in indices]

    def batches(self, since: int = 0) -> Iterator[pa.RecordBatch]:
        """Return what was told as columns."""
        return batches_of([self.told][since:])

    def size(self) -> int:
        """Return that it is one."""
        return 1

    def root(self, size: int) -> str:
        """Return what tells this ledger from others."""
        return f"the only one, of {size}"

    def runs(self) -> list[CollectionRun]:
        """Return the one box."""
        window = Window(start=0, end=DAY)
        return [
            CollectionRun(
                id="run", source="tp", connector="records", query="all", started_at=DAY, finished_at=DAY,
                asked=window, covered=window, covered_basis="declared", produced={"session_event": 1},
            )
        ]  # fmt: skip


class Counting(TrailService):
    """Counts how often the populations are frozen."""

    frozen = 0

    def freeze(self, *args, **fields):
        """Count and freeze."""
        self.frozen += 1
        return super().freeze(*args, **fields)


@pytest.fixture
def controls(control_test):
    """Return a builder of controls with one test of flags and the given patterns as rules."""
    test = control_test("TST-01", "size(event.flags) == 0", population="session_event")
    control = CatalogControl(id="C1", label="C1", summary="")
    catalog = Catalog(id="demo", title="", edition="1", text_licence="own-words", source_url="", controls=(control,))
    entry = MappingEntry(
        control="C1", test="TST-01", relation="supports", strength="primary", basis="direct", rationale=""
    )

    def build(*patterns: str) -> Controls:
        rules = [
            RiskRule(id=f"data.{pattern}", title="", severity="high", why="", select=(pattern,), hits=(), misses=())
            for pattern in patterns
        ]
        return Controls(
            tests={test.id: test},
            catalogs={"demo": catalog},
            mappings={"demo": Mapping(framework="demo", entries=(entry,))},
            files={},
            rules={rule.id: rule for rule in rules},
        )

    return build


@pytest.mark.parametrize(
    ("old", "new", "freezes", "changes"),
    [
        ((), (), 1, []),
        (("drop",), ("drop",), 1, []),
        ((), ("drop",), 2, [("pass", "fail")]),
        (("drop",), (), 2, [("fail", "pass")]),
        (("drop",), ("drop", "nothing"), 2, []),
    ],
)
def test_each_side_sees_the_flags_of_its_own_rules(controls, old, new, freezes, changes, tmp_path: Path) -> None:
    trails = Counting(Collection())
    found = compare_side_by_side(
        old=controls(*old),
        new=controls(*new),
        framework="demo",
        period=Period(start=0, end=DAY),
        trails=trails,
        ledger_size=1,
        folder=tmp_path,
        progress=lambda _step, _done, _total: None,
    )
    assert trails.frozen == freezes
    assert [(each.old, each.new) for each in found.items] == changes
