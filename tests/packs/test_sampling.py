# SPDX-License-Identifier: Apache-2.0

"""Samples: anybody can draw them again, nobody can steer them, each stratum has its share, order does not matter."""

import hashlib
import io
import re
import subprocess
import sys
from fractions import Fraction
from operator import itemgetter
from pathlib import Path

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.controls.loader import load
from app.errors import ControlsInvalid, InvalidInput
from app.evaluation.engine import open_engine
from app.packs import frames, layout
from app.packs.assemble import Draft, draft_pack, sign_pack, write_pack
from app.packs.model import Engagement, SampleDraw
from app.packs.sampling import lowest, make_seed, population_sha256, rank, share_out
from app.resources import shipped
from app.signing.keys import SigningIdentity
from app.verification.verifier import verify
from tests.packs.small import SIGNED_AT, ingredients, plain_render, read_members

GUIDE = Path(__file__).parents[2] / "docs" / "sampling.md"
SEED = make_seed("", "soc2-tsc-2017", (0, 1), "SES-04", "session", "00" * 32)
ID = st.text(st.characters(exclude_categories=["Cs"]), min_size=1)
PLACES = st.tuples(st.sampled_from(["2026-07", "2026-08", "undated"]), st.sampled_from(["risky", "usual"]))
SIZES = st.dictionaries(PLACES, st.integers(1, 50), max_size=6)


def test_the_seed_can_be_made_by_hand() -> None:
    text = "proofroom.sample.v2\n\nsoc2-tsc-2017\n0\n1\nSES-04\nsession\n" + "00" * 32
    assert hashlib.sha256(text.encode()).hexdigest() == SEED


def test_the_rank_can_be_made_by_hand() -> None:
    assert rank(SEED, "a/session/1") == hashlib.sha256(f"{SEED}\na/session/1".encode()).hexdigest()


@given(st.lists(st.tuples(ID, PLACES, st.text("01", min_size=2, max_size=2)), unique_by=itemgetter(0), max_size=40))
@settings(deadline=None, max_examples=50)
def test_the_lowest_ranks_of_each_stratum_are_drawn(items: list[tuple[str, tuple[str, str], str]]) -> None:
    told = [drawing(place, size) for place, size in ((0, 5), (1, 30))]
    with open_engine([]) as engine:
        engine.execute("CREATE TEMP TABLE frame (id VARCHAR, time VARCHAR, risk VARCHAR, codes VARCHAR)")
        lines = [(item, *stratum, codes) for item, stratum, codes in items]
        engine.executemany("INSERT INTO frame VALUES (?, ?, ?, ?)", lines) if lines else None
        drawn = list(frames._drawn(engine, told, 1))
    for each in drawn:
        ids: dict[tuple[str, str], list[str]] = {stratum: [] for _, stratum, _ in items}
        for item, stratum, codes in items:
            ids[stratum] += [item] if codes[each.place] != "0" else []
        sizes = {stratum: len(found) for stratum, found in ids.items() if found}
        shared = share_out(sizes, each.size, 1)
        assert {(stratum.time, stratum.risk): stratum.drawn for stratum in each.strata} == shared
        assert [stratum.items for stratum in each.strata] == [sizes[stratum] for stratum in shared]
        assert list(each.items) == [
            item for stratum, n in shared.items() for item in lowest(each.seed, ids[stratum], n)
        ]


def drawing(place: int, size: int) -> SampleDraw:
    """Return what is to be drawn for the test at a place."""
    return SampleDraw(
        test_id=f"T-{place}",
        population="session",
        place=place,
        seed=rank(SEED, str(place)),
        table="",
        column="",
        frame=0,
        size=size,
        strata=(),
        items=(),
    )


@given(SIZES, st.integers(1, 120), st.integers(0, 3))
def test_the_size_is_shared_out_whole_and_nobody_gives_more_than_it_has(
    sizes: dict[tuple[str, str], int], size: int, minimum: int
) -> None:
    given_ = share_out(sizes, size, minimum)
    assert sum(given_.values()) == min(size, sum(sizes.values()))
    assert all(given_[place] <= sizes[place] for place in sizes)
    if size >= minimum * len(sizes):
        assert all(given_[place] >= min(minimum, sizes[place]) for place in sizes)


@given(SIZES, st.integers(1, 120))
def test_without_a_minimum_no_stratum_gets_a_seat_that_another_has_more_right_to(
    sizes: dict[tuple[str, str], int], size: int
) -> None:
    """Sainte-Laguë, as a property of the result and not of the way to it."""
    given_ = share_out(sizes, size, 0)
    least = min((Fraction(sizes[p], 2 * n - 1) for p, n in given_.items() if n), default=Fraction(10**9))
    most = max((Fraction(sizes[p], 2 * n + 1) for p, n in given_.items() if n < sizes[p]), default=Fraction(0))
    assert most <= least


def test_risky_strata_come_first_when_the_size_does_not_reach_all() -> None:
    sizes = {("2026-07", "usual"): 900, ("2026-08", "risky"): 1, ("2026-07", "risky"): 2}
    assert share_out(sizes, 2, 1) == {("2026-07", "risky"): 1, ("2026-08", "risky"): 1, ("2026-07", "usual"): 0}


