# SPDX-License-Identifier: Apache-2.0

"""The one place that knows SQLite from PostgreSQL.

In:  a database URL.
Out: connections and sessions in transactions, a lock, a bulk insert, and the schema brought up to date.
No statement about a particular table lives here; those are in each stage's ``repository.py``.
"""

import hashlib
import os
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import adbc_driver_manager
import adbc_driver_postgresql.dbapi
import pyarrow as pa
from psycopg.conninfo import make_conninfo
from sqlalchemy import URL, Connection, Engine, Select, create_engine, event, make_url, text
from sqlalchemy.exc import ArgumentError, DBAPIError, OperationalError
from sqlmodel import Session

from app.errors import UsageError
from app.settings import Settings

__all__ = ["Connection", "DBAPIError", "Database", "Session", "bulk_find", "bulk_insert", "lock"]

_DRIVERS = {
    "sqlite": "sqlite+pysqlite",
    "postgresql": "postgresql+psycopg",
    "postgres": "postgresql+psycopg",
    "postgresql+psycopg": "postgresql+psycopg",
}
_SQLITE_PRAGMAS = (
    # A page of records is one commit, so waiting for the disk costs little; a checkpoint once shown must not be lost.
    "PRAGMA busy_timeout = 60000",
    "PRAGMA journal_mode = WAL",
    "PRAGMA synchronous = FULL",
    "PRAGMA foreign_keys = ON",
    # Without it, REPLACE would delete rows past the triggers that keep the ledger append-only.
    "PRAGMA recursive_triggers = ON",
    "PRAGMA cache_size = -131072",
    "PRAGMA temp_store = MEMORY",
    # 128 MiB: an import touches the same pages of an index again and again, and each is copied once a checkpoint.
    "PRAGMA wal_autocheckpoint = 32768",
)
_WRITES = "proofroom_writes"
BATCH_ROWS = 1_024
"""Rows that are read from SQLite at a time; PostgreSQL's driver counts bytes. A column of a batch ends at 2 GiB."""


class Database:
    """The system of record: SQLite in the data directory, or PostgreSQL.

    Args:
        url: ``sqlite:///path`` or ``postgresql://…``.

    Raises:
        UsageError: the URL names neither.
    """

    def __init__(self, url: str) -> None:
        self._url = _with_driver(url)
        self.is_sqlite = self._url.get_backend_name() == "sqlite"
        self._engine = self._sqlite() if self.is_sqlite else self._postgresql()

    @classmethod
    def open(cls, settings: Settings) -> "Database":
        """Open the database of these settings and bring its schema up to date."""
        database = cls(settings.url)
        database.migrate()
        return database

    @contextmanager
    def session(self, *, writes: bool = True) -> Iterator[Session]:
        """Give an ORM session for configuration tables; what it does not commit is rolled back.

        On SQLite a session that may write takes the write lock with its first statement, so it never fails half way;
        with ``writes=False`` it only reads, and waits for nobody.
        """
        engine = self._engine.execution_options(**{_WRITES: writes})
        with Session(engine, expire_on_commit=False) as session:
            yield session

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """Give a connection for reading."""
        with self._engine.connect() as connection:
            yield connection

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """Give a connection in a transaction for writing, committed at the end, rolled back on an error."""
        with self._engine.execution_options(**{_WRITES: True}).begin() as connection:
            yield connection

    def batches(self, statement: Select[*tuple[Any, ...]], schema: pa.Schema) -> Iterator[pa.RecordBatch]:
        """Yield the rows of a query as Arrow batches of a schema; for millions of rows, and never through ORM objects.

        Raises:
            UsageError: the database cannot be read.
        """
        sql = str(statement.compile(self._engine, compile_kwargs={"literal_binds": True}))
        try:
            yield from self._sqlite_batches(sql, schema) if self.is_sqlite else self._postgresql_batches(sql, schema)
        except (DBAPIError, sqlite3.Error, adbc_driver_manager.Error) as error:
            reason = str(error).strip().splitlines()[0]
            raise UsageError(f"the database cannot be read: {reason}", where=self._place) from error

    def _sqlite_batches(self, sql: str, schema: pa.Schema) -> Iterator[pa.RecordBatch]:
        """Read as the driver does that holds the database open already.

        A reader that brings its own copy of SQLite must not be used: when it closes the file, the system drops the
        locks of the whole process, and other processes write as if nobody else had the database open.
        Source: https://www.sqlite.org/howtocorrupt.html, section 2.2.1.
        """
        with self.read() as connection, closing(connection.exec_driver_sql(sql)) as result:
            cursor: Any = result.cursor
            while rows := cursor.fetchmany(BATCH_ROWS):
                columns = zip(*rows, strict=True)
                arrays = [pa.array(column, field.type) for column, field in zip(columns, schema, strict=True)]
                yield pa.RecordBatch.from_arrays(arrays, schema=schema)

    def _postgresql_batches(self, sql: str, schema: pa.Schema) -> Iterator[pa.RecordBatch]:
        with self.read() as known:
            # What psycopg connected with, and not the URL: libpq reads fewer, and shows the password of one it cannot.
            driver: Any = known.connection.driver_connection
            conninfo = make_conninfo(driver.info.dsn, password=driver.info.password or None)
        with (
            closing(adbc_driver_postgresql.dbapi.connect(conninfo)) as connection,
            closing(connection.cursor()) as cursor,
        ):
            cursor.execute(sql)
            for batch in cursor.fetch_record_batch():
                yield batch.cast(schema)

    def migrate(self) -> None:
        """Create the schema, or bring it up to date. Two processes that start at once do it one after the other.

        Raises:
            UsageError: the database cannot be reached, or a newer Proofroom has written it.
        """
        # Alembic is slow to import, and most of what imports this module does not migrate.
        from alembic import command  # noqa: PLC0415
        from alembic.config import Config  # noqa: PLC0415
        from alembic.util import CommandError  # noqa: PLC0415

        config = Config()
        config.set_main_option("script_location", str(Path(__file__).parent / "migrations").replace("%", "%%"))
        try:
            with self.write() as connection:
                lock(connection, "migrate")
                config.attributes["connection"] = connection
                command.upgrade(config, "head")
        except CommandError as error:
            raise UsageError(
                "the database has a schema that this version does not know",
                where=self._place,
                hint="Use the newer Proofroom that wrote it",
            ) from error
        except OperationalError as error:
            reason = str(error.orig).strip().splitlines()[0]
            raise UsageError(f"the database cannot be used: {reason}", where=self._place) from error

    def close(self) -> None:
        """Close all connections."""
        self._engine.dispose()

    @property
    def _place(self) -> str:
        return self._url.render_as_string(hide_password=True)

    def _sqlite(self) -> Engine:
        if self._url.database and self._url.database != ":memory:":
            _create_private(Path(self._url.database))
        engine = create_engine(self._url)
        event.listen(engine, "connect", _prepare_sqlite)
        event.listen(engine, "begin", _begin_sqlite)
        return engine

    def _postgresql(self) -> Engine:
        return create_engine(self._url, pool_pre_ping=True, connect_args={"application_name": "proofroom"})


