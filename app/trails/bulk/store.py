# SPDX-License-Identifier: Apache-2.0

"""Folded records as tables of DuckDB, on disk, in bounded memory.

In:  observations as Arrow batches. Out: one table per record type: ``item_id``, ``source``, ``id``, its fields,
``ledger`` (ascending) and ``first_at``.
The rules of folding are those of ``app.records.folding``: later words win field by field, and nothing depends on order.
"""

import logging
import re
import types
import typing
from collections.abc import Callable, Collection, Iterable, Iterator
from pathlib import Path

import duckdb
import msgspec
import pyarrow as pa

from app.cel.sqltext import quote_text
from app.records.columns import OBSERVATIONS
from app.records.model import RECORD_CLASSES, RecordType

GROWING = (
    RecordType.SESSION,
    RecordType.SESSION_EVENT,
    RecordType.GRANT,
    RecordType.APPROVAL,
    RecordType.RECORDING,
    RecordType.TICKET,
    RecordType.REVIEW,
    RecordType.ALERT,
    RecordType.ACCESS_EVENT,
)
"""Record types that grow with use; all others are inventory, and are linked by ``app.trails.linking``."""
DAY_MS = 86_400_000
THREADS = 2
_WRITTEN = re.compile(r'\b(CREATE TABLE|CREATE OR REPLACE TABLE|INSERT INTO) "?(\w+)"?')
_LOG = logging.getLogger(__name__)
_JSON_TYPES: dict[object, str] = {str: "VARCHAR", int: "BIGINT", float: "DOUBLE", bool: "BOOLEAN"}


class Store:
    """A scratch database for one freeze.

    Args:
        folder: an empty folder that may be deleted afterwards.
        memory_limit: as DuckDB spells it, such as ``1GB``; what does not fit is spilled into the folder.
        keeps: names of the tables that a later freeze needs; they are made in a file of their own.
        earlier: the file of an earlier freeze, if there is one; it is read as schema ``old``, and never written.

    Attributes:
        has_earlier: there is such a file, and it can be read.
        kept: the file for a later freeze.
    """

    def __init__(
        self, folder: Path, memory_limit: str, keeps: Collection[str] = (), earlier: Path | None = None
    ) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._keeps = frozenset(keeps)
        self.kept = folder / "kept.duckdb"
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
            },
        )
        self._connection.execute(f"ATTACH {quote_text(str(self.kept))} AS kept")
        self.has_earlier = earlier is not None and self._attach(earlier)
        self._connection.execute("SET enable_external_access = false")
        self._connection.execute("SET lock_configuration = true")

    def _attach(self, earlier: Path) -> bool:
        if not earlier.is_file():
            return False
        try:
            self._connection.execute(f"ATTACH {quote_text(str(earlier))} AS old (READ_ONLY)")
        except duckdb.Error:
            _LOG.warning("what is kept of an earlier freeze cannot be read; everything is linked anew")
            return False
        return True

    def close(self) -> None:
        """Let go of the files."""
        self._connection.close()

    def run(self, sql: str) -> None:
        """Execute a statement. A table that is kept is made in its file, and a view stands for it here."""
        made = [name for verb, name in _WRITTEN.findall(sql) if name in self._keeps and verb != "INSERT INTO"]
        self._connection.execute(_WRITTEN.sub(self._home, sql))
        for name in made:
            self._connection.execute(f'CREATE OR REPLACE VIEW "{name}" AS FROM kept."{name}"')

    def _home(self, written: re.Match[str]) -> str:
        verb, name = written.groups()
        return f'{verb} kept."{name}"' if name in self._keeps else written.group()

    def rows(self, sql: str) -> list[tuple[typing.Any, ...]]:
        """Return all rows of a query; for small answers only."""
        return self._connection.execute(sql).fetchall()

    def batches(self, sql: str, size: int) -> pa.RecordBatchReader:
        """Return the rows of a query as Arrow batches of about this size."""
        # A cursor of its own: what is written meanwhile must not end the reading.
        return self._connection.cursor().sql(sql).to_arrow_reader(size)

    def put(self, name: str, rows: Iterable[dict[str, typing.Any]], schema: pa.Schema) -> None:
        """Make a table of Python values."""
        self.put_batches(name, schema, pa.Table.from_pylist(list(rows), schema=schema).to_batches())

    def put_batches(self, name: str, schema: pa.Schema, batches: Iterable[pa.RecordBatch]) -> None:
        """Make a table of Arrow batches."""
        self._arrive(f"CREATE OR REPLACE TABLE {name} AS FROM arriving", schema.empty_table())
        for batch in batches:
            self._arrive(f"INSERT INTO {name} FROM arriving", pa.Table.from_batches([batch], schema))

    def _arrive(self, sql: str, arriving: pa.Table | pa.RecordBatchReader) -> None:
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
            self._arrive("CREATE TABLE raw AS FROM arriving", pa.RecordBatchReader.from_batches(OBSERVATIONS, told()))
        except duckdb.Error:
            # DuckDB makes an error of its own of any in what it reads.
            if failed:
                raise failed[0] from None
            raise

    def fold(self, kind: RecordType) -> None:
        """Make the table of one record type out of what was received of it."""
        said = f"SELECT source, record_id FROM raw WHERE record_type = '{kind}'"
        self.run(f"CREATE OR REPLACE TABLE twice AS {said} GROUP BY ALL HAVING count(*) > 1")
        self.run(_fold_sql(kind))

    def fold_more(self, kind: RecordType, told_at: Callable[[list[int]], Iterable[pa.RecordBatch]]) -> None:
        """Make the table of one record type out of that of the earlier freeze and what was received since.

        ``touched_<kind>`` gets the records of which something was said since.

        Args:
            kind: the record type.
            told_at: gives what the entries at some ledger indices say.
        """
        item = f"source || '/{kind}/' || record_id"
        told = f"SELECT DISTINCT {item} AS item_id FROM raw WHERE record_type = '{kind}'"
        self.run(f"CREATE TABLE touched_{kind} AS {told}")
        before = self.rows(f'SELECT DISTINCT unnest(ledger) FROM old."{kind}" SEMI JOIN touched_{kind} USING (item_id)')
        for batch in told_at([index for (index,) in before]):
            again = f"FROM arriving WHERE record_type = '{kind}' AND {item} IN (FROM touched_{kind})"
            self._arrive(f"INSERT INTO raw {again}", pa.Table.from_batches([batch], OBSERVATIONS))
        self.fold(kind)
        self.run(f'INSERT INTO "{kind}" BY NAME FROM old."{kind}" ANTI JOIN touched_{kind} USING (item_id)')


