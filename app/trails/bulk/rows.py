# SPDX-License-Identifier: Apache-2.0

"""The rows of the populations that grow with use: a few narrow queries per population, over the tables of this package.

In:  items, relations and views. Out: a chunk of a population's rows, in order.
One query tells what each row says by itself, and by which keys it shows views; others give these views, and the lists
of what belongs to each row. ``app.trails.bulk.assembly`` lays them side by side. Each view brings the ledger entries
behind it.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

import pyarrow as pa

from app.trails.bulk.assembly import Lists, Views, assemble
from app.trails.bulk.chunks import of_chunk_sql
from app.trails.bulk.store import DAY_MS, Store, day_sql
from app.trails.segments import segment_schema

_BATCH_ROWS = 8_192
_INDICES = "[]::BIGINT[]"


class _View(NamedTuple):
    """A view that a row names by a key.

    Attributes:
        key: the key.
        known: the query for ``key``, ``view`` and ``ledger`` of all there are, or, if ``is_near``, of all in the chunk.
        is_near: there are more than fit into a small memory.
    """

    key: str
    known: str
    is_near: bool = False


class _Query(NamedTuple):
    """How the rows of a population are put together.

    Attributes:
        plain: column to what a row (``b``) says by itself.
        views: column to the view that it shows; those that are no column are only behind the row.
        lists: column to the query for ``nth`` (the number of the row), ``view`` and ``ledger``, in order.
        joins: what the row's query joins besides; each finds one or nothing, so that no row is lost or doubled.
        ledgers: the entries behind what is plain.
        together: the most rows that are put together at once.
    """

    plain: Mapping[str, str]
    views: Mapping[str, _View]
    lists: Mapping[str, str]
    joins: Sequence[str]
    ledgers: Sequence[str]
    together: int = 100_000


class Rows:
    """Puts rows together; what rows of all days show is read once.

    Args:
        store: has the items, relations and views.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self._everywhere: dict[str, Views] = {}

    def batches(self, population: str, days: Sequence[int], chunk: int | None = None) -> Iterator[pa.RecordBatch]:
        """Yield the rows of some days (since 1970), by day and item id, after a column ``day``.

        Args:
            population: one that is made by sets.
            days: the days, in order.
            chunk: the chunk that all of them lie in, where there are chunks (see ``app.trails.bulk.chunks``).
        """
        together = _QUERIES[population].together
        self._store.run(f"CREATE OR REPLACE TABLE numbered AS {_numbered_sql(population, days)}")
        [(rows,)] = self._store.rows("SELECT count(*) FROM numbered")
        for first in range(0, rows, together):
            last = min(first + together, rows)
            self._store.run(
                f"CREATE OR REPLACE TABLE chunk AS SELECT * REPLACE (nth - {first} AS nth)"
                f" FROM numbered WHERE nth >= {first} AND nth < {last}"
            )
            yield from self._assembled(population, last - first, chunk)

    def _assembled(self, population: str, rows: int, chunk: int | None) -> Iterator[pa.RecordBatch]:
        near = "" if chunk is None else f"WITH {', '.join(of_chunk_sql(chunk))} "
        query = _QUERIES[population]
        views = {name: self._views(near, view) for name, view in query.views.items()}
        lists = {name: Lists(self._table(near + sql), rows) for name, sql in query.lists.items()}
        names = ["day", *segment_schema(population).names]
        start = 0
        for batch in self._store.batches(near + _rows_sql(population), _BATCH_ROWS):
            yield assemble(names, batch, start, views, lists)
            start += batch.num_rows

    def _views(self, near: str, view: _View) -> Views:
        if view.is_near:
            return Views(self._table(near + view.known))
        if view.known not in self._everywhere:
            self._everywhere[view.known] = Views(self._table(view.known))
        return self._everywhere[view.known]

    def _table(self, sql: str) -> pa.Table:
        return self._store.batches(sql, _BATCH_ROWS).read_all()


def _numbered_sql(population: str, days: Sequence[int]) -> str:
    """Return SQL for the items of some days, numbered in the order of their rows."""
    day = day_sql('"at"')
    within = f'"at" >= {days[0] * DAY_MS} AND "at" < {(days[-1] + 1) * DAY_MS}'
    if len(days) <= days[-1] - days[0]:
        within += f" AND {day} IN ({', '.join(map(str, days))})"
    return (
        f"SELECT * EXCLUDE (subjects, targets), {day} AS day, row_number() OVER (ORDER BY {day}, item_id) - 1 AS nth"
        f" FROM {population}_item WHERE {within}"
    )


def _rows_sql(population: str) -> str:
    """Return SQL for what the rows say by themselves, in order."""
    query = _QUERIES[population]
    shared = {
        "day": "b.day",
        "item_id": "b.item_id",
        "source": "b.source",
        "at": "b.at",
        "ledger": _all(*query.ledgers, "wv.ledger"),
        "waivers": "coalesce(wv.refs, [])",
    }
    keys = {name: view.key for name, view in query.views.items()}
    columns = ", ".join(f'{sql} AS "{name}"' for name, sql in {**shared, **query.plain, **keys}.items())
    return f"""
SELECT {columns}
FROM chunk b
LEFT JOIN waived wv ON wv.population = '{population}' AND wv.item_id = b.item_id
{" ".join(query.joins)}
ORDER BY b.nth"""


