# SPDX-License-Identifier: Apache-2.0

"""Which records and which days an earlier freeze of the same period no longer tells rightly.

In:  the tables of a freeze that is continued: ``touched_<kind>``, and ``diff_<table>`` of those that rows are made of.
Out: ``changed_record_<kind>``: the records of which something was said, or in which a name means something else now;
     and per population the days that must be written again.

A row is put together by one query from an item, from relations, from records, and from what names mean. So it can only
differ where one of these differs: what was told anew of a record, a line of a relation that came or went, a name that
means somebody else. Too many days may be named, never too few.
"""

from collections.abc import Iterator, Sequence

from app.trails.bulk.folding import GROWING
from app.trails.bulk.store import Store, day_sql
from app.trails.populations import DAILY

_Relations = Sequence[tuple[str, str, str, str]]
"""table, column with the item, column with what belongs to it, record type of that"""

_OF_SESSION: _Relations = (
    ("all_session_review", "parent", "child", "review"),
    ("session_reason", "item_id", "ticket", "ticket"),
    ("session_alert", "parent", "child", "alert"),
)
"""What hangs on a session, and is shown with its events too."""

_OWN: dict[str, _Relations] = {
    "session": (
        *_OF_SESSION,
        ("match_grant", "item_id", "grant_item", "grant"),
        ("session_decision", "item_id", "approval", "approval"),
        ("session_recording", "parent", "child", "recording"),
        ("session_child", "parent", "child", "session_event"),
    ),
    "session_event": (
        ("event_review", "parent", "child", "review"),
        ("event_ticket", "parent", "child", "ticket"),
        ("event_alert", "parent", "child", "alert"),
    ),
    "recording": (),
    "grant": (
        ("grant_decision", "item_id", "approval", "approval"),
        ("grant_reason", "item_id", "ticket", "ticket"),
        ("grant_review", "parent", "child", "review"),
        ("grant_user", "grant_item", "item_id", "session"),
    ),
    "access_event": (
        ("explained", "item_id", "session_item", "session"),
        ("access_event_alert", "parent", "child", "alert"),
    ),
}

_NAMED_BY: dict[str, tuple[tuple[str, str], ...]] = {
    "session": (("login", "subject"), ("login", "initiator"), ("system", "target")),
    "grant": (("login", "subject"), ("login", "requester"), ("system", "unnest(targets)"), ("flow", "workflow_id")),
    "approval": (("login", "approver"),),
    "access_event": (("login", "account"), ("system", "target")),
    "session_event": (("system", "downstream"),),
    "review": (("responsible", "reviewer"),),
    "alert": (("responsible", "acknowledged_by"),),
}
"""Record type to the names in it: the table that says what they mean, and the field."""


def put_changed_records(store: Store) -> None:
    """Make ``changed_record_<kind>``, and what it needs to know of names."""
    store.run("CREATE TABLE changed_rid AS SELECT rid FROM diff_person UNION SELECT name FROM diff_identity_view")
    store.run("CREATE TABLE changed_workflow AS SELECT DISTINCT name AS flow FROM diff_workflow_view")
    for table in ("login", "responsible"):
        by_person = f"SELECT source, text FROM {table} SEMI JOIN changed_rid USING (rid)"
        store.run(f"CREATE TABLE changed_{table} AS SELECT source, text FROM diff_{table} UNION {by_person}")
    for table in ("system", "flow"):
        store.run(f"CREATE TABLE changed_{table} AS SELECT DISTINCT source, text FROM diff_{table}")
    for kind in GROWING:
        store.run(f"CREATE TABLE changed_record_{kind} AS {' UNION '.join(_records(kind))}")


def changed_days(store: Store) -> dict[str, set[int]]:
    """Return, per daily population that is made by sets, the days (since 1970) whose rows may differ from before."""
    store.run(f"CREATE TABLE changed_setting AS {' UNION '.join(_SETTINGS)}")
    for population in _OWN:
        store.run(f"CREATE TABLE changed_{population} AS {' UNION '.join(_items(population))}")
    at = day_sql('"at"')
    return {
        population: {
            day
            for (day,) in store.rows(
                f'SELECT DISTINCT {at} FROM (SELECT "at" FROM {population}_item SEMI JOIN changed_{population}'
                f' USING (item_id) UNION ALL SELECT "at" FROM diff_{population}_item)'
            )
        }
        for population in _OWN
        if population in DAILY
    }


def _records(kind: str) -> Iterator[str]:
    """Yield queries for the records of which something was said, or in which a name means something else."""
    yield f"SELECT item_id FROM touched_{kind}"
    for table, field in _NAMED_BY.get(kind, ()):
        named = f'SELECT item_id, source, {field} AS text FROM "{kind}"'
        yield f"SELECT item_id FROM ({named}) SEMI JOIN changed_{table} USING (source, text)"


_SETTINGS = (
    "SELECT item_id FROM diff_setting",
    "SELECT item_id FROM diff_match",
    "SELECT item_id FROM changed_record_session",
    "SELECT item_id FROM setting SEMI JOIN changed_rid USING (rid)",
    "SELECT item_id FROM setting SEMI JOIN changed_workflow USING (flow)",
    "SELECT item_id FROM setting WHERE account IN (SELECT name FROM diff_account_view)",
    "SELECT item_id FROM setting WHERE chosen IN (FROM changed_record_grant)",
)
"""The sessions of which who, where, or by which right is told otherwise, for the session and for what belongs to it."""


def _items(population: str) -> Iterator[str]:
    items = f"{population}_item"
    if population != "session":  # What is told of a session is among the settings.
        yield f"SELECT item_id FROM changed_record_{population}"
    yield f"SELECT item_id FROM diff_waived WHERE population = '{population}'"
    yield f"SELECT item_id FROM {items} SEMI JOIN diff_evidence e ON e.first = evidence AND e.second = approved"
    for relation in _OWN[population]:
        yield from _through(relation)
    match population:
        case "session":
            yield "SELECT item_id FROM changed_setting"
        case "grant":
            yield "SELECT grant_item FROM diff_last_use"
            yield f"SELECT item_id FROM {items} SEMI JOIN changed_workflow USING (flow)"
        case "recording":
            yield f"SELECT item_id FROM {items} WHERE session_item IN (FROM changed_setting)"
        case "session_event":
            raised = ("raised_ticket", "parent", "child", "ticket")
            sessions = [*(each for one in (*_OF_SESSION, raised) for each in _through(one)), "FROM changed_setting"]
            changed = f"({' UNION '.join(sessions)})"
            yield f"SELECT item_id FROM {items} WHERE session_item IN {changed}"
        case _:
            pass


def _through(relation: tuple[str, str, str, str]) -> Iterator[str]:
    """Yield queries for the items whose relation has another line, or leads to a record that changed."""
    table, item, other, kind = relation
    yield f"SELECT {item} AS item_id FROM diff_{table}"
    yield f"SELECT {item} FROM {table} WHERE {other} IN (FROM changed_record_{kind})"
