# SPDX-License-Identifier: Apache-2.0

"""Samples: anybody can draw them again, nobody can steer them, order does not matter."""

import hashlib

from hypothesis import given
from hypothesis import strategies as st

from app.packs.sampling import DEFAULT_SIZE, draw, make_seed, population_sha256, rank

SEED = make_seed("soc2-tsc-2017", 0, 1, "session", "00" * 32)
IDS = st.lists(st.text(min_size=1), unique=True, max_size=80)


def test_the_seed_can_be_made_by_hand() -> None:
    text = "proofroom.sample.v1\nsoc2-tsc-2017\n0\n1\nsession\n" + "00" * 32
    assert hashlib.sha256(text.encode()).hexdigest() == SEED


def test_the_rank_can_be_made_by_hand() -> None:
    assert rank(SEED, "a/session/1") == hashlib.sha256(f"{SEED}\na/session/1".encode()).hexdigest()


@given(IDS)
def test_the_lowest_ranks_are_drawn_whatever_the_order(ids: list[str]) -> None:
    drawn = draw("session", SEED, ids)
    assert drawn == draw("session", SEED, reversed(ids))
    assert list(drawn.items) == sorted(ids, key=lambda item: rank(SEED, item))[:DEFAULT_SIZE]
    assert drawn.size == min(len(ids), DEFAULT_SIZE)


def test_another_population_gives_another_seed() -> None:
    assert population_sha256({"session/a.parquet": "1"}) != population_sha256({"session/a.parquet": "2"})
    assert make_seed("soc2-tsc-2017", 0, 1, "session", "11" * 32) != SEED
