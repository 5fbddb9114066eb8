# SPDX-License-Identifier: Apache-2.0

"""What belongs to what, as tables of two item ids.

In:  folded records and resolved names. Out: a table per relation: ``parent``, ``child``.
The rules are those of ``app.trails.lookup`` and ``app.trails.tickets``: inside one source a bare id is exact, a whole
item id always is, and where a relation allows it, a bare id that exactly one source knows is taken too.
"""

from collections.abc import Iterator
from typing import Any

import pyarrow as pa

from app.trails.bulk.store import Store
from app.trails.tickets import keys_in

_ATTACHED = (
    # table, child, column that names the parent, parent, across sources
    ("session_approval", "approval", "session_id", "session", False),
    ("session_recording", "recording", "session_id", "session", False),
    ("session_child", "session_event", "session_id", "session", False),
    ("session_review", "review", "session_id", "session", True),
    ("grant_review", "review", "grant_id", "grant", True),
    ("session_alert", "alert", "CASE about_type WHEN 'session' THEN about_id END", "session", True),
    ("access_event_alert", "alert", "CASE about_type WHEN 'access_event' THEN about_id END", "access_event", True),
    ("event_alert", "alert", "CASE about_type WHEN 'session_event' THEN about_id END", "session_event", True),
    ("event_review", "review", "event_id", "session_event", True),
    ("event_ticket", "ticket", "event_id", "session_event", True),
    ("raised_ticket", "ticket", "CASE WHEN event_id IS NULL THEN session_id END", "session", True),
)


def link(store: Store) -> None:
    """Make the tables of all relations but that of sessions to grants."""
    for table, child, reference, parent, across in _ATTACHED:
        references = f'SELECT item_id AS child, source, {reference} AS name FROM "{child}"'
        store.run(_attach_sql(table, references, parent, across=across))
    store.run(_attach_sql("grant_approval", _APPROVED, "grant", across=False))
    # The review of one command is shown with the session of that command too, once.
    store.run("""
CREATE TABLE all_session_review AS
SELECT parent, child, min(place) AS place FROM (
  SELECT parent, child, 0 AS place FROM session_review
  UNION ALL
  SELECT sc.parent, er.child, 1 FROM event_review er JOIN session_child sc ON sc.child = er.parent
) GROUP BY ALL""")
    _name_tickets(store)


# One approver of several knows only what was put before them, not what came of it: their decision may name the pending
# approval, which names the grant.
_APPROVED = """
SELECT a.item_id AS child, a.source, coalesce(nullif(named.grant_id, ''), a.grant_id) AS name
FROM approval a
LEFT JOIN (SELECT id, arg_max_null(grant_id, item_id) AS grant_id FROM approval GROUP BY id) named
  ON named.id = a.grant_id"""


def _attach_sql(table: str, references: str, parent: str, *, across: bool) -> str:
    """Return SQL for a table of children and the one parent that each names."""
    bare = f"""
UNION ALL
SELECT any_value(p.item_id), r.child
FROM (SELECT * FROM reference ANTI JOIN same USING (child) ANTI JOIN whole USING (child)) r
JOIN "{parent}" p ON p.id = r.name
GROUP BY r.child HAVING count(*) = 1"""
    return f"""
CREATE TABLE {table} AS
WITH reference AS (SELECT * FROM ({references}) WHERE name IS NOT NULL),
same AS (
  SELECT p.item_id AS parent, r.child FROM reference r JOIN "{parent}" p ON p.source = r.source AND p.id = r.name
),
whole AS (
  SELECT p.item_id AS parent, r.child
  FROM (SELECT * FROM reference ANTI JOIN same USING (child)) r JOIN "{parent}" p ON p.item_id = r.name
)
SELECT parent, child FROM same UNION ALL SELECT parent, child FROM whole{bare if across else ""}"""


def _name_tickets(store: Store) -> None:
    """Make ``named_ticket``: the tickets of each session and grant, by a key it states or that its purpose mentions."""
    store.put_batches("mentioned", _MENTIONED, _mentioned(store))
    store.run("""
CREATE TABLE ticket_key AS
SELECT item_id AS child, source, unnest(list_distinct(ticket_keys)) AS name, 0 AS weakness FROM session
UNION ALL
SELECT item_id, source, unnest(list_distinct(ticket_keys)), 0 FROM "grant"
UNION ALL
SELECT m.item_id, g.source, m.name, 1 FROM mentioned m JOIN "grant" g USING (item_id)
WHERE NOT coalesce(list_contains(g.ticket_keys, m.name), false)""")
    keyed = "SELECT struct_pack(c := child, n := name, w := weakness) AS child, source, name FROM ticket_key"
    store.run(_attach_sql("keyed_ticket", keyed, "ticket", across=True))
    store.run("""
CREATE TABLE named_ticket AS
SELECT child.c AS item_id, parent AS ticket, min(child.w) AS weakness FROM keyed_ticket GROUP BY ALL""")


_MENTIONED = pa.schema([pa.field("item_id", pa.string()), pa.field("name", pa.string())])
_BATCH = 2_048


def _mentioned(store: Store) -> Iterator[pa.RecordBatch]:
    """Yield the keys in the purposes of grants; only texts that may hold one are looked at."""
    maybe = """SELECT item_id, purpose FROM "grant" WHERE regexp_matches(purpose, '[A-Z][A-Z0-9]+-[0-9]')"""
    for batch in store.batches(maybe, _BATCH):
        found: list[dict[str, Any]] = [
            {"item_id": item_id, "name": key}
            for item_id, purpose in zip(*(column.to_pylist() for column in batch.columns), strict=True)
            for key in keys_in(purpose)
        ]
        yield pa.RecordBatch.from_pylist(found, schema=_MENTIONED)
