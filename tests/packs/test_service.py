# SPDX-License-Identifier: Apache-2.0

"""The pack service over a real database and ledger: build, verify, register, grow, compare."""

from pathlib import Path

import msgspec
import pytest

from app.errors import InvalidInput, NotFound
from app.packs import layout
from app.verification.verifier import verify
from tests.packs.small import read_members, records
from tests.packs.world import PERIOD, World


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


def test_a_pack_is_not_given_out_as_another(world: World, tmp_path: Path) -> None:
    """One of the same days replaces it, and may show what it withheld."""
    world.collect(9)
    path = world.packs.build("soc2", PERIOD, tmp_path / "out")
    (first,) = world.packs.list()
    world.collect(len(records()))
    assert world.packs.build("soc2", PERIOD, tmp_path / "out") == path
    (second,) = (pack for pack in world.packs.list() if pack != first)
    assert world.packs.get(second.id) == second
    with pytest.raises(NotFound, match="replaced by another"):
        world.packs.get(first.id)


def test_nothing_is_built_from_nothing(world: World, tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="nothing was collected"):
        world.packs.build("soc2", PERIOD, tmp_path / "out")
    with pytest.raises(NotFound):
        world.packs.build("unknown", PERIOD, tmp_path / "out")
    assert world.packs.list() == []
    with pytest.raises(NotFound, match="no such pack"):
        world.packs.get("none")
