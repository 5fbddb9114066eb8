# SPDX-License-Identifier: Apache-2.0

"""The database: the same schema and the same promises on SQLite and on PostgreSQL."""

import stat
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import URL, literal, make_url, text
from sqlmodel import SQLModel, select

from app.connectors.base import MAX_RECORD_BYTES
from app.db import BATCH_ROWS, Database, bulk_insert, lock
from app.errors import UsageError
from app.ledger.tables import LedgerNodeRow
from app.settings import Settings
from tests.database import import_all_tables


def test_models_and_migrations_agree(database: Database) -> None:
    import_all_tables()
    with database.read() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, SQLModel.metadata) == []


def test_migrating_twice_changes_nothing(empty_url: str) -> None:
    database = Database(empty_url)
    database.migrate()
    database.migrate()
    with database.read() as connection:
        assert connection.execute(text("SELECT count(*) FROM ledger_entry")).scalar_one() == 0
    database.close()


def test_writers_go_one_after_the_other(database: Database) -> None:
    problems: list[BaseException] = []

    def write() -> None:
        try:
            with database.write() as connection:
                lock(connection, "ledger")
                bulk_insert(connection, "ledger_node", ["position", "hash"], [(_next(connection), b"x")])
        except BaseException as error:  # noqa: BLE001  A thread's failure must reach the test.
            problems.append(error)

    threads = [threading.Thread(target=write) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with database.read() as connection:
        positions = connection.execute(text("SELECT position FROM ledger_node ORDER BY position")).scalars().all()
    assert problems == []
    assert positions == [0, 1, 2, 3, 4, 5]


def _next(connection: object) -> int:
    return int(connection.execute(text("SELECT count(*) FROM ledger_node")).scalar_one())  # type: ignore[attr-defined]


def test_a_schema_from_the_future_is_refused(database: Database) -> None:
    with database.write() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(UsageError, match="newer Proofroom"):
        database.migrate()


@pytest.mark.parametrize(
    "value",
    ["", "'; DROP TABLE ledger_raw; --", "tab\tnewline\nreturn\rbackslash\\N \\. \\\\", "日本 🔑 \u202e", '{"a":1}'],
)
def test_bulk_insert_keeps_every_text_as_it_is(database: Database, value: str) -> None:
    with database.write() as connection:
        bulk_insert(
            connection,
            "ledger_checkpoint",
            ["size", "root_hash", "note"],
            [(1, b"\x00\xff\\", value), (2**53, b"", value)],
        )
    with database.read() as connection:
        rows = connection.execute(text("SELECT size, root_hash, note FROM ledger_checkpoint ORDER BY size")).all()
    assert [(size, bytes(root), note) for size, root, note in rows] == [(1, b"\x00\xff\\", value), (2**53, b"", value)]


def test_a_failed_transaction_leaves_nothing(database: Database) -> None:
    def attempt() -> None:
        with database.write() as connection:
            bulk_insert(connection, "ledger_node", ["position", "hash"], [(0, b"x")])
            raise LookupError

    with pytest.raises(LookupError):
        attempt()
    with database.read() as connection:
        assert _next(connection) == 0


def test_a_session_keeps_only_what_it_commits(database: Database) -> None:
    with database.session() as session:
        session.add(LedgerNodeRow(position=0, hash=b"kept"))
        session.commit()
        session.add(LedgerNodeRow(position=1, hash=b"lost"))
    with database.session(writes=False) as session:
        assert [bytes(row.hash) for row in session.exec(select(LedgerNodeRow))] == [b"kept"]


def test_reading_waits_for_no_writer(database: Database) -> None:
    with database.write() as writer:
        bulk_insert(writer, "ledger_node", ["position", "hash"], [(0, b"x")])
        with database.read() as reader:
            assert _next(reader) == 0
        with database.session(writes=False) as session:
            assert session.exec(select(LedgerNodeRow)).all() == []


@pytest.mark.parametrize("url", ["mysql://user:hunter2@host/db", "hunter2", "", "sqlite+aiosqlite:///x"])
def test_another_kind_of_database_is_refused_without_showing_the_url(url: str) -> None:
    with pytest.raises(UsageError) as caught:
        Database(url)
    assert "hunter2" not in str(caught.value)


def test_a_database_that_cannot_be_reached_is_named_without_its_password(tmp_path: Path) -> None:
    database = Database(f"postgresql://ana:hunter2@/proofroom?host={tmp_path}")
    with pytest.raises(UsageError, match="cannot be used") as caught:
        database.migrate()
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize("password", ["two words", "per%cent", "a@b:/c?d#e", "it's"])
def test_batches_are_read_whatever_the_password_is_made_of(postgresql: Callable[[str], str], password: str) -> None:
    url = make_url(postgresql("postgres")).set(password=password)
    database = Database(url.render_as_string(hide_password=False))
    schema = pa.schema([pa.field("one", pa.int64())])
    batches = database.batches(select(literal(1).label("one")), schema)
    assert pa.Table.from_batches(batches, schema).column(0).to_pylist() == [1]
    database.close()


@pytest.mark.parametrize("name", ["two words", "per%20cent", "a?mode=memory", "a#b", "é", "it's"])
def test_batches_are_read_wherever_the_file_is(sqlite_template: Path, tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    path.write_bytes(sqlite_template.read_bytes())
    database = Database(URL.create("sqlite", database=str(path)).render_as_string())
    with database.write() as connection:
        bulk_insert(connection, "ledger_node", ["position", "hash"], [(7, b"x")])
    schema = pa.schema([pa.field("position", pa.int64())])
    batches = database.batches(select(LedgerNodeRow.position), schema)
    assert pa.Table.from_batches(batches, schema).column(0).to_pylist() == [7]
    database.close()


def test_reading_batches_drops_no_lock_of_this_process(tmp_path: Path) -> None:
    """Whoever closes a file drops the locks that its process has on it, whoever took them."""
    path = tmp_path / "proofroom.db"
    database = Database(f"sqlite:///{path}")
    database.migrate()
    other = "import sqlite3, sys; sqlite3.connect(sys.argv[1], timeout=0.1).execute('BEGIN IMMEDIATE')"

    def other_process_writes() -> bool:
        return (
            subprocess.run([sys.executable, "-c", other, str(path)], capture_output=True, check=False).returncode == 0
        )

    schema = pa.schema([pa.field("position", pa.int64())])
    with database.write():
        assert not other_process_writes()
        assert sum(batch.num_rows for batch in database.batches(select(LedgerNodeRow.position), schema)) == 0
        assert not other_process_writes()
        Database(f"sqlite:///{path}").close()
        assert not other_process_writes()
    assert other_process_writes()
    database.close()


def test_a_batch_holds_the_largest_records() -> None:
    assert BATCH_ROWS * MAX_RECORD_BYTES <= 2**30, "half of what an Arrow array of texts can hold"


def test_the_sqlite_file_is_private(tmp_path: Path) -> None:
    database = Database.open(Settings.load(tmp_path / "data"))
    database.close()
    assert stat.S_IMODE((tmp_path / "data" / "proofroom.db").stat().st_mode) == 0o600
    assert stat.S_IMODE((tmp_path / "data").stat().st_mode) == 0o700


def test_each_database_of_a_test_is_its_own(new_database: Callable[[], Database]) -> None:
    one, other = new_database(), new_database()
    with one.write() as connection:
        bulk_insert(connection, "ledger_node", ["position", "hash"], [(0, b"x")])
    with other.read() as connection:
        assert _next(connection) == 0
