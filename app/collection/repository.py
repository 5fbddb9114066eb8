# SPDX-License-Identifier: Apache-2.0

"""All SQL of collection."""

from collections.abc import Collection, Iterator, Sequence
from typing import Any

import pyarrow as pa
from sqlalchemy import delete, func, tuple_
from sqlalchemy import select as select_any
from sqlmodel import col, select

from app.collection.tables import CollectionRunRow, ObservationRow
from app.db import Connection, Database, bulk_insert
from app.records.columns import OBSERVATIONS

CHUNK = 20_000
"""Ledger entries whose observations are read by one query."""

RunValues = tuple[int, str, str, str, int, str]
"""ledger index, id, source, connector, started at, body"""

ObservationValues = tuple[int, int, str, str, str, int, str]
"""ledger index, ordinal, source, record type, record id, observed at, body"""

Stored = tuple[str, int, int, str]
"""source, ledger index, observed at, body"""

_CHOSEN = select(ObservationRow.source, ObservationRow.ledger_index, ObservationRow.observed_at, ObservationRow.body)
_MAX_INDICES = 4_000


def insert_observations(connection: Connection, rows: Sequence[ObservationValues]) -> None:
    """Store observations."""
    columns = ("ledger_index", "ordinal", "source", "record_type", "record_id", "observed_at", "body")
    bulk_insert(connection, "observation", columns, rows)


def insert_run(connection: Connection, row: RunValues) -> None:
    """Store one run's completeness box."""
    columns = ("ledger_index", "id", "source", "connector", "started_at", "body")
    bulk_insert(connection, "collection_run", columns, [row])


def has_run(connection: Connection, run_id: str) -> bool:
    """Tell whether a run of this id is stored."""
    found = connection.execute(select(CollectionRunRow.id).where(CollectionRunRow.id == run_id))
    return found.first() is not None


def read_runs(connection: Connection) -> list[str]:
    """Return the bodies of all runs, in the order of the ledger."""
    rows = connection.execute(select(CollectionRunRow.body).order_by(col(CollectionRunRow.ledger_index)))
    return list(rows.scalars())


def read_observations(connection: Connection, record_types: Collection[str] | None) -> Iterator[Stored]:
    """Yield observations in the order of the ledger, in bounded memory; only of these record types if given."""
    chosen = _CHOSEN.order_by(col(ObservationRow.ledger_index), col(ObservationRow.ordinal))
    if record_types is not None:
        chosen = chosen.where(col(ObservationRow.record_type).in_(record_types))
    last = connection.execute(select(func.max(ObservationRow.ledger_index))).scalar_one_or_none()
    for first in range(0, -1 if last is None else last + 1, CHUNK):
        rows = connection.execute(
            chosen.where(ObservationRow.ledger_index >= first, ObservationRow.ledger_index < first + CHUNK)
        )
        yield from (_stored(row) for row in rows)


def read_batches(database: Database, since: int) -> Iterator[pa.RecordBatch]:
    """Yield the observations by entries from an index on, in no order, as batches of ``OBSERVATIONS``."""
    chosen = select_any(  # SQLModel's own select is typed for four columns at most.
        col(ObservationRow.record_type),
        col(ObservationRow.source),
        col(ObservationRow.ledger_index),
        col(ObservationRow.observed_at),
        col(ObservationRow.record_id),
        col(ObservationRow.body),
    )
    yield from database.batches(chosen.where(col(ObservationRow.ledger_index) >= since), OBSERVATIONS)


def read_versions(connection: Connection, source: str, record_type: str, record_id: str) -> list[Stored]:
    """Return all observations of one record, oldest first."""
    rows = connection.execute(
        _CHOSEN.where(
            ObservationRow.record_type == record_type,
            ObservationRow.record_id == record_id,
            ObservationRow.source == source,
        ).order_by(col(ObservationRow.observed_at), col(ObservationRow.ledger_index), col(ObservationRow.ordinal))
    )
    return [_stored(row) for row in rows]


def read_observations_at(connection: Connection, indices: Sequence[int]) -> Iterator[Stored]:
    """Yield the observations of these ledger entries, in the order of the ledger."""
    for start in range(0, len(indices), _MAX_INDICES):
        chunk = indices[start : start + _MAX_INDICES]
        rows = connection.execute(
            _CHOSEN.where(col(ObservationRow.ledger_index).in_(chunk)).order_by(
                col(ObservationRow.ledger_index), col(ObservationRow.ordinal)
            )
        )
        yield from (_stored(row) for row in rows)


def read_page(
    connection: Connection, record_types: Collection[str] | None, after: tuple[int, int], limit: int
) -> list[tuple[tuple[int, int], Stored]]:
    """Return up to ``limit`` observations after a place (ledger index, ordinal), each with its own place."""
    place = tuple_(col(ObservationRow.ledger_index), col(ObservationRow.ordinal))
    chosen = (
        select_any(  # SQLModel's own select is typed for four columns at most.
            col(ObservationRow.ordinal),
            col(ObservationRow.source),
            col(ObservationRow.ledger_index),
            col(ObservationRow.observed_at),
            col(ObservationRow.body),
        )
        .where(place > tuple_(*after))
        .order_by(col(ObservationRow.ledger_index), col(ObservationRow.ordinal))
        .limit(limit)
    )
    if record_types is not None:
        chosen = chosen.where(col(ObservationRow.record_type).in_(record_types))
    return [((row[2], row[0]), _stored(row[1:])) for row in connection.execute(chosen)]


def clear(connection: Connection) -> None:
    """Remove everything derived; the ledger stays."""
    connection.execute(delete(ObservationRow))
    connection.execute(delete(CollectionRunRow))


def _stored(row: Sequence[Any]) -> Stored:
    source, ledger_index, observed_at, body = row
    return source, ledger_index, observed_at, body
