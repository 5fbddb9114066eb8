# SPDX-License-Identifier: Apache-2.0

"""The rows of the populations that grow with use: one query per population, over the tables of this package.

In:  items, relations and views. Out: SQL that gives a chunk of a population's rows, in order.
A query puts the views of everything that belongs to an item beside it; each view brings the ledger entries behind it.
"""

from collections.abc import Sequence

from app.trails.bulk.chunks import of_chunk_sql
from app.trails.bulk.store import DAY_MS, day_sql
from app.trails.segments import segment_schema

_INDICES = "[]::BIGINT[]"


def rows_sql(population: str, days: Sequence[int], chunk: int | None = None) -> str:
    """Return SQL for the rows of some days (since 1970), by day and item id, after a column ``day``.

    Args:
        population: one that is made by sets.
        days: the days, in order.
        chunk: the chunk that all of them lie in, where there are chunks (see ``app.trails.bulk.chunks``).
    """
    given, aggregates, joins, ledgers = _ROWS[population]
    shared = {
        "item_id": "b.item_id",
        "source": "b.source",
        "at": "b.at",
        "ledger": f"list_sort(list_distinct({_all(*ledgers, 'wv.ledger')}))",
        "evidence": "e.view",
        "waivers": "coalesce(wv.refs, [])",
    }
    names = segment_schema(population).names
    columns = ", ".join(f'{({**shared, **given})[name]} AS "{name}"' for name in names)
    items = f'SELECT * FROM {population}_item WHERE "at" >= {days[0] * DAY_MS} AND "at" < {(days[-1] + 1) * DAY_MS}'
    if len(days) <= days[-1] - days[0]:
        at = day_sql('"at"')
        items += f" AND {at} IN ({', '.join(map(str, days))})"
    near = [] if chunk is None else of_chunk_sql(chunk)
    shown = (f"{name} AS ({sql})" for name, sql in aggregates.items())
    parts = ", ".join([f"chunk AS MATERIALIZED ({items})", *near, *shown])
    return f"""
WITH {parts}
SELECT {day_sql("b.at")} AS day, {columns}
FROM chunk b
JOIN evidence e ON e.first = b.evidence AND e.second = b.approved
LEFT JOIN waived wv ON wv.population = '{population}' AND wv.item_id = b.item_id
{" ".join([*joins, *(f"LEFT JOIN {name} ON {name}.item_id = b.item_id" for name in aggregates)])}
ORDER BY day, b.item_id"""


def _all(*lists: str) -> str:
    return "flatten([" + ", ".join(f"coalesce({each}, {_INDICES})" for each in lists) + "])"


def _listed(parents: str, view: str, *order: str, basis: str | None = None) -> str:
    """Return SQL that lists views by item: ``parents`` gives item_id, key of the view, and what ``order`` needs."""
    shown = "v.view" if basis is None else f"struct_insert(v.view, link_basis := {basis})"
    return _in_order(parents, view, shown, *order)


def _in_order(parents: str, view: str, shown: str, *order: str) -> str:
    """Return SQL that lists views by item, in an order; as ``_listed``, ``shown`` says what is shown of each."""
    keys = "".join(f"k{place} := {key}, " for place, key in enumerate(order))
    # To gather wide structs costs most here, and most items have only one; to sort is quicker than to gather sorted.
    counted = f"SELECT *, count(*) OVER (PARTITION BY item_id) AS n FROM ({parents})"
    rows = f"({counted}) p JOIN {view} v ON v.item_id = p.key"
    return (
        f"SELECT p.item_id, [{shown}] AS views, v.ledger FROM {rows} WHERE p.n = 1 UNION ALL"
        " SELECT item_id, list_transform(shown, lambda each: each.shown),"
        " flatten(list_transform(shown, lambda each: each.ledger)) FROM ("
        f"SELECT p.item_id, list_sort(list(struct_pack({keys}shown := {shown}, ledger := v.ledger))) AS shown"
        f" FROM {rows} WHERE p.n > 1 GROUP BY p.item_id)"
    )


def _in_chunk(table: str, item: str, key: str, more: str = "") -> str:
    return f"SELECT {item} AS item_id, {key} AS key{more} FROM {table} x SEMI JOIN chunk ON chunk.item_id = x.{item}"


def _of_session(table: str, item: str, key: str, more: str = "") -> str:
    """As ``_in_chunk``, for items that belong to a session: what hangs on the session, per item."""
    return f"SELECT chunk.item_id, x.{key} AS key{more} FROM {table} x JOIN chunk ON chunk.session_item = x.{item}"


_SETTING = "LEFT JOIN setting s ON s.item_id = b.session_item"
_SESSION = "LEFT JOIN session_view sv ON sv.item_id = b.session_item"


