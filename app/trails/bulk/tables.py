# SPDX-License-Identifier: Apache-2.0

"""Tables that a later freeze goes on from: made once, and then made again only for the keys that may have changed.

In:  folded records, what names mean, and how each table is made of others. Out: the tables, in a file that is kept; and
of each, where an earlier freeze is continued, ``diff_<name>``: the lines that came or went.
A table says by which keys its lines are made, and by which queries those keys are found whose lines may be others now.
Too many keys may be found, never too few: then the tables are those that everything from the beginning would give.
"""

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import pyarrow as pa

from app.records.columns import OBSERVATIONS
from app.records.model import RecordType
from app.trails.bulk.folding import fold_sql
from app.trails.bulk.model import ToldAt
from app.trails.bulk.store import Store


class Derived(NamedTuple):
    """How a table is made of others.

    Attributes:
        name: what it is called.
        key: the column by whose values its lines are made again, all or none of a value.
        select: the query for the lines of the keys that are ``due``, a macro that is always true in a first freeze.
        changed: queries for the keys whose lines may be others than before.
        parts: tables that the query reads and nobody else: name and query.
    """

    name: str
    key: str
    select: str
    changed: Sequence[str]
    parts: Sequence[tuple[str, str]] = ()


class Tables:
    """The tables of one freeze.

    Args:
        store: has the file that is kept.
        is_continued: that file is of an earlier freeze of the same period, and is brought up to date.
    """

    def __init__(self, store: Store, *, is_continued: bool) -> None:
        self._store = store
        self.is_continued = is_continued
        store.run("CREATE TABLE todo (key VARCHAR)")
        store.run(f"CREATE MACRO due(item) AS {'item IN (FROM todo)' if is_continued else 'true'}")

    def fold(self, kind: RecordType, told_at: ToldAt) -> None:
        """Make the table of a record type out of what was received of it.

        Continued, ``touched_<kind>`` has the records of which something was said since, ``new_name_<kind>`` what those
        may be called that nobody knew before.

        Args:
            kind: the record type.
            told_at: gives what the entries at some ledger indices say.
        """
        store = self._store
        twice = f"SELECT source, record_id FROM raw WHERE record_type = '{kind}' GROUP BY ALL HAVING count(*) > 1"
        if not self.is_continued:
            store.run(f"CREATE OR REPLACE TABLE twice AS {twice}")
            store.keep(kind, fold_sql(kind))
            return
        item = f"source || '/{kind}/' || record_id"
        store.run(
            f"CREATE TABLE touched_{kind} AS SELECT DISTINCT {item} AS item_id FROM raw WHERE record_type = '{kind}'"
        )
        before = store.rows(f'SELECT DISTINCT unnest(ledger) FROM "{kind}" SEMI JOIN touched_{kind} USING (item_id)')
        for batch in told_at([index for (index,) in before]):
            again = f"FROM arriving WHERE record_type = '{kind}' AND {item} IN (FROM touched_{kind})"
            store.arrive(f"INSERT INTO raw {again}", pa.Table.from_batches([batch], OBSERVATIONS))
        store.run(f"CREATE OR REPLACE TABLE twice AS {twice}")
        store.run(f"CREATE OR REPLACE TABLE fresh AS {fold_sql(kind)}")
        new = f'(FROM fresh ANTI JOIN "{kind}" USING (item_id))'
        store.run(f"CREATE TABLE new_name_{kind} AS SELECT id AS name FROM {new} UNION SELECT item_id FROM {new}")
        store.run(f'DELETE FROM kept."{kind}" WHERE item_id IN (FROM touched_{kind})')
        store.run(f'INSERT INTO kept."{kind}" BY NAME FROM fresh')

    def put(self, name: str, rows: Iterable[dict[str, Any]], schema: pa.Schema) -> None:
        """Make a table of Python values; it must be small, for it is always made whole."""
        self._store.put("fresh", rows, schema)
        if self.is_continued:
            self._tell_difference(name, f"FROM {name}")
        self._store.keep(name, "FROM fresh")

    def derive(self, table: Derived) -> None:
        """Make a table, or what may have changed of it."""
        store, name = self._store, table.name
        if self.is_continued:
            store.run(f"CREATE OR REPLACE TABLE todo AS {_union(table.changed)}")
        for part, select in table.parts:
            store.run(f"CREATE OR REPLACE TABLE {part} AS {select}")
        if self.is_continued:
            store.run(f"CREATE OR REPLACE TABLE fresh AS {table.select}")
            self._tell_difference(name, f"FROM {name} WHERE due({table.key})")
            changed = f"{table.key} IN (SELECT {table.key} FROM diff_{name})"
            store.run(f"DELETE FROM kept.{name} WHERE {changed}")
            store.run(f"INSERT INTO kept.{name} BY NAME FROM fresh WHERE {changed}")
        else:
            store.keep(name, table.select)
        for part, _ in table.parts:
            store.run(f"DROP TABLE {part}")

    def note(self, name: str, queries: Iterable[str]) -> None:
        """Continued, make a table of the keys that some queries find, for others to begin from."""
        if self.is_continued:
            self._store.run(f"CREATE TABLE {name} AS {_union(queries)}")

    def _tell_difference(self, name: str, before: str) -> None:
        both = f"SELECT *, 1 AS balance FROM fresh UNION ALL BY NAME SELECT *, -1 AS balance FROM ({before})"
        uneven = f"SELECT * EXCLUDE (balance) FROM ({both}) GROUP BY ALL HAVING sum(balance) <> 0"
        self._store.run(f"CREATE TABLE diff_{name} AS {uneven}")


def listing_new(kind: str, field: str, named: str) -> str:
    """Return SQL for the records whose list names a record that nobody knew before."""
    names = f'SELECT item_id, unnest({field}) AS name FROM "{kind}"'
    return f"SELECT item_id FROM ({names}) WHERE name IN (FROM new_name_{named})"


def _union(queries: Iterable[str]) -> str:
    return f"SELECT DISTINCT key FROM ({' UNION ALL '.join(f'SELECT * FROM ({query}) q(key)' for query in queries)})"
