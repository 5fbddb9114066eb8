# SPDX-License-Identifier: Apache-2.0

"""An organisation in records: what its sources told, changed one thing at a time, and judged on the real path.

In:  access records with the source that tells them. Out: what every test says of every item.
Records become observations, are folded, linked, frozen into segments and judged by the SQL engine: nothing is mocked,
and nothing but the vendors' files and the database is left out.
"""

from collections.abc import Collection, Iterable, Mapping
from pathlib import Path

import msgspec

from app.collection.model import CollectionRun
from app.connectors.base import Window
from app.controls.loader import Controls
from app.evaluation.definition import define
from app.evaluation.engine import found_outcomes, judge, outcomes_of
from app.evaluation.model import ItemOutcome
from app.records.model import AccessRecord, Observation, RecordType, record_type
from app.records.times import parse_instant
from app.trails.populations import PeriodView, Row
from app.trails.segments import freeze
from app.trails.service import TrailService

MINUTE = 60_000
HOUR = 60 * MINUTE
DAY = 24 * HOUR
START = parse_instant("2026-01-01T00:00:00Z")
END = parse_instant("2026-04-01T00:00:00Z")
AS_OF = parse_instant("2026-04-03T00:00:00Z")

Verdict = tuple[str, str, str]
"""Test, item and outcome."""


class Told:
    """One record, as its source tells it; what is changed here is what the source will have said."""

    def __init__(self, organisation: "Organisation", source: str, record: AccessRecord) -> None:
        self._organisation = organisation
        self.source = source
        self.record = record

    @property
    def id(self) -> str:
        """Return the item id, ``source/type/id``."""
        return f"{self.source}/{record_type(self.record)}/{self.record.id}"

    def change(self, **fields: object) -> "Told":
        """Let the source say something else."""
        self.record = msgspec.structs.replace(self.record, **fields)
        return self

    def drop(self) -> None:
        """Let the source not tell it at all. It is still known that it would have told of records of this type."""
        self._organisation.told.remove(self)


class Organisation:
    """Sources that tell records, each covering the whole period; it can be collected from like the real thing."""

    period = PeriodView(start=START, end=END, as_of=AS_OF)

    def __init__(self) -> None:
        self.told: list[Told] = []
        self._kinds: dict[str, dict[str, int]] = {}
        self._boxes: dict[str, tuple[dict[str, object], ...]] = {}

    def tell(self, source: str, record: AccessRecord) -> Told:
        """Let a source tell a record."""
        told = Told(self, source, record)
        self.told.append(told)
        kinds = self._kinds.setdefault(source, {})
        kind = str(record_type(record))
        kinds[kind] = kinds.get(kind, 0) + 1
        return told

    def collected(self, source: str, *runs: dict[str, object]) -> str:
        """Replace the box of a source by these, each the usual one but for its fields; return the source's item id."""
        self._boxes[source] = runs
        return f"{source}/source/{source}"

    def observations(self, record_types: Collection[RecordType] | None = None) -> Iterable[Observation]:
        """Return everything told."""
        assert record_types is None
        return [
            Observation(source=each.source, ledger_index=index, observed_at=START - HOUR, record=each.record)
            for index, each in enumerate(self.told)
        ]

    def runs(self) -> list[CollectionRun]:
        """Return the boxes of all sources."""
        return [
            msgspec.structs.replace(self._box(source, number), **fields)
            for source in sorted(self._kinds)
            for number, fields in enumerate(self._boxes.get(source, ({},)))
        ]

    def _box(self, source: str, number: int) -> CollectionRun:
        received = sum(self._kinds[source].values())
        return CollectionRun(
            id=f"records-{source}-{number}",
            source=source,
            connector="records",
            query="all",
            started_at=AS_OF,
            finished_at=AS_OF,
            asked=Window(),
            covered=Window(start=START - 60 * DAY, end=AS_OF),
            covered_basis="declared",
            received=received,
            accepted=received,
            produced=self._kinds[source],
        )


def judge_together(organisations: Mapping[str, Organisation], controls: Controls, folder: Path) -> "Judged":
    """Judge several organisations at once, each as if it were alone: their items are told apart by a prefix."""
    together: dict[str, list[Row]] = {}
    for name, organisation in organisations.items():
        rows = TrailService(organisation).populations(organisation.period, controls.rule_set)
        for population, items in rows.items():
            marked = [msgspec.structs.replace(each, item_id=f"{name}:{each.item_id}") for each in items]
            together.setdefault(population, []).extend(marked)
    freeze(together, folder / "populations")
    judge([define(test) for test in controls.tests.values()], folder / "populations", folder / "results")
    return Judged(controls, folder / "results")


class Judged:
    """What all tests said of organisations that were judged together."""

    def __init__(self, controls: Controls, results: Path) -> None:
        self._controls = controls
        self._results = results
        self._found: dict[str, set[Verdict]] = {}
        for test_id, item, outcome in found_outcomes(results):
            name, _, item_id = item.partition(":")
            self._found.setdefault(name, set()).add((test_id, item_id, outcome))

    def of(self, name: str) -> set[Verdict]:
        """Return every verdict on an organisation that is neither ``pass`` nor ``not_applicable``."""
        return self._found.get(name, set())

    def passing(self, name: str, test_id: str) -> list[str]:
        """Return the items of an organisation that pass a test."""
        outcomes = outcomes_of(self._results, self._controls.tests[test_id].population, test_id)
        mine = f"{name}:"
        return [
            item.removeprefix(mine)
            for item, outcome in outcomes.items()
            if item.startswith(mine) and outcome is ItemOutcome.PASS
        ]