def _person(rid: str) -> str:
    return f"LEFT JOIN identity_view iv ON iv.name = {rid} AND iv.since <= b.at AND b.at < iv.until"


_ACCOUNT = "LEFT JOIN account_view av ON av.name = s.account AND av.since <= b.at AND b.at < av.until"


def _workflow(flow: str) -> str:
    return f"LEFT JOIN workflow_view fv ON fv.name = {flow} AND fv.since <= b.at AND b.at < fv.until"


_CHOSEN = "LEFT JOIN grant_view gv ON gv.item_id = s.chosen"
_GRANT = "CASE WHEN gv.view IS NOT NULL THEN struct_insert(gv.view, link_basis := s.basis) END"

_Query = tuple[dict[str, str], dict[str, str], Sequence[str], Sequence[str]]

_SESSION_ROWS: _Query = (
    {
        "session": "sv.view",
        "identity": "iv.view",
        "account": "av.view",
        "target": "s.target_view",
        "workflow": "fv.view",
        "grant": _GRANT,
        "grants": "coalesce(q_grant.views, [])",
        "approvals": "coalesce(q_approval.views, [])",
        "tickets": "coalesce(q_ticket.views, [])",
        "recordings": "coalesce(q_recording.views, [])",
        "events": "coalesce(q_event.views, [])",
        "reviews": "coalesce(q_review.views, [])",
        "alerts": "coalesce(q_alert.views, [])",
    },
    {
        "q_grant": _listed(
            _in_chunk("match_grant", "item_id", "grant_item", ", place, basis"),
            "grant_view",
            "p.place",
            basis="p.basis",
        ),
        "q_approval": _listed(
            _in_chunk("session_decision", "item_id", "approval", ", basis"),
            "approval_view",
            "v.decided",
            "v.item_id",
            basis="p.basis",
        ),
        "q_ticket": _listed(
            _in_chunk("session_reason", "item_id", "ticket", ", basis"), "ticket_view", "v.item_id", basis="p.basis"
        ),
        "q_recording": _listed(_in_chunk("session_recording", "parent", "child"), "recording_view", "v.item_id"),
        "q_event": _listed(
            _in_chunk("session_child", "parent", "child"),
            "session_event_view",
            "v.seq IS NULL",
            "coalesce(v.seq, 0)",
            "coalesce(v.at, 0)",
            "v.item_id",
        ),
        "q_review": _listed(
            _in_chunk("all_session_review", "parent", "child", ", place"), "review_view", "p.place", "v.item_id"
        ),
        "q_alert": _listed(_in_chunk("session_alert", "parent", "child"), "alert_view", "v.item_id"),
    },
    (_SETTING, _SESSION, _person("s.rid"), _ACCOUNT, _workflow("s.flow"), _CHOSEN),
    (
        "s.ledger",
        "sv.ledger",
        "iv.ledger",
        "av.ledger",
        "s.target_ledger",
        "fv.ledger",
        "q_grant.ledger",
        "q_approval.ledger",
        "q_ticket.ledger",
        "q_recording.ledger",
        "q_event.ledger",
        "q_review.ledger",
        "q_alert.ledger",
    ),
)

_GRANT_ROWS: _Query = (
    {
        "grant": "struct_insert(struct_update(gv.view, last_used_at := greatest(gv.view.last_used_at, u.use.at)),"
        " link_basis := 'exact')",
        "identity": "iv.view",
        "target": "b.target_view",
        "workflow": "fv.view",
        "approvals": "coalesce(q_approval.views, [])",
        "tickets": "coalesce(q_ticket.views, [])",
        "reviews": "coalesce(q_review.views, [])",
        "sessions": "coalesce(q_session.views, [])",
    },
    {
        "q_approval": _listed(
            _in_chunk("grant_decision", "item_id", "approval", ", basis"),
            "approval_view",
            "v.decided",
            "v.item_id",
            basis="p.basis",
        ),
        "q_ticket": _listed(
            _in_chunk("grant_reason", "item_id", "ticket", ", basis"), "ticket_view", "v.item_id", basis="p.basis"
        ),
        "q_review": _listed(_in_chunk("grant_review", "parent", "child"), "review_view", "v.item_id"),
        "q_session": _listed(_in_chunk("grant_user", "grant_item", "item_id"), "session_ref", "v.item_id"),
    },
    (
        "JOIN grant_view gv ON gv.item_id = b.item_id",
        "LEFT JOIN last_use u ON u.grant_item = b.item_id",
        _person("b.rid"),
        _workflow("b.flow"),
    ),
    (
        "gv.ledger",
        "CASE WHEN gv.view.last_used_at IS NULL OR gv.view.last_used_at < u.use.at THEN u.use.ledger END",
        "iv.ledger",
        "b.target_ledger",
        "fv.ledger",
        "q_approval.ledger",
        "q_ticket.ledger",
        "q_review.ledger",
        "q_session.ledger",
    ),
)

