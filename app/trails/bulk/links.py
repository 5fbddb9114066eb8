# SPDX-License-Identifier: Apache-2.0

"""What belongs to what, as tables of two item ids.

In:  folded records and resolved names. Out: a table per relation: ``parent``, ``child``.
The rules are those of ``app.trails.lookup`` and ``app.trails.tickets``: inside one source a bare id is exact, a whole
item id always is, and where a relation allows it, a bare id that exactly one source knows is taken too.
Records are never taken back, so what a record refers to only changes where something is said of it, or where another
record appears that is called as it says.
"""

from collections.abc import Iterator

import pyarrow as pa

from app.trails.bulk.store import Store
from app.trails.bulk.tables import Derived, Tables, listing_new
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


def link(store: Store, tables: Tables) -> None:
    """Make the tables of all relations but that of sessions to grants."""
    for table, child, reference, parent, across in _ATTACHED:
        references = f"""SELECT item_id AS child, source, {reference} AS name FROM {{}}"""
        due, everything = (references.format(records) for records in (f'"{child}" WHERE due(item_id)', f'"{child}"'))
        tables.derive(
            Derived(
                table,
                "child",
                _attach_sql(due, parent, across=across),
                (f"FROM touched_{child}", _naming_new(everything, parent)),
            )
        )
    tables.derive(_GRANT_APPROVAL)
    tables.derive(_ALL_SESSION_REVIEW)
    grants = '"grant" SEMI JOIN touched_grant USING (item_id)' if tables.is_continued else '"grant"'
    store.put_batches("mention", _MENTION, _mentions(store, grants))
    tables.derive(_MENTIONED)
    tables.derive(_NAMED_TICKET)


def _attach_sql(references: str, parent: str, *, across: bool) -> str:
    """Return SQL for children and the one parent that each names; a child may be anything that can be compared."""
    bare = f"""
UNION ALL
SELECT any_value(p.item_id), r.child
FROM (SELECT * FROM reference ANTI JOIN same USING (child) ANTI JOIN whole USING (child)) r
JOIN "{parent}" p ON p.id = r.name
GROUP BY r.child HAVING count(*) = 1"""
    return f"""
WITH reference AS (SELECT * FROM ({references}) WHERE name IS NOT NULL),
same AS (
  SELECT p.item_id AS parent, r.child FROM reference r JOIN "{parent}" p ON p.source = r.source AND p.id = r.name
),
whole AS (
  SELECT p.item_id AS parent, r.child
  FROM (SELECT * FROM reference ANTI JOIN same USING (child)) r JOIN "{parent}" p ON p.item_id = r.name
)
SELECT parent, child FROM same UNION ALL SELECT parent, child FROM whole{bare if across else ""}"""


def _naming_new(references: str, parent: str) -> str:
    return f"SELECT child FROM ({references}) WHERE name IN (FROM new_name_{parent})"


# One approver of several knows only what was put before them, not what came of it: their decision may name the pending
# approval, which names the grant.
_APPROVED = """
SELECT a.item_id AS child, a.source, coalesce(nullif(named.grant_id, ''), a.grant_id) AS name
FROM {} a
LEFT JOIN (SELECT id, arg_max_null(grant_id, item_id) AS grant_id FROM approval GROUP BY id) named
  ON named.id = a.grant_id"""

_GRANT_APPROVAL = Derived(
    "grant_approval",
    "child",
    _attach_sql(_APPROVED.format("(FROM approval WHERE due(item_id))"), "grant", across=False),
    (
        "FROM touched_approval",
        """
SELECT item_id FROM approval
WHERE grant_id IN (SELECT id FROM approval SEMI JOIN touched_approval USING (item_id))""",
        _naming_new(_APPROVED.format("approval"), "grant"),
    ),
)

# The review of one command is shown with the session of that command too, once.
_ALL_SESSION_REVIEW = Derived(
    "all_session_review",
    "child",
    """
SELECT parent, child, min(place) AS place FROM (
  SELECT parent, child, 0 AS place FROM session_review WHERE due(child)
  UNION ALL
  SELECT sc.parent, er.child, 1 FROM (FROM event_review WHERE due(child)) er
  JOIN session_child sc ON sc.child = er.parent
) GROUP BY ALL""",
    (
        "SELECT child FROM diff_session_review",
        "SELECT child FROM diff_event_review",
        "SELECT child FROM event_review WHERE parent IN (SELECT child FROM diff_session_child)",
    ),
)

_MENTION = pa.schema([pa.field("purpose", pa.string()), pa.field("name", pa.string())])
_BATCH = 2_048

_MENTIONED = Derived(
    "mentioned",
    "item_id",
    'SELECT g.item_id, m.name FROM (FROM "grant" WHERE due(item_id)) g JOIN mention m ON m.purpose = g.purpose',
    ("FROM touched_grant",),
)

# The tickets of each session and grant, by a key it states or that its purpose mentions.
_NAMED_TICKET = Derived(
    "named_ticket",
    "item_id",
    """
SELECT child.c AS item_id, parent AS ticket, min(child.w) AS weakness FROM keyed_ticket GROUP BY ALL""",
    (
        "FROM touched_session",
        "FROM touched_grant",
        listing_new("session", "ticket_keys", "ticket"),
        listing_new("grant", "ticket_keys", "ticket"),
        "SELECT item_id FROM mentioned WHERE name IN (FROM new_name_ticket)",
    ),
    (
        (
            "ticket_key",
            """
SELECT item_id AS child, source, unnest(list_distinct(ticket_keys)) AS name, 0 AS weakness FROM session
WHERE due(item_id)
UNION ALL
SELECT item_id, source, unnest(list_distinct(ticket_keys)), 0 FROM "grant" WHERE due(item_id)
UNION ALL
SELECT m.item_id, g.source, m.name, 1 FROM mentioned m JOIN (FROM "grant" WHERE due(item_id)) g USING (item_id)
WHERE NOT coalesce(list_contains(g.ticket_keys, m.name), false)""",
        ),
        (
            "keyed_ticket",
            _attach_sql(
                "SELECT struct_pack(c := child, n := name, w := weakness) AS child, source, name FROM ticket_key",
                "ticket",
                across=True,
            ),
        ),
    ),
)


def _mentions(store: Store, grants: str) -> Iterator[pa.RecordBatch]:
    """Yield the keys in the purposes of grants; only texts that may hold one are looked at."""
    maybe = f"SELECT DISTINCT purpose FROM {grants} WHERE regexp_matches(purpose, '[A-Z][A-Z0-9]+-[0-9]')"
    for batch in store.batches(maybe, _BATCH):
        found = [
            {"purpose": purpose, "name": key} for purpose in batch.column(0).to_pylist() for key in keys_in(purpose)
        ]
        yield pa.RecordBatch.from_pylist(found, schema=_MENTION)
