# SPDX-License-Identifier: Apache-2.0

"""What Alembic runs: the revisions, over the connection of ``Database.migrate`` or of the settings."""

import importlib
from pathlib import Path

from alembic import context
from sqlalchemy import Connection
from sqlmodel import SQLModel

from app.db import Database
from app.settings import Settings


def import_tables() -> None:
    """Import every stage's ``tables.py``, so that the metadata is whole."""
    for path in sorted(Path(__file__).parent.parent.glob("*/tables.py")):
        importlib.import_module(f"app.{path.parent.name}.tables")


def run(connection: Connection) -> None:
    """Run the revisions that Alembic was asked for, in the connection's transaction."""
    context.configure(connection=connection, target_metadata=SQLModel.metadata, render_as_batch=True)
    with context.begin_transaction():
        context.run_migrations()


import_tables()
given = context.config.attributes.get("connection")
if given is not None:
    run(given)
else:
    with Database(Settings.load().url).write() as own:
        run(own)