def _all(*lists: str) -> str:
    return "flatten([" + ", ".join(f"coalesce({each}, {_INDICES})" for each in lists) + "])"


def _listed(parents: str, view: str, *order: str, basis: str | None = None) -> str:
    """Return SQL that lists views by row: ``parents`` gives nth, key of the view, and what ``order`` needs."""
    shown = "v.view" if basis is None else f"struct_insert(v.view, link_basis := {basis})"
    return _in_order(parents, view, shown, *order)


def _in_order(parents: str, view: str, shown: str, *order: str) -> str:
    """Return SQL that lists views by row, in an order; as ``_listed``, ``shown`` says what is shown of each."""
    return (
        f"SELECT p.nth, {shown} AS view, v.ledger FROM ({parents}) p JOIN {view} v ON v.item_id = p.key"
        f" ORDER BY {', '.join(['p.nth', *order])}"
    )


def _in_chunk(table: str, item: str, key: str, more: str = "") -> str:
    return f"SELECT chunk.nth, x.{key} AS key{more} FROM {table} x JOIN chunk ON chunk.item_id = x.{item}"


def _of_session(table: str, item: str, key: str, more: str = "") -> str:
    """As ``_in_chunk``, for items that belong to a session: what hangs on the session, per item."""
    return f"SELECT chunk.nth, x.{key} AS key{more} FROM {table} x JOIN chunk ON chunk.session_item = x.{item}"


_SETTING = "LEFT JOIN setting s ON s.item_id = b.session_item"
_EVIDENCE = _View(
    "b.evidence || ' ' || b.approved",
    f"SELECT first || ' ' || second AS key, view, {_INDICES} AS ledger FROM evidence",
)


def _then(table: str, name: str) -> str:
    """Return a join with the view of somebody or something as it was at the row's instant."""
    return f"LEFT JOIN {table} ON {table}.name = {name} AND {table}.since <= b.at AND b.at < {table}.until"


def _seen(table: str) -> _View:
    """Return the view of a table that ``_then`` joins."""
    known = f"SELECT name || ' ' || since AS key, view, ledger FROM {table}"
    return _View(f"{table}.name || ' ' || {table}.since", known)


_SET_JOINS = (
    _SETTING,
    _then("identity_view", "s.rid"),
    _then("account_view", "s.account"),
    _then("workflow_view", "s.flow"),
)
_SET = {
    "session": _View("b.session_item", "SELECT item_id AS key, view, ledger FROM session_view", is_near=True),
    "identity": _seen("identity_view"),
    "account": _seen("account_view"),
    "target": _View(
        "s.system",
        "SELECT item_id AS key, any_value(view) AS view, any_value(ledger) AS ledger"
        " FROM system WHERE item_id IS NOT NULL GROUP BY item_id",
    ),
    "workflow": _seen("workflow_view"),
    "grant": _View(
        "s.chosen || ' ' || s.basis",
        "SELECT s.chosen || ' ' || s.basis AS key, struct_insert(v.view, link_basis := s.basis) AS view, v.ledger"
        " FROM (SELECT DISTINCT chosen, basis FROM setting) s JOIN grant_view v ON v.item_id = s.chosen",
        is_near=True,
    ),
    "evidence": _EVIDENCE,
}
"""What a session was used by, on, for and with: of a session, and of what belongs to one."""

_SESSION_ROWS = _Query(
    plain={},
    views=_SET,
    lists={
        "grants": _listed(
            _in_chunk("match_grant", "item_id", "grant_item", ", x.place, x.basis"),
            "grant_view",
            "p.place",
            basis="p.basis",
        ),
        "approvals": _listed(
            _in_chunk("session_decision", "item_id", "approval", ", x.basis"),
            "approval_view",
            "v.decided",
            "v.item_id",
            basis="p.basis",
        ),
        "tickets": _listed(
            _in_chunk("session_reason", "item_id", "ticket", ", x.basis"), "ticket_view", "v.item_id", basis="p.basis"
        ),
        "recordings": _listed(_in_chunk("session_recording", "parent", "child"), "recording_view", "v.item_id"),
        "events": _listed(
            _in_chunk("session_child", "parent", "child"),
            "session_event_view",
            "v.seq IS NULL",
            "coalesce(v.seq, 0)",
            "coalesce(v.at, 0)",
            "v.item_id",
        ),
        "reviews": _listed(
            _in_chunk("all_session_review", "parent", "child", ", x.place"), "review_view", "p.place", "v.item_id"
        ),
        "alerts": _listed(_in_chunk("session_alert", "parent", "child"), "alert_view", "v.item_id"),
    },
    joins=_SET_JOINS,
    ledgers=("s.ledger",),
)

