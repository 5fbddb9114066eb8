# SPDX-License-Identifier: Apache-2.0

"""Item outcomes: the order of the questions, on both engines; the vectors; and what DuckDB may not do."""

import shutil

import duckdb
import msgspec
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from app.errors import InvalidInput, NotFound
from app.evaluation.definition import define
from app.evaluation.engine import (
    ROW_GROUP_ROWS,
    checked_files,
    counts,
    found_outcomes,
    judge,
    judge_row,
    open_engine,
    outcomes_of,
    sizes,
)
from app.evaluation.model import ItemOutcome
from app.evaluation.oracle import item_outcome, outcomes
from app.trails.example import example_row
from app.trails.populations import POPULATIONS
from app.trails.segments import freeze, segment_schema

LAST = "9999-12-31T23:59:59Z"
WAIVER = {"test_ids": ["TST-01"]}
OVERFLOW = "session.started_at != null && session.started_at + p.skew > period.start"


@pytest.fixture
def engine():
    with open_engine([]) as connection:
        yield connection


@pytest.mark.parametrize(
    ("fields", "given", "outcome"),
    [
        ({"assertion": "true"}, {}, "pass"),
        ({"assertion": "false"}, {}, "fail"),
        ({"assertion": "false"}, {"waivers": [WAIVER]}, "waived"),
        ({"assertion": "false"}, {"waivers": [{"test_ids": ["TST-02"]}, WAIVER]}, "waived"),
        ({"assertion": "false"}, {"waivers": [{"test_ids": ["TST-02"]}]}, "fail"),
        ({"assertion": "true"}, {"waivers": [WAIVER]}, "pass"),
        ({"assertion": OVERFLOW}, {"session": {"started_at": LAST}}, "error"),
        ({"assertion": OVERFLOW}, {"session": {"started_at": LAST}, "waivers": [WAIVER]}, "error"),
        # applies_when comes first.
        ({"assertion": "false", "applies_when": "session.privileged"}, {}, "not_applicable"),
        (
            {"assertion": "false", "applies_when": "session.privileged", "records": ("grant",)},
            {"evidence": {"grant": False}},
            "not_applicable",
        ),
        (
            {"assertion": "false", "applies_when": "session.privileged", "fields": ("session.role",)},
            {},
            "not_applicable",
        ),
        ({"assertion": "true", "applies_when": OVERFLOW}, {"session": {"started_at": LAST}}, "error"),
        # Then the records and fields that are required.
        ({"assertion": "false", "records": ("session", "grant")}, {"evidence": {"grant": False}}, "no_evidence"),
        ({"assertion": "false", "records": ("session", "grant")}, {"evidence": {"approval": False}}, "fail"),
        ({"assertion": "session.role == 'x'", "fields": ("session.role",)}, {}, "no_evidence"),
        ({"assertion": "session.role == 'x'", "fields": ("session.role",)}, {"session": {"role": "x"}}, "pass"),
        ({"assertion": "grant.id == ''", "fields": ("grant",)}, {}, "no_evidence"),
        ({"assertion": "grant.id == ''", "fields": ("grant",)}, {"grant": {}}, "pass"),
        ({"assertion": "grant.role == 'x'", "fields": ("grant.role",)}, {}, "no_evidence"),
        (
            {"assertion": "size(target.data_classes) == 0", "fields": ("target.data_classes",)},
            {"target": {}},
            "no_evidence",
        ),
        (
            {"assertion": "size(target.data_classes) == 0", "fields": ("target.data_classes",)},
            {"target": {"data_classes": []}},
            "pass",
        ),
        ({"assertion": "approvals.all(a, a.approver_id != '')", "fields": ("approvals.approver_id",)}, {}, "pass"),
        (
            {"assertion": "approvals.all(a, a.approver_id != '')", "fields": ("approvals.approver_id",)},
            {"approvals": [{"approver_id": "bea"}, {}]},
            "no_evidence",
        ),
        # Then whether it can be told at all.
        (
            {"assertion": "false", "no_evidence_when": "session.grant_candidates > 1"},
            {"session": {"grant_candidates": 2}},
            "no_evidence",
        ),
        ({"assertion": "false", "no_evidence_when": "session.grant_candidates > 1"}, {}, "fail"),
        ({"assertion": "true", "no_evidence_when": OVERFLOW}, {"session": {"started_at": LAST}}, "error"),
        (
            {"assertion": "true", "records": ("grant",), "no_evidence_when": OVERFLOW},
            {"evidence": {"grant": False}, "session": {"started_at": LAST}},
            "no_evidence",
        ),
    ],
)
def test_the_first_question_that_answers_decides(control_test, engine, fields, given, outcome):
    test = control_test("TST-01", parameters={"skew": "60s"}, **fields)
    row = example_row("session", given)
    assert item_outcome(test, row).word == outcome
    assert judge_row(engine, [define(test)], row)["TST-01"].word == outcome


