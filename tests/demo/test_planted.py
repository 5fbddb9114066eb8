# SPDX-License-Identifier: Apache-2.0

"""The demo through the whole chain: the evaluation finds what was planted, all of it and nothing else."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from app.clock import FixedClock
from app.collection.model import CollectionRun
from app.collection.service import CollectionService
from app.connectors import registry
from app.connectors.base import Window
from app.controls.loader import Controls, load
from app.db import Database
from app.demo.generate import DemoManifest, write_demo
from app.demo.planted import EXPECTED, PLANTED
from app.evaluation.definition import define
from app.evaluation.engine import found_outcomes, judge
from app.evaluation.model import Period
from app.ledger.service import Ledger
from app.resources import shipped
from app.settings import Settings
from app.signing.checkpoint_key import load_or_create_checkpoint_key
from app.trails.service import TrailService


@pytest.fixture(scope="module")
def manifest(tmp_path_factory: pytest.TempPathFactory) -> DemoManifest:
    return write_demo(tmp_path_factory.mktemp("exports"))


@pytest.fixture(scope="module")
def collection(tmp_path_factory: pytest.TempPathFactory, manifest: DemoManifest) -> Iterator[CollectionService]:
    settings = Settings(dir=tmp_path_factory.mktemp("data"))
    database = Database.open(settings)
    ledger = Ledger(database, load_or_create_checkpoint_key(settings.keys_dir))
    service = CollectionService(database, ledger, FixedClock(manifest.collected_at), registry.normalizer)
    for file in manifest.files:
        service.collect(registry.open_files(file.connector, [file.path]), file.source, Window(), file.covered)
    yield service
    database.close()


@pytest.fixture(scope="module")
def controls() -> Controls:
    return load(shipped("controls"))


@pytest.fixture(scope="module")
def found(
    tmp_path_factory: pytest.TempPathFactory,
    manifest: DemoManifest,
    collection: CollectionService,
    controls: Controls,
) -> set[tuple[str, str, str]]:
    folder: Path = tmp_path_factory.mktemp("period")
    period = Period(start=manifest.period.start or 0, end=manifest.period.end or 0)
    TrailService(collection, registry.DECLARED_TYPES).freeze(period, folder / "populations", controls.rule_set)
    judge([define(test) for test in controls.tests.values()], folder / "populations", folder / "results")
    return set(found_outcomes(folder / "results"))


def test_nothing_is_set_aside_but_the_broken_line(collection: CollectionService) -> None:
    runs: dict[str, CollectionRun] = {run.source: run for run in collection.runs()}
    assert {source: run.rejected for source, run in runs.items() if run.rejected} == {"tickets": 1}
    assert all(run.problem is None and not run.gaps and not run.duplicates for run in runs.values())
    assert all(run.covered_basis == "declared" for run in runs.values())


def test_everything_planted_is_found(found: set[tuple[str, str, str]]) -> None:
    assert EXPECTED - found == set()


def test_nothing_else_is_found(found: set[tuple[str, str, str]]) -> None:
    assert found - EXPECTED == set()


def test_every_planted_verdict_is_of_a_test_that_ships(controls: Controls) -> None:
    assert {trip.test_id for each in PLANTED for trip in each.trips} <= set(controls.tests)


def test_no_verdict_is_planted_twice() -> None:
    trips = [(trip.test_id, trip.item_id) for each in PLANTED for trip in each.trips]
    assert len(trips) == len(set(trips))


def test_a_reader_sees_every_kind_of_outcome() -> None:
    assert {outcome for _, _, outcome in EXPECTED} == {"fail", "waived", "no_evidence"}
    assert len({trip.test_id for each in PLANTED for trip in each.trips}) >= 46


def test_almost_every_test_has_something_to_find(controls: Controls) -> None:
    failing = {trip.test_id for each in PLANTED for trip in each.trips}
    assert set(controls.tests) - failing == NOTHING_PLANTED


NOTHING_PLANTED = {"BRG-01", "BRG-03", "DAT-02", "DAT-03", "GRT-04"}
"""Tests of which the demo has only items in order; each has its failing examples in ``controls/tests``."""
