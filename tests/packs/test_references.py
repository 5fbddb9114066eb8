# SPDX-License-Identifier: Apache-2.0

"""The ledger entries that rows name: each once, ascending, and none that nobody names."""

from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.errors import InvalidInput
from app.packs.references import MOST, Marks, is_resting_on_nothing, ledger_indices, references
from app.trails.example import example_row
from app.trails.segments import freeze


def test_entries_of_all_populations_are_found_once(tmp_path: Path) -> None:
    days = ("2026-02-03T04:05:06Z", "2026-02-04T04:05:06Z")
    sessions = [
        example_row(
            "session", {"item_id": f"s/session/{place}", "at": days[place % 2], "ledger": [7, place, 40 - place]}
        )
        for place in range(4)
    ]
    grants = [example_row("grant", {"item_id": "s/grant/1", "at": days[0], "ledger": [3, 900]})]
    freeze({"session": sessions, "grant": grants}, tmp_path)
    assert ledger_indices(tmp_path, [5, 7]) == [0, 1, 2, 3, 5, 7, 37, 38, 39, 40, 900]
    assert {name for name, _ in references(tmp_path)} == {"session", "grant"}


@given(st.sets(st.integers(0, 300)), st.lists(st.none() | st.integers(-3, 310) | st.just(1 << 62)))
def test_what_is_not_marked_is_told(marked: set[int], asked: list[int | None]) -> None:
    marks = Marks()
    for index in marked:
        marks.add([index], index)
    assert marks.without(pa.array(asked, pa.int64())).to_pylist() == [each for each in asked if each not in marked]
    assert marks.ascending() == sorted(marked)


@pytest.mark.parametrize("index", [-1, MOST, 1 << 62])
def test_an_index_that_no_ledger_has_asks_for_no_memory(index: int) -> None:
    with pytest.raises(InvalidInput):
        Marks().add([index], index)


@pytest.mark.parametrize(
    ("population", "named", "expected"),
    [
        ("session", [[1], [2, 3]], False),
        ("session", [[1], []], True),
        ("session", [[1], None], True),
        ("source", [[]], False),
    ],
)
def test_a_row_that_names_no_entry_is_seen(population: str, named: list[list[int] | None], expected: bool) -> None:
    assert is_resting_on_nothing(population, pa.array(named, pa.list_(pa.int64()))) is expected