_IDENTITY_ROWS: _Query = (
    {
        "identity": "b.view",
        "grants": "coalesce(q_grant.views, [])",
        "sessions": "coalesce(q_session.views, [])",
        "reviews": "coalesce(q_review.views, [])",
    },
    {
        "q_grant": _listed(
            _in_chunk("grant_of_person", "item_id", "grant_item"), "grant_view", "v.item_id", basis="'exact'"
        ),
        "q_session": _listed(_in_chunk("session_of_person", "item_id", "session_item"), "session_ref", "v.item_id"),
        "q_review": _listed(_in_chunk("review_of_person", "item_id", "review"), "review_view", "v.item_id"),
    },
    (),
    ("b.ledger", "q_grant.ledger", "q_session.ledger", "q_review.ledger"),
)

_ACCESS_EVENT_ROWS: _Query = (
    {
        "access_event": "lv.view",
        "target": "b.target_view",
        "sessions": "coalesce(q_session.views, [])",
        "alerts": "coalesce(q_alert.views, [])",
    },
    {
        "q_session": _listed(_in_chunk("explained", "item_id", "session_item"), "session_ref", "v.item_id"),
        "q_alert": _listed(_in_chunk("access_event_alert", "parent", "child"), "alert_view", "v.item_id"),
    },
    ("JOIN access_event_view lv ON lv.item_id = b.item_id",),
    ("lv.ledger", "b.target_ledger", "q_session.ledger", "q_alert.ledger"),
)

_SET_JOINS = (_SETTING, _SESSION, _person("s.rid"), _ACCOUNT, _workflow("s.flow"), _CHOSEN)
_SET_LEDGERS = ("s.ledger", "sv.ledger", "iv.ledger", "av.ledger", "s.target_ledger", "fv.ledger", "gv.ledger")

_RAISED = "struct_insert(struct_update(v.view, about := p.about), link_basis := p.basis)"

_SESSION_EVENT_ROWS: _Query = (
    {
        "event": "struct_insert(ev.view, text := ev.text)",
        "session": "sv.view",
        "identity": "iv.view",
        "account": "av.view",
        "target": "s.target_view",
        "workflow": "fv.view",
        "grant": _GRANT,
        "reviews": "coalesce(q_review.views, [])",
        "tickets": "coalesce(q_ticket.views, [])",
        "alerts": "coalesce(q_alert.views, [])",
    },
    {
        "q_review": _listed(
            "SELECT DISTINCT item_id, key FROM ("
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
        "q_ticket": _in_order(
            "SELECT item_id, key, arg_min(basis, place) AS basis, arg_min_null(about, place) AS about FROM ("
            + _of_session("session_reason", "item_id", "ticket", ", x.basis, NULL::VARCHAR AS about, 2 AS place")
            + " UNION ALL "
            + _of_session("raised_ticket", "parent", "child", ", 'exact', 'session', 1")
            + " UNION ALL "
            + _in_chunk("event_ticket", "parent", "child", ", 'exact', 'event', 0")
            + ") GROUP BY item_id, key",
            "ticket_view",
            _RAISED,
            "v.item_id",
        ),
        "q_alert": _listed(
            _in_chunk("event_alert", "parent", "child", ", 0 AS place")
            + " UNION ALL "
            + _of_session("session_alert", "parent", "child", ", 1"),
            "alert_view",
            "p.place",
            "v.item_id",
        ),
    },
    ("JOIN session_event_view ev ON ev.item_id = b.item_id", *_SET_JOINS),
    ("ev.ledger", *_SET_LEDGERS, "q_review.ledger", "q_ticket.ledger", "q_alert.ledger"),
)

_RECORDING_ROWS: _Query = (
    {"recording": "rv.view", "session": "sv.view", "target": "s.target_view", "workflow": "fv.view"},
    {},
    ("JOIN recording_view rv ON rv.item_id = b.item_id", *_SET_JOINS),
    ("rv.ledger", *_SET_LEDGERS),
)

_ROWS: dict[str, _Query] = {
    "session": _SESSION_ROWS,
    "grant": _GRANT_ROWS,
    "identity": _IDENTITY_ROWS,
    "access_event": _ACCESS_EVENT_ROWS,
    "session_event": _SESSION_EVENT_ROWS,
    "recording": _RECORDING_ROWS,
}
