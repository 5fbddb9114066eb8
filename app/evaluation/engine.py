# SPDX-License-Identifier: Apache-2.0

"""Judge whole populations with DuckDB, and read the result vectors.

In:  frozen segments and checked definitions.
Out: ``<results>/<population>.parquet``: ``item_id`` and one SMALLINT column per test (codes of ``ItemOutcome``), sorted
     by item id, the same bytes for the same inputs.
DuckDB works in memory, sees only the folders it is given, and can load nothing: segments may come from a stranger.
"""

import logging
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path

import duckdb
import msgspec
import pyarrow as pa
import pyarrow.parquet as pq

from app.cel.sqltext import quote_name
from app.errors import InvalidInput
from app.evaluation.definition import Definition
from app.evaluation.model import ItemOutcome
from app.evaluation.questions import outcomes_sql, segments_sql
from app.evaluation.reuse import Earlier, Question, is_as_written, moved_sql, remaining_sql, state_digests
from app.trails.arrow import arrow_schema
from app.trails.populations import POPULATIONS, Row
from app.trails.segments import read_period, segment_digests, segment_files, segment_schema

MEMORY_LIMIT = "1GB"
THREADS = 2
ROW_GROUP_ROWS = 100_000
QUIET = (ItemOutcome.PASS, ItemOutcome.NOT_APPLICABLE)
"""Outcomes that nobody has to look at."""
_SUFFIX = ".parquet"
_ONE_ROW = "one_row"
_LOG = logging.getLogger(__name__)


@contextmanager
def open_engine(
    folders: Iterable[Path], memory_limit: str = MEMORY_LIMIT, scratch: Path | None = None
) -> Iterator[duckdb.DuckDBPyConnection]:
    """Open a DuckDB that reads these folders and nothing else, and whose settings cannot be changed any more.

    Args:
        folders: what it may read.
        memory_limit: what it may take, as DuckDB spells it.
        scratch: a folder for what does not fit; without it, that is an error.
    """
    connection = duckdb.connect(
        ":memory:",
        config={
            "autoinstall_known_extensions": False,
            "autoload_known_extensions": False,
            "allow_community_extensions": False,
            "threads": THREADS,
            "memory_limit": memory_limit,
            "temp_directory": "" if scratch is None else str(scratch),
        },
    )
    try:
        connection.execute("SET allowed_directories = ?", [[str(folder.resolve()) for folder in folders]])
        connection.execute("SET enable_external_access = false")
        connection.execute("SET lock_configuration = true")
        yield connection
    finally:
        connection.close()


def judge(
    definitions: Sequence[Definition],
    segments: Path,
    results: Path,
    earlier: Earlier | None = None,
    memory_limit: str = MEMORY_LIMIT,
) -> dict[str, str]:
    """Write the result vectors of all populations that have a test; return the digests of all segments.

    Args:
        definitions: the tests.
        segments: folder of the frozen populations.
        results: folder that gets the vectors.
        earlier: answers that may be taken over where nothing has changed; it changes no byte of the vectors.
        memory_limit: what the engine may take; what does not fit goes to the disk, beside the vectors.

    Raises:
        NotFound: a population was not frozen in ``segments``.
        InvalidInput: a file is not a segment of its population.
        CelError: an expression is too complex.
    """
    results.mkdir(parents=True, exist_ok=True)
    period, digests = read_period(segments), segment_digests(segments)
    folders = [segments, *([earlier.results] if earlier else [])]
    with (
        tempfile.TemporaryDirectory(prefix=".spill-", dir=results) as scratch,
        open_engine(folders, memory_limit, Path(scratch)) as engine,
    ):
        for population in POPULATIONS:
            asked = Question(
                population=population,
                definitions=[definition for definition in definitions if definition.population == population],
                files=checked_files(segments, population),
                digests=digests,
                period=period,
            )
            if asked.definitions:
                _answer(engine, asked, results / f"{population}{_SUFFIX}", earlier)
    state_digests(results)
    return digests


def _answer(engine: duckdb.DuckDBPyConnection, asked: Question, path: Path, earlier: Earlier | None) -> None:
    """Write one result vector; what is kept is believed only if it is as written and has an answer for every item."""
    if earlier is not None and is_as_written(earlier.results, path.name):
        try:
            query = moved_sql(asked, earlier)
            moved = {Path(name) for (name,) in engine.execute(query).fetchall()} if query else set()
            remaining = remaining_sql(asked, earlier, moved)
            items = sum(_rows_in(file, asked.population) for file in asked.files)
            if remaining and _write(engine, remaining, path) == items:
                return
        except (duckdb.Error, pa.ArrowException):
            _LOG.warning("what is kept of an earlier evaluation cannot be read; all items are tested again")
    _write(engine, asked.in_full, path)