def lock(connection: Connection, name: str) -> None:
    """Wait for the lock ``name`` and hold it until the transaction ends.

    On SQLite ``Database.write`` already lets one writer in at a time; PostgreSQL gets an advisory lock.
    """
    if connection.dialect.name == "postgresql":
        number = int.from_bytes(hashlib.sha256(f"proofroom {name}".encode()).digest()[:8], signed=True)
        connection.execute(text("SELECT pg_advisory_xact_lock(:number)"), {"number": number})


def bulk_insert(
    connection: Connection, table: str, columns: Sequence[str], rows: Sequence[Sequence[str | int | bytes | None]]
) -> None:
    """Insert many rows by the driver's fastest way: ``executemany`` on SQLite, ``COPY`` on PostgreSQL.

    Args:
        connection: inside ``Database.write``.
        table: name of the table; like the columns it comes from code, never from input.
        columns: the columns that every row gives, in order.
        rows: the values.
    """
    if not rows:
        return
    names = ", ".join(f'"{column}"' for column in columns)
    if connection.dialect.name == "sqlite":
        marks = ", ".join("?" * len(columns))
        connection.exec_driver_sql(f"INSERT INTO {table} ({names}) VALUES ({marks})", list(map(tuple, rows)))  # noqa: S608
        return
    driver: Any = connection.connection.driver_connection
    with driver.cursor() as cursor, cursor.copy(f"COPY {table} ({names}) FROM STDIN") as copy:
        for row in rows:
            copy.write_row(row)


def bulk_find(connection: Connection, table: str, column: str, values: Sequence[bytes]) -> list[bytes]:
    """Return those of up to some thousand values that a column holds, past SQLAlchemy's care for each of them.

    Args:
        connection: the connection.
        table: name of the table; like the column it comes from code, never from input.
        column: the column.
        values: what to look for.
    """
    if not values:
        return []
    marks = ", ".join(["?" if connection.dialect.name == "sqlite" else "%s"] * len(values))
    found = connection.exec_driver_sql(f'SELECT "{column}" FROM {table} WHERE "{column}" IN ({marks})', tuple(values))  # noqa: S608
    return [bytes(value) for value in found.scalars()]


def _with_driver(url: str) -> URL:
    try:
        parsed = make_url(url)
    except ArgumentError:
        parsed = None
    if parsed is None or parsed.drivername not in _DRIVERS:
        # The URL may hold a password, so the message does not show it.
        raise UsageError("database_url is neither sqlite:///… nor postgresql://…", hint="Leave it out to use SQLite")
    return parsed.set(drivername=_DRIVERS[parsed.drivername])


def _create_private(path: Path) -> None:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    if not path.exists():  # To close a file drops the locks that this process has on it.
        os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))


def _prepare_sqlite(connection: Any, _record: object) -> None:  # noqa: ANN401  The driver has no public type.
    # We begin transactions ourselves: the driver begins only at the first change, and then without the write lock.
    connection.isolation_level = None
    for pragma in _SQLITE_PRAGMAS:
        connection.execute(pragma).close()


def _begin_sqlite(connection: Connection) -> None:
    writes = connection.get_execution_options().get(_WRITES, False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")
