# SPDX-License-Identifier: Apache-2.0

"""The pack service over a real database and ledger: build, verify, register, grow, compare."""

from pathlib import Path

import msgspec
import pytest

from app.clock import FixedClock
from app.collection.service import CollectionService
from app.connectors.base import Window
from app.connectors.registry import normalizer, open_files
from app.controls.loader import load
from app.db import Database
from app.errors import InvalidInput, NotFound
from app.evaluation.model import Period
from app.evaluation.periods import PeriodEvaluator
from app.ledger.service import Ledger
from app.packs import layout
from app.packs.service import PackService
from app.resources import shipped
from app.signing.checkpoint_key import CheckpointKey
from app.signing.keys import SigningKeys
from app.trails.service import TrailService
from app.verification.verifier import verify
from tests.packs.small import AS_OF, END, SIGNED_AT, START, read_members, records

PERIOD = Period(start=START, end=END)
COVERED = Window(start=START - 1, end=END + 1)


class World:
    """Everything that a pack is built from, in one folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        database = Database(f"sqlite:///{folder / 'proofroom.db'}")
        database.migrate()
        self.ledger = Ledger(database, CheckpointKey.from_seed(bytes(32)))
        self.collection = CollectionService(database, self.ledger, FixedClock(AS_OF), normalizer)
        trails = TrailService(self.collection)
        evaluator = PeriodEvaluator(trails, load(shipped("controls")), folder / "cache", self.ledger.size)
        clock = FixedClock(SIGNED_AT)
        self.packs = PackService(
            database=database,
            ledger=self.ledger,
            evaluator=evaluator,
            keys=SigningKeys(folder / "keys", clock),
            clock=clock,
            organisation="Example organisation",
        )

    def collect(self, count: int) -> None:
        path = self.folder / f"{count}.ndjson"
        path.write_bytes(b"".join(msgspec.json.encode(record) + b"\n" for record in records()[:count]))
        self.collection.collect(open_files("records", [path]), "broker", Window(), COVERED)


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


def test_a_built_pack_verifies_and_is_registered(world: World, tmp_path: Path) -> None:
    world.collect(len(records()))
    told: list[str] = []
    path = world.packs.build("soc2", PERIOD, tmp_path / "out", lambda step, _done, _total: told.append(step))
    assert path.name == "proofroom-soc2-tsc-2017-2026-07-01-2026-09-30.zip"
    assert [found.name for found in (tmp_path / "out").iterdir()] == [path.name]
    report = verify(path, (tmp_path / "keys" / "signing.crt").read_bytes())
    assert report.holds, [step for step in report.steps if step.problems]
    (info,) = world.packs.list()
    assert (info.sha256, info.path, info.framework) == (report.pack_sha256, path, "soc2-tsc-2017")
    assert info.size == path.stat().st_size
    assert info.tree_size == world.ledger.size()
    assert world.packs.get(info.id) == info
    assert world.packs.signer().is_development
    assert told
    path.unlink()
    with pytest.raises(NotFound, match="not where"):
        world.packs.get(info.id)


def test_the_next_pack_proves_that_the_ledger_only_grew(world: World, tmp_path: Path) -> None:
    world.collect(9)
    first = world.packs.build("soc2", PERIOD, tmp_path / "one")
    world.collect(len(records()))
    second = world.packs.build("soc2", PERIOD, tmp_path / "two")
    trust = (tmp_path / "keys" / "signing.crt").read_bytes()
    report = verify(second, trust)
    assert report.holds, [step for step in report.steps if step.problems]
    assert "compare with your previous pack" in report.steps[10].detail
    consistency = msgspec.json.decode(read_members(second)[layout.CONSISTENCY])
    assert consistency["previous"].encode() == read_members(first)[layout.CHECKPOINT]
    again = world.packs.build("soc2", PERIOD, tmp_path / "three")
    assert read_members(again)[layout.CONTENT_MANIFEST] == read_members(second)[layout.CONTENT_MANIFEST]


def test_nothing_is_built_from_nothing(world: World, tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="nothing was collected"):
        world.packs.build("soc2", PERIOD, tmp_path / "out")
    with pytest.raises(NotFound):
        world.packs.build("unknown", PERIOD, tmp_path / "out")
    assert world.packs.list() == []
    with pytest.raises(NotFound, match="no such pack"):
        world.packs.get("none")
