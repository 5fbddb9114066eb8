# SPDX-License-Identifier: Apache-2.0

"""What is laid beside keys is what a row at a time would show, in whatever batches the rows come."""

from collections.abc import Sequence

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.trails.bulk.assembly import Lists, Views, assemble

INDICES = st.lists(st.integers(0, 9), max_size=3)
KNOWN = {"a": [3, 1], "b": [], "c": [2**39]}
ROW = st.tuples(st.sampled_from([*KNOWN, "nobody", None]), INDICES, st.lists(INDICES, max_size=3))
Rows = Sequence[tuple[str | None, list[int], list[list[int]]]]


def assembled(rows: Rows, size: int) -> list[dict[str, object]]:
    """Put rows (key, own entries, entries of each thing in the list) together, so many at a time."""
    views = Views(
        pa.table({"key": list(KNOWN), "view": [{"id": key} for key in KNOWN], "ledger": list(KNOWN.values())})
    )
    listed = [(nth, place, entries) for nth, row in enumerate(rows) for place, entries in enumerate(row[2])]
    lists = Lists(
        pa.table(
            {
                "nth": pa.array([nth for nth, _, _ in listed], pa.int64()),
                "view": pa.array([place for _, place, _ in listed], pa.int64()),
                "ledger": pa.array([entries for *_, entries in listed], pa.list_(pa.int64())),
            }
        ),
        len(rows),
    )
    own = pa.record_batch(
        {
            "who": pa.array([key for key, _, _ in rows], pa.string()),
            "ledger": pa.array([entries for _, entries, _ in rows], pa.list_(pa.int64())),
        }
    )
    batches = [
        assemble(["who", "ledger", "things"], own.slice(start, size), start, {"who": views}, {"things": lists})
        for start in range(0, len(rows), size)
    ]
    return [row for batch in batches for row in batch.to_pylist()]


@given(st.lists(ROW, max_size=12), st.integers(1, 5))
def test_rows_show_what_they_name_and_all_that_is_behind_it(rows: Rows, size: int) -> None:
    expected = [
        {
            "who": {"id": key} if key in KNOWN else None,
            "ledger": sorted({*own, *KNOWN.get(key or "", []), *(index for entries in things for index in entries)}),
            "things": list(range(len(things))),
        }
        for key, own, things in rows
    ]
    assert assembled(rows, size) == expected


@pytest.mark.parametrize("shown", [["ledger"], ["who", "ledger"]])
def test_what_is_not_shown_is_behind_the_row_all_the_same(shown: list[str]) -> None:
    views = Views(pa.table({"key": ["a"], "view": [1], "ledger": [[7]]}))
    rows = pa.record_batch({"who": ["a"], "ledger": [[5]]})
    batch = assemble(shown, rows, 0, {"who": views}, {})
    assert batch.column_names == shown
    assert batch.column("ledger").to_pylist() == [[5, 7]]