def test_another_population_test_or_engagement_gives_another_seed() -> None:
    assert population_sha256({"session/a.parquet": "1"}) != population_sha256({"session/a.parquet": "2"})
    others = [
        make_seed("x", "soc2-tsc-2017", (0, 1), "SES-04", "session", "00" * 32),
        make_seed("", "soc2-tsc-2017", (0, 1), "SES-05", "session", "00" * 32),
        make_seed("", "soc2-tsc-2017", (0, 1), "SES-04", "session", "11" * 32),
    ]
    assert len({SEED, *others}) == 4


PLAN = """kind: SamplingPlan
title: t
table: t
tables: {t: {source: s, lower: [{up_to: 9, size: 1}, {size: 2}], higher: [{size: 3}]}}
"""


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        (("table: t\n", "table: u\n"), "there is no table 'u'"),
        (("{up_to: 9, size: 1}, {size: 2}", "{up_to: 9, size: 1}"), "do not cover every population"),
        (("{up_to: 9, size: 1}, {size: 2}", "{size: 2}, {up_to: 9, size: 1}"), "do not cover every population"),
        (("{up_to: 9, size: 1}, {size: 2}", "{up_to: 9, size: 3}, {size: 2}"), "do not cover every population"),
        (("title: t\n", "title: t\nrisky: {sesion: 'true'}\n"), "there is no population 'sesion'"),
        (("title: t\n", "title: t\nrisky: {session: 'grant.basis == \"x\"'}\n"), "grant"),
        (("title: t\n", "title: t\nminimun: 1\n"), "there is no key 'minimun'"),
    ],
)
def test_a_plan_with_a_mistake_does_not_load(tmp_path: Path, change: tuple[str, str], problem: str) -> None:
    (tmp_path / "sampling").mkdir()
    (tmp_path / "sampling" / "plan.yaml").write_text(PLAN.replace(*change), encoding="utf-8")
    with pytest.raises(ControlsInvalid) as caught:
        load(tmp_path)
    assert len(caught.value.problems) == 1
    assert problem in caught.value.problems[0]


def test_an_own_plan_counts_before_the_shipped_one(tmp_path: Path) -> None:
    (tmp_path / "sampling").mkdir()
    (tmp_path / "sampling" / "mine.yaml").write_text(PLAN, encoding="utf-8")
    controls = load(shipped("controls"), tmp_path)
    assert controls.sampling.size_for(100, "low") == ("lower", 2)
    assert controls.sampling.size_for(100, "high") == ("higher", 3)
    assert load(shipped("controls")).sampling.size_for(1_000, "high") == ("higher", 60)
    assert load(shipped("controls")).sampling.size_for(3, "low") == ("lower", 2)


def test_ten_lines_of_plain_python_draw_the_same_sample(pack: Path, draft: Draft) -> None:
    (code,) = re.findall(r"```python\n(.*?)```", GUIDE.read_text(encoding="utf-8"), flags=re.DOTALL)
    assert sum(bool(line) for line in code.splitlines()) <= 11
    assert draft.report.samples
    for sample in draft.report.samples:
        done = subprocess.run(
            [sys.executable, "-I", "-c", code, str(pack), sample.test_id], capture_output=True, text=True, check=True
        )
        assert done.stdout.splitlines() == list(sample.items)


def test_items_that_the_auditor_chose_are_shown_whole_and_marked(tmp_path: Path, identity: SigningIdentity) -> None:
    made = ingredients(tmp_path, identity)
    facts = msgspec.structs.replace(made.facts, engagement="Work 7", also=("broker/session/s1",))
    (tmp_path / "work").mkdir()
    draft = draft_pack(msgspec.structs.replace(made, facts=facts), plain_render, tmp_path / "work")
    write_pack(sign_pack(draft, identity, SIGNED_AT), tmp_path / "pack.zip")
    report = verify(tmp_path / "pack.zip", identity.certificate_der)
    assert report.holds, [step for step in report.steps if step.problems]
    members = read_members(tmp_path / "pack.zip")
    shown = msgspec.json.decode(members[f"{layout.SAMPLES}/session.json"])
    assert shown["judgemental"] == ["broker/session/s1"]
    assert "broker/session/s1" in {item["item_id"] for item in shown["items"]}
    assert [item.population for item in draft.report.judgemental] == ["session"]
    assert draft.report.engagement == "Work 7"


def test_an_item_that_is_not_there_cannot_be_chosen(tmp_path: Path, identity: SigningIdentity) -> None:
    made = ingredients(tmp_path, identity)
    (tmp_path / "work").mkdir()
    facts = msgspec.structs.replace(made.facts, also=("broker/session/none",))
    with pytest.raises(InvalidInput, match="no population"):
        draft_pack(msgspec.structs.replace(made, facts=facts), plain_render, tmp_path / "work")


@pytest.mark.parametrize("name", ["two\nlines", "x" * 201, "\x1b[2J"])
def test_the_name_of_an_engagement_is_one_line(name: str) -> None:
    with pytest.raises(InvalidInput, match="one line"):
        Engagement(name=name)


def test_a_frame_has_every_item_and_its_outcomes(members: dict[str, bytes], draft: Draft) -> None:
    lines = [msgspec.json.decode(line) for line in io.BytesIO(members[f"{layout.FRAMES}/session.jsonl"])]
    assert [line[0] for line in lines] == ["broker/session/s0", "broker/session/s1", "broker/session/s2"]
    assert {line[1] for line in lines} == {"2026-07"}
    tests = sorted(test.test_id for test in draft.report.evaluation.tests if test.population == "session")
    assert all(len(line[3]) == len(tests) for line in lines)