def sessions(count):
    kinds = [
        {"session": {"privileged": True, "role": "dba"}},
        {"session": {"privileged": True, "role": "x"}},
        {"session": {"privileged": True}},
        {},
        {"session": {"privileged": True, "role": "x"}, "waivers": [WAIVER]},
    ]
    days = ["2026-01-05T10:00:00Z", "2026-02-01T00:00:00Z"]
    return [
        example_row("session", {"item_id": f"hoop/session/{n:05d}", "at": days[n % 2], **kinds[n % len(kinds)]})
        for n in range(count)
    ]


@pytest.fixture
def tests(control_test):
    return [
        control_test("TST-01", "session.role == 'dba'", applies_when="session.privileged", fields=("session.role",)),
        control_test("TST-02", "size(approvals) == 0"),
    ]


@pytest.fixture
def frozen(tmp_path):
    freeze({"session": sessions(10)}, tmp_path / "populations")
    return tmp_path / "populations"


def test_a_vector_has_a_sorted_row_per_item_and_a_small_column_per_test(tests, frozen, tmp_path):
    judge([define(test) for test in tests], frozen, tmp_path / "results")
    assert [path.name for path in (tmp_path / "results").iterdir()] == ["session.parquet"]
    table = pq.read_table(tmp_path / "results" / "session.parquet")
    assert table.schema.names == ["item_id", "TST-01", "TST-02"]
    assert set(table.schema.types[1:]) == {pa.int16()}
    assert table.column("item_id").to_pylist() == [f"hoop/session/{n:05d}" for n in range(10)]
    assert table.column("TST-01").to_pylist() == [1, 2, 3, 0, 4] * 2


def test_the_oracle_gives_the_same_vector(tests, frozen, tmp_path):
    judge([define(test) for test in tests], frozen, tmp_path / "results")
    by_engine = pq.read_table(tmp_path / "results" / "session.parquet").to_pylist()
    by_oracle = [{"item_id": row.item_id, **outcomes(tests, row)} for row in sessions(10)]
    assert by_engine == by_oracle


def test_counts_and_deviations_come_from_the_vector(tests, frozen, tmp_path):
    results = tmp_path / "results"
    judge([define(test) for test in tests], frozen, results)
    counted = counts(results, "session", ["TST-01", "TST-02"])
    assert counted["TST-01"] == {
        ItemOutcome.NOT_APPLICABLE: 2,
        ItemOutcome.PASS: 2,
        ItemOutcome.FAIL: 2,
        ItemOutcome.NO_EVIDENCE: 2,
        ItemOutcome.WAIVED: 2,
        ItemOutcome.ERROR: 0,
    }
    assert counted["TST-02"][ItemOutcome.PASS] == 10
    found = outcomes_of(results, "session", "TST-01")
    assert [item for item, outcome in found.items() if outcome is ItemOutcome.FAIL] == [
        "hoop/session/00001",
        "hoop/session/00006",
    ]
    assert [item for item, outcome in found.items() if outcome is ItemOutcome.WAIVED] == [
        "hoop/session/00004",
        "hoop/session/00009",
    ]
    assert ("TST-01", "hoop/session/00002", "no_evidence") in found_outcomes(results)
    assert {word for _, _, word in found_outcomes(results)} == {"fail", "waived", "no_evidence"}
    assert counts(results, "session", []) == {}


def test_equal_inputs_give_equal_bytes_and_an_empty_population_has_a_vector(tests, tmp_path):
    freeze({}, tmp_path / "empty")
    judge([define(test) for test in tests], tmp_path / "empty", tmp_path / "a")
    assert pq.read_table(tmp_path / "a" / "session.parquet").num_rows == 0
    assert counts(tmp_path / "a", "session", ["TST-01"])["TST-01"][ItemOutcome.PASS] == 0
    assert sizes(tmp_path / "empty")["session"] == 0

    freeze({"session": sessions(50)}, tmp_path / "some")
    judge([define(test) for test in tests], tmp_path / "some", tmp_path / "b")
    shutil.copytree(tmp_path / "some", tmp_path / "elsewhere")
    judge([define(test) for test in tests], tmp_path / "elsewhere", tmp_path / "c")
    assert (tmp_path / "b" / "session.parquet").read_bytes() == (tmp_path / "c" / "session.parquet").read_bytes()


