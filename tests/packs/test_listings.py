# SPDX-License-Identifier: Apache-2.0

"""Listings: every single value of a row as text, and no cell that a spreadsheet would run."""

import csv
import io
import re
import sys
from pathlib import Path

import msgspec
import pytest

from app.packs.listings import BEGINNINGS, write_listing
from app.packs.values import columns_of, text_at
from app.records.spreadsheet import FORMULA, plain_cell
from app.trails.example import example_row
from app.trails.populations import POPULATIONS, Row
from app.trails.segments import freeze, segment_files

GIVEN = {
    "item_id": "src/session/1",
    "at": "2026-02-03T04:05:06Z",
    "ledger": [4, 7],
    "session": {
        "id": "1",
        "privileged": True,
        "started_at": "2026-02-03T04:05:06.789Z",
        "run_as": "=HYPERLINK(1)",
        "max_idle": "15m",
    },
    "evidence": {"recording": False, "ticket": False},
    "grant": {"id": "g", "requester": "somebody"},
    "target": {"id": "t", "data_classes": ["card", "health"]},
    "events": [{"id": "e1", "at": "2026-02-03T04:06:00Z"}, {"id": "e2"}],
    "recordings": [{"id": "r", "coverage": 0.5}],
}


def listing(rows: list[Row], folder: Path) -> list[dict[str, str]]:
    freeze({"session": rows}, folder)
    write_listing(POPULATIONS["session"], segment_files(folder, "session"), folder / "out.csv")
    text = (folder / "out.csv").read_text(encoding="utf-8")
    return list(csv.DictReader(io.StringIO(text)))


def test_cells_say_what_the_row_says(tmp_path: Path) -> None:
    (cells,) = listing([example_row("session", GIVEN)], tmp_path)
    expected = {
        "item_id": "src/session/1",
        "at": "2026-02-03T04:05:06Z",
        "ledger": "4; 7",
        "session.started_at": "2026-02-03T04:05:06.789Z",
        "session.privileged": "true",
        "session.max_idle": "900000",
        "session.run_as": "'=HYPERLINK(1)",
        "session.ended_at": "",
        "target.data_classes": "card; health",
        "events": "2",
        "grants": "0",
        "grant.id": "g",
        "identity.id": "",
        "grant.requester": None,
        "no_evidence_of": "recording; ticket",
    }
    assert {name: cells.get(name) for name in expected} == expected
    assert not any(name.startswith("period") for name in cells)


@pytest.mark.parametrize("population", POPULATIONS)
def test_every_population_has_a_listing_even_without_rows(population: str, tmp_path: Path) -> None:
    freeze({}, tmp_path)
    row_class = POPULATIONS[population]
    write_listing(row_class, segment_files(tmp_path, population), tmp_path / "empty.csv")
    write_listing(row_class, segment_files(tmp_path, population), tmp_path / "again.csv")
    header = (tmp_path / "empty.csv").read_bytes()
    assert header == (tmp_path / "again.csv").read_bytes()
    assert header.count(b"\n") == 1
    freeze({population: [example_row(population, {})]}, tmp_path)
    write_listing(row_class, segment_files(tmp_path, population), tmp_path / "one.csv")
    assert len((tmp_path / "one.csv").read_bytes().splitlines()) == 2


@pytest.mark.parametrize("population", POPULATIONS)
def test_an_item_is_shown_whole_and_what_it_is_linked_to_is_named(population: str) -> None:
    item = {"session_event": "event", "source": "collected"}.get(population, population)
    shown = [column.name for column in columns_of(POPULATIONS[population])]
    whole = getattr(example_row(population, {}), item).__struct_fields__
    assert [name for name in shown if name.startswith(f"{item}.")] == [f"{item}.{field}" for field in whole]
    linked = {name.split(".")[0] for name in shown if "." in name} - {item}
    assert all(f"{name}.id" in shown for name in linked)


def test_listings_and_single_values_agree(tmp_path: Path) -> None:
    row = example_row("session", GIVEN)
    (cells,) = listing([row], tmp_path)
    single = [column for column in columns_of(POPULATIONS["session"]) if column.kind not in ("structs", "evidence")]
    for column in single:
        assert cells[column.name] == plain_cell(text_at(row, column.name)), column.name


@pytest.mark.parametrize("text", ["=1", "+1", "-1", "@a", "\tx", "\rx"])
def test_formulas_are_disarmed(text: str) -> None:
    assert plain_cell(text) == f"'{text}"


def test_lists_of_records_give_all_their_values() -> None:
    row = example_row("session", GIVEN)
    assert text_at(row, "events.at") == "2026-02-03T04:06:00Z"
    assert text_at(row, "events.id") == "e1; e2"
    assert text_at(row, "grant.starts_at") == ""
    assert text_at(row, "identity.id") == ""
    assert msgspec.to_builtins(row)["recordings"][0]["coverage"] == 0.5


def test_no_formula_begins_otherwise_than_the_listing_looks_for() -> None:
    formula = re.compile(FORMULA)
    found = {char for char in map(chr, range(sys.maxunicode + 1)) if formula.match(char) or formula.match(f"{char}=")}
    assert {char.encode()[:1] for char in found} == set(BEGINNINGS)


@pytest.mark.parametrize(
    ("instant", "text"),
    [
        (-62_135_596_800_000, "0001-01-01T00:00:00Z"),
        (-62_135_596_800_001, "0000-12-31T23:59:59.999Z"),
        (-1, "1969-12-31T23:59:59.999Z"),
        (253_402_300_799_999, "9999-12-31T23:59:59.999Z"),
        (253_402_300_800_000, "10000-01-01T00:00:00Z"),
    ],
)
def test_instants_are_written_alike_in_every_year(instant: int, text: str, tmp_path: Path) -> None:
    given = GIVEN | {"session": {"id": "1", "started_at": instant, "ended_at": 1_000}}
    (cells,) = listing([example_row("session", given)], tmp_path)
    assert cells["session.started_at"] == text
    assert cells["session.ended_at"] == "1970-01-01T00:00:01Z"
    assert cells["session.mfa_at"] == ""
