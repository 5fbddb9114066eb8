# SPDX-License-Identifier: Apache-2.0

"""Rows that are kept for another step: the same rows as from the segments, or none."""

from pathlib import Path

import pyarrow as pa
import pytest

from app.packs import rows
from app.packs.rows import KeptRows, Selection, select_rows
from app.trails.example import example_row
from app.trails.segments import freeze, read_period, rows_of

DAYS = ["2026-02-03T04:05:06Z", "2026-02-04T04:05:06Z"]
ALL = [f"s/session/{number}" for number in range(6)]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = [
        example_row("session", {"item_id": item, "at": DAYS[place % 2], "session": {"id": item}})
        for place, item in enumerate(ALL)
    ]
    freeze({"session": made}, tmp_path)
    return tmp_path


def test_kept_rows_are_those_of_the_segments(folder: Path) -> None:
    kept = KeptRows()
    assert [row.item_id for row in select_rows(folder, "session", ALL[:4], kept)] == [*ALL[0:4:2], *ALL[1:4:2]]
    for wanted in (ALL[:4], ALL[1:3], []):
        batches = kept.of("session", wanted)
        assert batches is not None
        chosen = [Selection(wanted).of(batch) for batch in batches]
        again = [row for batch in chosen for row in rows_of(batch, "session", read_period(folder))]
        assert again == list(select_rows(folder, "session", wanted))


def test_rows_that_were_not_kept_are_not_known(folder: Path) -> None:
    kept = KeptRows()
    assert kept.of("session", ALL[:1]) is None
    list(select_rows(folder, "session", ALL[:2], kept))
    assert kept.of("session", ALL[1:3]) is None
    assert kept.of("grant", ALL[:1]) is None


def test_nothing_is_kept_of_rows_that_nobody_took_to_the_end(folder: Path) -> None:
    kept = KeptRows()
    next(select_rows(folder, "session", ALL, kept))
    assert kept.of("session", ALL[:1]) is None


def test_no_more_is_kept_than_there_is_room_for(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rows, "MOST_KEPT", 100)
    kept = KeptRows()
    assert len(list(select_rows(folder, "session", ALL, kept))) == len(ALL)
    assert kept.of("session", ALL) is None
    small = pa.record_batch({"item_id": ["a" * 60]})
    kept.keep("grant", ["a"], [small])
    kept.keep("account", ["a"], [small])
    assert kept.of("grant", ["a"]) == [small]
    assert kept.of("account", ["a"]) is None