def day_sql(instant: str) -> str:
    """Return SQL for the day (since 1970) of an instant; DuckDB's ``//`` would round days before 1970 up."""
    return f"(({instant} - ({instant} % {DAY_MS} + {DAY_MS}) % {DAY_MS}) // {DAY_MS})"


def columns_of(kind: RecordType) -> dict[str, str]:
    """Return the fields of a record type, but its id, with their SQL types.

    Raises:
        TypeError: a field has a type or a default that folding in SQL does not know.
    """
    record = RECORD_CLASSES[kind]
    hints = typing.get_type_hints(record)
    fields = [field for field in msgspec.structs.fields(record) if field.name != "id"]
    if any(field.default is not None for field in fields):
        raise TypeError(f"a field of {kind} is silent by another word than None")
    return {field.name: _sql_type(hints[field.name]) for field in fields}


def _sql_type(hint: object) -> str:
    if typing.get_origin(hint) in (typing.Union, types.UnionType):
        (hint,) = (each for each in typing.get_args(hint) if each is not types.NoneType)
    if typing.get_origin(hint) is tuple:
        return f"{_sql_type(typing.get_args(hint)[0])}[]"
    if typing.get_origin(hint) is typing.Literal:
        return "VARCHAR"
    return _JSON_TYPES[hint]


def _fold_sql(kind: RecordType) -> str:
    columns = columns_of(kind)
    shape = msgspec.json.encode({name: _json_shape(sql_type) for name, sql_type in columns.items()}).decode()
    said = f"from_json(body, '{shape}') AS said"
    once = ", ".join(f'said."{name}"::{sql_type} AS "{name}"' for name, sql_type in columns.items())
    last = ", ".join(
        f'(arg_max(said."{name}", place) FILTER (WHERE said."{name}" IS NOT NULL))::{sql_type} AS "{name}"'
        for name, sql_type in columns.items()
    )
    return f"""
CREATE OR REPLACE TABLE "{kind}" AS
SELECT source || '/{kind}/' || record_id AS item_id, source, record_id AS id, {once},
  [ledger_index] AS ledger, observed_at AS first_at
FROM (SELECT raw.*, {said} FROM raw ANTI JOIN twice USING (source, record_id) WHERE record_type = '{kind}')
UNION ALL
SELECT source || '/{kind}/' || record_id, source, record_id, {last},
  list_sort(list_distinct(list(ledger_index))), min(observed_at)
FROM (
  SELECT raw.*, {said}, row_number() OVER (PARTITION BY source, record_id ORDER BY observed_at, body) AS place
  FROM raw SEMI JOIN twice USING (source, record_id) WHERE record_type = '{kind}'
)
GROUP BY source, record_id"""


def _json_shape(sql_type: str) -> object:
    """Return how JSON is read: whole numbers so wide that one beyond 64 bits is an error later, and never a gap."""
    if sql_type == "BIGINT":
        return "HUGEINT"
    return [sql_type[:-2]] if sql_type.endswith("[]") else sql_type
