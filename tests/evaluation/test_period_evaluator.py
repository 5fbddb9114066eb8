# SPDX-License-Identifier: Apache-2.0

"""What is kept of evaluations is found again only where it is the answer, and kept as long as it is used."""

import os
import shutil
import time
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from app.connectors.base import Window
from app.connectors.registry import open_files
from app.controls.loader import load
from app.evaluation import periods
from app.evaluation.periods import PeriodEvaluator
from app.resources import shipped
from app.trails.service import TrailService
from tests.packs.small import records
from tests.packs.world import COVERED, PERIOD, World

FRAMEWORK = "soc2"
OLD = time.time() - 7 * 86_400


def evaluator_of(world: World, cache: Path) -> PeriodEvaluator:
    """Return what evaluates over a world's ledger and keeps answers in a folder."""
    return PeriodEvaluator(TrailService(world.collection), load(shipped("controls")), cache, world.ledger.size)


@pytest.fixture
def world(tmp_path: Path) -> World:
    """Return a world that has collected most of what there is."""
    made = World(tmp_path / "world")
    made.collect(len(records()) - 3)
    return made


def kept_in(cache: Path) -> Path:
    """Return the folder of the one evaluation that is kept."""
    (file,) = cache.glob("*/evaluation.json")
    return file.parent


def of_another_version(folder: Path) -> None:
    (folder / "made-by").write_text("evaluation.3 of long ago")


def without_a_version(folder: Path) -> None:
    (folder / "made-by").unlink()


def unreadable(folder: Path) -> None:
    (folder / "evaluation.json").write_text('{"framework":"soc2"}')


@pytest.mark.parametrize("spoil", [of_another_version, without_a_version, unreadable])
def test_what_another_version_answered_is_not_taken_over(
    world: World, tmp_path: Path, spoil: Callable[[Path], None]
) -> None:
    cache = tmp_path / "cache"
    before = evaluator_of(world, cache).evaluate(FRAMEWORK, PERIOD)
    for path in before.results.glob("*.parquet"):
        table = pq.read_table(path)
        wrong = [pa.array([2] * len(table), pa.int16()) for _ in table.column_names[1:]]
        pq.write_table(pa.table([table.column("item_id"), *wrong], names=table.column_names), path)
    spoil(kept_in(cache))
    world.collect(len(records()))
    again = evaluator_of(world, cache).evaluate(FRAMEWORK, PERIOD)
    assert again.evaluation == evaluator_of(world, tmp_path / "fresh").evaluate(FRAMEWORK, PERIOD).evaluation


def test_another_ledger_of_the_same_size_is_evaluated_itself(world: World, tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    evaluator_of(world, cache).evaluate(FRAMEWORK, PERIOD)
    other = World(tmp_path / "other")
    (path,) = world.folder.glob("*.ndjson")
    other.collection.collect(open_files("records", [path]), "another", Window(), COVERED)
    assert other.ledger.size() == world.ledger.size()
    found = evaluator_of(other, cache).evaluate(FRAMEWORK, PERIOD)
    assert found.evaluation == evaluator_of(other, tmp_path / "fresh").evaluate(FRAMEWORK, PERIOD).evaluation


def test_of_two_that_do_the_same_at_once_both_have_the_answer(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cache = tmp_path / "cache"
    before = evaluator_of(world, cache).evaluate(FRAMEWORK, PERIOD).evaluation
    shutil.copytree(cache, tmp_path / "copy", symlinks=True)
    shutil.rmtree(cache)
    late = evaluator_of(world, cache)
    real = periods.measure

    def overtaken(*given: object) -> object:
        for path in (tmp_path / "copy").iterdir():
            if path.is_dir() and not (cache / path.name).is_dir():
                shutil.copytree(path, cache / path.name, symlinks=True)
        return real(*given)  # type: ignore[arg-type]

    monkeypatch.setattr(periods, "measure", overtaken)
    monkeypatch.setattr(Path, "exists", lambda _path: False)  # As if the other came after the question.
    assert late.evaluate(FRAMEWORK, PERIOD).evaluation == before


def test_populations_in_use_and_work_of_others_stay_and_what_a_crash_left_goes(world: World, tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    evaluator = evaluator_of(world, cache)
    evaluator.evaluate(FRAMEWORK, PERIOD)
    (frozen,) = cache.glob("frozen-*")
    shutil.rmtree(kept_in(cache))
    for name in ("aside-crashed", ".linking-crashed", "aside-at-work", "frozen-forgotten"):
        (cache / name).mkdir()
    for path in (frozen, cache / "aside-crashed", cache / ".linking-crashed", cache / "frozen-forgotten"):
        os.utime(path, (OLD, OLD))
    assert evaluator.evaluate(FRAMEWORK, PERIOD).segments.is_dir()
    left = {path.name for path in cache.iterdir() if path.is_dir()}
    assert left == {frozen.name, kept_in(cache).name, "aside-at-work"}
    assert frozen.stat().st_mtime > OLD + 1