def test_large_populations_are_written_in_groups_of_one_size(tests, frozen, tmp_path):
    folder = tmp_path / "large"
    freeze({}, folder)
    row = pa.Table.from_pylist([msgspec.to_builtins(sessions(1)[0])], schema=segment_schema("session"))
    count = ROW_GROUP_ROWS + 5
    repeated = row.take(pa.array([0] * count))
    ids = pa.array([f"s/{n:07d}" for n in range(count)])
    repeated = repeated.set_column(0, segment_schema("session").field("item_id"), ids)
    pq.write_table(repeated, folder / "session" / "empty.parquet", store_schema=False)
    judge([define(test) for test in tests], folder, tmp_path / "results")
    metadata = pq.read_metadata(tmp_path / "results" / "session.parquet")
    assert [metadata.row_group(n).num_rows for n in range(metadata.num_row_groups)] == [ROW_GROUP_ROWS, 5]
    assert counts(tmp_path / "results", "session", ["TST-01"])["TST-01"][ItemOutcome.PASS] == count


def test_a_population_that_was_not_frozen_is_not_an_empty_one(tests, frozen, tmp_path):
    for path in (frozen / "session").iterdir():
        path.unlink()
    with pytest.raises(NotFound, match="not frozen"):
        judge([define(test) for test in tests], frozen, tmp_path / "results")


@pytest.mark.parametrize("spoil", ["renamed", "retyped", "dropped", "text"])
def test_a_file_that_is_no_segment_is_refused_by_name(frozen, spoil):
    path = next((frozen / "session").iterdir())
    table = pq.read_table(path)
    match spoil:
        case "renamed":
            pq.write_table(table.rename_columns(["id", *table.column_names[1:]]), path)
        case "retyped":
            pq.write_table(table.set_column(2, "at", table.column("at").cast(pa.string())), path)
        case "dropped":
            pq.write_table(table.drop_columns(["waivers"]), path)
        case _:
            path.write_text("item_id\n1\n")
    with pytest.raises(InvalidInput, match=f"session/{path.name}"):
        checked_files(frozen, "session")


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT * FROM read_csv('/etc/hostname')",
        "SELECT * FROM read_text('{outside}')",
        "SELECT * FROM read_text('{inside}/../outside.txt')",
        "COPY (SELECT 1) TO '{outside}'",
        "ATTACH '{outside}'",
        "INSTALL httpfs",
        "LOAD httpfs",
        "SET enable_external_access = true",
        "SET memory_limit = '90GB'",
        "RESET allowed_directories",
    ],
)
def test_duckdb_sees_nothing_but_its_folders_and_stays_locked(tmp_path, sql):
    inside = tmp_path / "inside"
    inside.mkdir()
    outside = tmp_path / "outside.txt"
    outside.write_text("secret")
    with open_engine([inside]) as connection, pytest.raises(duckdb.Error):
        connection.execute(sql.format(inside=inside, outside=outside)).fetchall()


def test_file_names_cannot_become_sql(tests, tmp_path):
    folder = tmp_path / "it's"
    freeze({population: [] for population in POPULATIONS}, folder)
    judge([define(test) for test in tests], folder, tmp_path / "results")
    assert counts(tmp_path / "results", "session", ["TST-01"])


@pytest.mark.parametrize(
    ("fields", "problem"),
    [
        ({"population": "nowhere"}, "no population"),
        ({"fields": ("session.nothing",)}, "session.nothing"),
        ({"records": ("nothing",)}, "evidence.nothing"),
    ],
)
def test_a_definition_that_speaks_of_nothing_is_refused(control_test, fields, problem):
    with pytest.raises(InvalidInput, match=problem):
        define(control_test("TST-01", "true", **fields))


def test_the_digest_of_a_definition_covers_parameters_and_not_examples(control_test):
    one = control_test("TST-01", "true", parameters={"skew": "60s"})
    assert define(one).sha256 == define(control_test("TST-01", "true", parameters={"skew": "60s"})).sha256
    assert define(one).sha256 != define(control_test("TST-01", "true", parameters={"skew": "61s"})).sha256