_GRANT_ROWS = _Query(
    plain={
        "grant": "struct_insert(struct_update(gv.view, last_used_at := greatest(gv.view.last_used_at, u.use.at)),"
        " link_basis := 'exact')",
        "target": "b.target_view",
    },
    views={
        "identity": _seen("identity_view"),
        "workflow": _seen("workflow_view"),
        "evidence": _EVIDENCE,
    },
    lists={
        "approvals": _listed(
            _in_chunk("grant_decision", "item_id", "approval", ", x.basis"),
            "approval_view",
            "v.decided",
            "v.item_id",
            basis="p.basis",
        ),
        "tickets": _listed(
            _in_chunk("grant_reason", "item_id", "ticket", ", x.basis"), "ticket_view", "v.item_id", basis="p.basis"
        ),
        "reviews": _listed(_in_chunk("grant_review", "parent", "child"), "review_view", "v.item_id"),
        "sessions": _listed(_in_chunk("grant_user", "grant_item", "item_id"), "session_ref", "v.item_id"),
    },
    joins=(
        "LEFT JOIN grant_view gv ON gv.item_id = b.item_id",
        "LEFT JOIN last_use u ON u.grant_item = b.item_id",
        _then("identity_view", "b.rid"),
        _then("workflow_view", "b.flow"),
    ),
    ledgers=(
        "gv.ledger",
        "CASE WHEN gv.view.last_used_at IS NULL OR gv.view.last_used_at < u.use.at THEN u.use.ledger END",
        "b.target_ledger",
    ),
)

_IDENTITY_ROWS = _Query(
    plain={"identity": "b.view"},
    views={"evidence": _EVIDENCE},
    lists={
        "grants": _listed(
            _in_chunk("grant_of_person", "item_id", "grant_item"), "grant_view", "v.item_id", basis="'exact'"
        ),
        "sessions": _listed(_in_chunk("session_of_person", "item_id", "session_item"), "session_ref", "v.item_id"),
        "reviews": _listed(_in_chunk("review_of_person", "item_id", "review"), "review_view", "v.item_id"),
    },
    joins=(),
    ledgers=("b.ledger",),
    together=2_000,  # Each with all that somebody did in the period.
)

_ACCESS_EVENT_ROWS = _Query(
    plain={"access_event": "lv.view", "target": "b.target_view"},
    views={"evidence": _EVIDENCE},
    lists={
        "sessions": _listed(_in_chunk("explained", "item_id", "session_item"), "session_ref", "v.item_id"),
        "alerts": _listed(_in_chunk("access_event_alert", "parent", "child"), "alert_view", "v.item_id"),
    },
    joins=("LEFT JOIN access_event_view lv ON lv.item_id = b.item_id",),
    ledgers=("lv.ledger", "b.target_ledger"),
)

_RAISED = "struct_insert(struct_update(v.view, about := p.about), link_basis := p.basis)"

_SESSION_EVENT_ROWS = _Query(
    plain={"event": "struct_insert(ev.view, text := ev.text)"},
    views=_SET,
    lists={
        "reviews": _listed(
            "SELECT DISTINCT nth, key FROM ("
            + _of_session(
                "(SELECT a.* FROM all_session_review a JOIN review r ON r.item_id = a.child WHERE r.event_id IS NULL)",
                "parent",
                "child",
            )
            + " UNION ALL "
            + _in_chunk("event_review", "parent", "child")
            + ")",
            "review_view",
            "v.item_id",
        ),
        # Of one ticket the closest word counts: raised about the command, about its session, or the session's reason.
        "tickets": _in_order(
            "SELECT nth, key, arg_min(basis, place) AS basis, arg_min_null(about, place) AS about FROM ("
            + _of_session("session_reason", "item_id", "ticket", ", x.basis, NULL::VARCHAR AS about, 2 AS place")
            + " UNION ALL "
            + _of_session("raised_ticket", "parent", "child", ", 'exact', 'session', 1")
            + " UNION ALL "
            + _in_chunk("event_ticket", "parent", "child", ", 'exact', 'event', 0")
            + ") GROUP BY nth, key",
            "ticket_view",
            _RAISED,
            "v.item_id",
        ),
        "alerts": _listed(
            _in_chunk("event_alert", "parent", "child", ", 0 AS place")
            + " UNION ALL "
            + _of_session("session_alert", "parent", "child", ", 1"),
            "alert_view",
            "p.place",
            "v.item_id",
        ),
    },
    joins=("LEFT JOIN session_event_view ev ON ev.item_id = b.item_id", *_SET_JOINS),
    ledgers=("ev.ledger", "s.ledger"),
)

_RECORDING_ROWS = _Query(
    plain={},
    views={
        "recording": _View("b.item_id", "SELECT item_id AS key, view, ledger FROM recording_view", is_near=True),
        **_SET,
    },
    lists={},
    joins=_SET_JOINS,
    ledgers=("s.ledger",),
)

_QUERIES: dict[str, _Query] = {
    "session": _SESSION_ROWS,
    "grant": _GRANT_ROWS,
    "identity": _IDENTITY_ROWS,
    "access_event": _ACCESS_EVENT_ROWS,
    "session_event": _SESSION_EVENT_ROWS,
    "recording": _RECORDING_ROWS,
}