def judge_row(engine: duckdb.DuckDBPyConnection, definitions: Sequence[Definition], row: Row) -> dict[str, ItemOutcome]:
    """Return what tests of one population say of one row that is in no segment, such as an example.

    Raises:
        CelError: an expression is too complex.
    """
    table = pa.Table.from_pylist([msgspec.to_builtins(row)], schema=arrow_schema(type(row)))
    engine.register(_ONE_ROW, table)
    (codes,) = engine.execute(outcomes_sql(definitions, _ONE_ROW)).fetchall()
    engine.unregister(_ONE_ROW)
    return {definition.id: ItemOutcome(code) for definition, code in zip(definitions, codes[1:], strict=True)}


def checked_files(segments: Path, population: str) -> list[Path]:
    """Return the segments of a population, each with exactly the columns and types of its rows.

    Raises:
        NotFound: the population was not frozen here.
        InvalidInput: a file is not such a segment.
    """
    files = [file.resolve() for file in segment_files(segments, population)]
    for file in files:
        _rows_in(file, population)
    return files


def _rows_in(file: Path, population: str) -> int:
    """Return the number of rows of a segment, whose columns are checked; for what is raised see ``checked_files``."""
    found = file.stat()
    return _read_file(file, population, found.st_size, found.st_mtime_ns)


@lru_cache(maxsize=65_536)
def _read_file(file: Path, population: str, size: int, changed: int) -> int:
    """Read what a file says of itself; one that has neither grown nor changed since is not read again."""
    del size, changed
    where = f"{population}/{file.name}"
    try:
        found = pq.read_metadata(file)
    except (pa.ArrowInvalid, OSError) as error:
        raise InvalidInput("this is no Parquet file", where=where, hint="Freeze the period again.") from error
    if not found.schema.to_arrow_schema().equals(segment_schema(population), check_metadata=False):
        hint = "It was made by another version of Proofroom; freeze the period again."
        raise InvalidInput(f"this segment does not have the columns of '{population}'", where=where, hint=hint)
    return int(found.num_rows)


def _write(engine: duckdb.DuckDBPyConnection, sql: str, path: Path) -> int:
    """Write a query's rows in groups of a fixed size, so that the bytes do not depend on threads; return how many."""
    reader: pa.RecordBatchReader = engine.sql(sql).to_arrow_reader(ROW_GROUP_ROWS)
    schema = pa.schema([pa.field(field.name, field.type, nullable=False) for field in reader.schema])
    with pq.ParquetWriter(path, schema, version="2.6", compression="zstd", store_schema=False) as writer:
        waiting, rows = schema.empty_table(), 0
        for batch in reader:
            rows += batch.num_rows
            waiting = pa.concat_tables([waiting, pa.Table.from_batches([batch]).cast(schema)])
            while waiting.num_rows >= ROW_GROUP_ROWS:
                writer.write_table(waiting.slice(0, ROW_GROUP_ROWS).combine_chunks(), ROW_GROUP_ROWS)
                waiting = waiting.slice(ROW_GROUP_ROWS)
        if waiting.num_rows:
            writer.write_table(waiting.combine_chunks(), ROW_GROUP_ROWS)
    return rows


def sizes(segments: Path) -> dict[str, int]:
    """Return the number of items of every population.

    Raises:
        NotFound: a population was not frozen here.
        InvalidInput: a file is not a segment of its population.
    """
    return {
        population: sum(_rows_in(file, population) for file in checked_files(segments, population))
        for population in POPULATIONS
    }


def counts(results: Path, population: str, test_ids: Sequence[str]) -> dict[str, dict[ItemOutcome, int]]:
    """Return how often each outcome occurs, per test; outcomes that do not occur count zero."""
    if not test_ids:
        return {}
    columns = ", ".join(f"histogram({quote_name(test_id)})" for test_id in test_ids)
    with open_engine([results]) as engine:
        sql = f"SELECT {columns} FROM {segments_sql([_vector(results, population)])}"  # noqa: S608 - Quoted above.
        (row,) = engine.execute(sql).fetchall()
    return {
        test_id: {outcome: (found or {}).get(int(outcome), 0) for outcome in ItemOutcome}
        for test_id, found in zip(test_ids, row, strict=True)
    }


def found_outcomes(results: Path) -> set[tuple[str, str, str]]:
    """Return (test, item, outcome) for every outcome but ``pass`` and ``not_applicable``, over all populations."""
    found = set()
    for path in sorted(results.glob(f"*{_SUFFIX}")):
        table = pq.read_table(path)
        items = table.column("item_id").to_pylist()
        for test_id in table.column_names[1:]:
            codes = table.column(test_id).to_pylist()
            pairs = zip(items, map(ItemOutcome, codes), strict=True)
            found |= {(test_id, item, outcome.word) for item, outcome in pairs if outcome not in QUIET}
    return found


def outcomes_of(results: Path, population: str, test_id: str) -> dict[str, ItemOutcome]:
    """Return the outcome of every item that a test was asked of."""
    table = pq.read_table(_vector(results, population), columns=["item_id", test_id])
    codes = table.column(test_id).to_pylist()
    return dict(zip(table.column("item_id").to_pylist(), map(ItemOutcome, codes), strict=True))


def _vector(results: Path, population: str) -> Path:
    return (results / f"{population}{_SUFFIX}").resolve()
