# SPDX-License-Identifier: Apache-2.0

"""A scratch database for one freeze, on disk and in bounded memory, and the file that a later freeze goes on from.

In:  observations and small tables of Python values; SQL. Out: tables and their rows.
"""

import shutil
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa

from app.cel.sqltext import quote_name, quote_text
from app.records.columns import OBSERVATIONS

DAY_MS = 86_400_000
THREADS = 2


class Store:
    """A scratch database for one freeze; its schema ``kept`` is a file of its own.

    Args:
        folder: an empty folder that may be deleted afterwards.
        memory_limit: as DuckDB spells it, such as ``1GB``; what does not fit is spilled into the folder.
        earlier: the file that an earlier freeze kept; ``kept`` begins as a copy of it.

    Attributes:
        kept: the file for a later freeze.

    Raises:
        duckdb.Error, OSError: ``earlier`` cannot be read.
    """

    def __init__(self, folder: Path, memory_limit: str, earlier: Path | None = None) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.kept = folder / "kept.duckdb"
        if earlier is not None:
            shutil.copyfile(earlier, self.kept)
        self._connection = duckdb.connect(
            str(folder / "link.duckdb"),
            config={
                "autoinstall_known_extensions": False,
                "autoload_known_extensions": False,
                "allow_community_extensions": False,
                "threads": THREADS,
                "memory_limit": memory_limit,
                "temp_directory": str(folder),
                "preserve_insertion_order": False,
                # Few bounds of time are joined with many rows, which need not be held for that.
                "nested_loop_join_threshold": 1_000,
                # What is read once or twice is not worth compressing well.
                "disabled_compression_methods": "dict_fsst,fsst,zstd,dictionary",
            },
        )
        try:
            self._connection.execute(f"ATTACH {quote_text(str(self.kept))} AS kept")
            for (name,) in self.rows("SELECT table_name FROM duckdb_tables() WHERE database_name = 'kept'"):
                self.run(view_sql(name))
        except duckdb.Error:
            self.close()
            raise
        if earlier is not None:
            # Queries begin with the few keys that are due, which no statistics tell the optimizer.
            self._connection.execute("SET disabled_optimizers = 'join_order'")
        self._connection.execute("SET enable_external_access = false")
        self._connection.execute("SET lock_configuration = true")

    def close(self) -> None:
        """Let go of the files."""
        self._connection.close()

    def run(self, sql: str) -> None:
        """Execute a statement."""
        self._connection.execute(sql)

    def keep(self, name: str, select: str) -> None:
        """Make a table in the file that is kept; its name stands for it here as well."""
        self.run(f'CREATE OR REPLACE TABLE kept."{name}" AS {select}')
        self.run(view_sql(name))

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        """Return all rows of a query; for small answers only."""
        return self._connection.execute(sql).fetchall()

    def batches(self, sql: str, size: int) -> pa.RecordBatchReader:
        """Return the rows of a query as Arrow batches of about this size."""
        # A cursor of its own: what is written meanwhile must not end the reading.
        return self._connection.cursor().sql(sql).to_arrow_reader(size)

    def put(self, name: str, rows: Iterable[dict[str, Any]], schema: pa.Schema) -> None:
        """Make a table of Python values."""
        self.put_batches(name, schema, pa.Table.from_pylist(list(rows), schema=schema).to_batches())

    def put_batches(self, name: str, schema: pa.Schema, batches: Iterable[pa.RecordBatch]) -> None:
        """Make a table of Arrow batches."""
        self.arrive(f"CREATE OR REPLACE TABLE {name} AS FROM arriving", schema.empty_table())
        for batch in batches:
            self.arrive(f"INSERT INTO {name} FROM arriving", pa.Table.from_batches([batch], schema))

    def arrive(self, sql: str, arriving: pa.Table | pa.RecordBatchReader) -> None:
        """Execute a statement that reads Arrow rows as ``arriving``."""
        self._connection.register("arriving", arriving)
        self.run(sql)
        self._connection.unregister("arriving")

    def receive(self, observations: Iterable[pa.RecordBatch]) -> None:
        """Take observations in, as table ``raw``; if they break off, with the error that they broke off with."""
        failed: list[BaseException] = []

        def told() -> Iterator[pa.RecordBatch]:
            try:
                yield from observations
            except (Exception, KeyboardInterrupt) as error:
                failed.append(error)
                raise

        try:
            self.arrive("CREATE TABLE raw AS FROM arriving", pa.RecordBatchReader.from_batches(OBSERVATIONS, told()))
        except duckdb.Error:
            # DuckDB makes an error of its own of any in what it reads.
            if failed:
                raise failed[0] from None
            raise


def day_sql(instant: str) -> str:
    """Return SQL for the day (since 1970) of an instant; DuckDB's ``//`` would round days before 1970 up."""
    return f"(({instant} - ({instant} % {DAY_MS} + {DAY_MS}) % {DAY_MS}) // {DAY_MS})"


def view_sql(name: str) -> str:
    """Return SQL by which the name of a kept table stands for it."""
    return f"CREATE OR REPLACE VIEW {quote_name(name)} AS FROM kept.{quote_name(name)}"
