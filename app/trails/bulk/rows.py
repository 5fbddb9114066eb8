# SPDX-License-Identifier: Apache-2.0

"""The rows of the populations that grow with use: one query per population, over the tables of this package.

In:  folded records, names, relations, matches and views. Out: SQL that gives a chunk of a population's rows, in order.
Each population has a table ``<population>_item``: which items it has, each with its instant, what a waiver can name of
it, and the session it belongs to. Its query then puts the views of everything beside it.
"""

from collections.abc import Iterator, Sequence

from app.trails.arrow import arrow_schema
from app.trails.bulk.store import Store
from app.trails.populations import POPULATIONS, PeriodView
from app.trails.windows import ACCESS_EVENT_TOLERANCE_MS

BIG = ("session", "grant", "identity", "access_event", "session_event", "recording")
"""The populations made here; the others are small, and are made by ``app.trails.linking``."""

_NONE = "[]::VARCHAR[]"
_INDICES = "[]::BIGINT[]"


def put_items(store: Store, period: PeriodView, state_at: int) -> None:
    """Make the tables of items, and those that several queries share."""
    for statement in _prepare(period, state_at):
        store.run(statement)


def put_behind(store: Store) -> None:
    """Make ``behind``: who stands behind each session, by its own login or by the one holder of the grants it used."""
    store.run("""
CREATE TABLE behind AS
WITH holder AS (
  SELECT m.item_id, max(l.rid) AS rid
  FROM match_grant m JOIN "grant" g ON g.item_id = m.grant_item
  JOIN login l ON l.source = g.source AND l.text = g.subject JOIN person p ON p.rid = l.rid
  WHERE m.used AND m.basis IN ('exact', 'derived')
  GROUP BY m.item_id HAVING count(DISTINCT p.item_id) = 1
), known AS (
  SELECT s.item_id, s.source, s.initiator, l.subjects,
    CASE WHEN l.rid IS NOT NULL OR coalesce(l.is_ambiguous, false) THEN l.rid ELSE h.rid END AS rid
  FROM session s LEFT JOIN login l ON l.source = s.source AND l.text = s.subject LEFT JOIN holder h USING (item_id)
)
SELECT k.item_id, k.rid, p.person_key, i.ledger,
  CASE WHEN k.initiator IS NOT NULL THEN i.person_id ELSE p.person_id END AS person_id,
  list_concat(coalesce(k.subjects, []::VARCHAR[]), coalesce(p.subjects, []::VARCHAR[])) AS subjects
FROM known k
LEFT JOIN person p ON p.rid = k.rid
LEFT JOIN login il ON il.source = k.source AND il.text = k.initiator
LEFT JOIN person i ON i.rid = il.rid""")


def rows_sql(population: str, period: PeriodView, since: int, until: int) -> str:
    """Return SQL for the rows whose instant lies in ``since <= at < until``, by day and item id, after a column day."""
    given, aggregates, joins, ledgers = _ROWS[population]
    shared = {
        "item_id": "b.item_id",
        "source": "b.source",
        "at": "b.at",
        "ledger": f"list_sort(list_distinct({_all(*ledgers, 'wv.ledger')}))",
        "period": "struct_pack(" + ", ".join(f'"{n}" := {getattr(period, n)}::BIGINT' for n in _PERIOD) + ")",
        "evidence": "e.view",
        "waivers": "coalesce(wv.refs, [])",
    }
    names = arrow_schema(POPULATIONS[population]).names
    columns = ", ".join(f'{({**shared, **given})[name]} AS "{name}"' for name in names)
    chunk = f'chunk AS MATERIALIZED (SELECT * FROM {population}_item WHERE "at" >= {since} AND "at" < {until})'  # noqa: S608
    parts = ", ".join([chunk, *(f"{name} AS ({sql})" for name, sql in aggregates.items())])
    return f"""
WITH {parts}
SELECT b.at // 86400000 AS day, {columns}
FROM chunk b
JOIN evidence e ON e.first = b.evidence AND e.second = b.approved
LEFT JOIN waived wv ON wv.population = '{population}' AND wv.item_id = b.item_id
{" ".join([*joins, *(f"LEFT JOIN {name} ON {name}.item_id = b.item_id" for name in aggregates)])}
ORDER BY day, b.item_id"""  # noqa: S608  Our own names.


_PERIOD = PeriodView.__struct_fields__


def _prepare(period: PeriodView, state_at: int) -> Iterator[str]:
    yield """
CREATE TABLE setting AS
SELECT s.item_id, coalesce(s.started_at, s.first_at) AS started, s.run_as, b.rid, b.person_key, b.subjects,
  CASE WHEN y.key IS NULL THEN []::VARCHAR[] ELSE [y.key] END AS targets,
  d.account, y.item_id AS system, y.view AS target_view, y.ledger AS target_ledger,
  CASE WHEN y.has_flow THEN y.flow ELSE f.flow END AS flow,
  c.grant_item AS chosen, m.basis, list_concat(coalesce(b.ledger, []::BIGINT[]), coalesce(dv.ledger, []::BIGINT[]))
    AS ledger
FROM session s
JOIN behind b USING (item_id)
JOIN match m USING (item_id)
LEFT JOIN system y ON y.source = s.source AND y.text = s.target
LEFT JOIN door d ON d.source = s.source AND d.target = s.target AND d.name = s.run_as
LEFT JOIN match_grant c ON c.item_id = s.item_id AND c.chosen
LEFT JOIN "grant" g ON g.item_id = c.grant_item
LEFT JOIN flow f ON f.source = g.source AND f.text = g.workflow_id
LEFT JOIN by_credential dv ON dv.item_id = s.item_id AND dv.n = 1"""
    yield _items(
        "session",
        'SELECT s.item_id, s.source, t.started AS "at", t.started AS approved, t.subjects, t.targets,'
        " s.item_id AS session_item FROM session s JOIN setting t USING (item_id)"
        f" WHERE t.started >= {period.start} AND t.started < {period.end}",
    )
    yield from _grant_items(period)
    yield _items(
        "access_event",
        'SELECT r.item_id, r.source, coalesce(r.at, r.first_at) AS "at", coalesce(r.at, r.first_at) AS approved,'
        " coalesce(l.subjects, []::VARCHAR[]) AS subjects,"
        " CASE WHEN y.key IS NULL THEN []::VARCHAR[] ELSE [y.key] END AS targets, r.session_id, r.account,"
        " y.key AS door, r.at AS seen, y.view AS target_view, y.ledger AS target_ledger"
        " FROM access_event r LEFT JOIN login l ON l.source = r.source AND l.text = r.account"
        " LEFT JOIN system y ON y.source = r.source AND y.text = r.target"
        f" WHERE coalesce(r.at, r.first_at) >= {period.start} AND coalesce(r.at, r.first_at) < {period.end}",
    )
    yield from _explain(period)
    at = "coalesce(r.at, r.first_at)"
    yield _items(
        "session_event",
        f'SELECT r.item_id, r.source, {at} AS "at", {at} AS approved, coalesce(t.subjects, {_NONE}) AS subjects,'
        f" coalesce(t.targets, {_NONE}) AS targets, t.item_id AS session_item FROM session_event r"
        " LEFT JOIN session_child c ON c.child = r.item_id LEFT JOIN setting t ON t.item_id = c.parent"
        f" WHERE {at} >= {period.start} AND {at} < {period.end}",
    )
    at = "coalesce(r.starts_at, t.started, r.first_at)"
    yield _items(
        "recording",
        f'SELECT r.item_id, r.source, greatest({at}, {period.start}) AS "at", greatest({at}, {period.start}) AS approved,'
        f" coalesce(t.subjects, {_NONE}) AS subjects, coalesce(t.targets, {_NONE}) AS targets,"
        " t.item_id AS session_item FROM recording r LEFT JOIN session_recording c ON c.child = r.item_id"
        f" LEFT JOIN setting t ON t.item_id = c.parent WHERE {at} < {period.end}"
        f" AND (r.disposed_at IS NULL OR r.disposed_at >= {period.start})",
    )
    yield _items(
        "identity",
        f'SELECT i.*, {state_at}::BIGINT AS "at", {state_at}::BIGINT AS approved, {_NONE} AS targets FROM own_identity i',
    )
    yield from _DECISIONS_AND_REASONS
    yield from _PEOPLE


def _items(population: str, select: str) -> str:
    return f"CREATE TABLE {population}_items AS {select}"


def _grant_items(period: PeriodView) -> Iterator[str]:
    begun = "coalesce(g.starts_at, g.requested_at, g.first_at)"
    ends = "least(g.expires_at, g.ended_at)"
    yield """
CREATE TABLE grant_target AS
SELECT g.item_id, list_distinct(list(y.key)) AS keys,
  list_distinct(list(coalesce(y.item_id, ''))) AS systems
FROM (SELECT item_id, source, unnest(targets) AS spelling FROM "grant") g
LEFT JOIN system y ON y.source = g.source AND y.text = g.spelling
GROUP BY g.item_id"""
    yield _items(
        "grant",
        f'SELECT g.item_id, g.source, greatest({begun}, {period.start}) AS "at", {begun} AS approved, l.who, l.rid,'
        f" coalesce(l.subjects, {_NONE}) AS subjects, coalesce(t.keys, {_NONE}) AS targets,"
        " coalesce(f.flow, y.flow) AS flow, y.view AS target_view, y.ledger AS target_ledger"
        ' FROM "grant" g LEFT JOIN login l ON l.source = g.source AND l.text = g.subject'
        " LEFT JOIN grant_target t ON t.item_id = g.item_id"
        " LEFT JOIN flow f ON f.source = g.source AND f.text = g.workflow_id"
        " LEFT JOIN (SELECT item_id, any_value(view) AS view, any_value(ledger) AS ledger, any_value(flow) AS flow"
        " FROM system WHERE item_id IS NOT NULL GROUP BY item_id) y"
        " ON len(t.systems) = 1 AND y.item_id = t.systems[1]"
        f" WHERE coalesce(g.state, '') NOT IN ('requested', 'denied') AND {begun} < {period.end}"
        f" AND ({ends} IS NULL OR {ends} > {period.start} OR {begun} >= {period.start})",
    )
    yield """
CREATE TABLE grant_user AS
SELECT m.grant_item, m.item_id, m.basis FROM match_grant m JOIN session_items USING (item_id) WHERE m.used"""


def _explain(period: PeriodView) -> Iterator[str]:
    """Make ``explained``: the sessions that account for each login; the rules are in ``app.trails.explaining``."""
    last = f"coalesce(s.ended_at, CASE WHEN s.status = 'open' THEN greatest(s.started_at, {period.as_of}) END, s.started_at)"
    yield """
CREATE TABLE login_session AS
WITH same AS (
  SELECT e.item_id, s.item_id AS session_item FROM access_event_items e
  JOIN session s ON s.source = e.source AND s.id = e.session_id
)
FROM same UNION ALL
SELECT e.item_id, s.item_id FROM (FROM access_event_items ANTI JOIN same USING (item_id)) e
JOIN session s ON s.item_id = e.session_id"""
    yield f"""
CREATE TABLE explained AS
WITH open AS (
  SELECT s.item_id, y.key, s.run_as, s.started_at - {ACCESS_EVENT_TOLERANCE_MS} AS since,
    {last} + {ACCESS_EVENT_TOLERANCE_MS} AS until
  FROM session s JOIN system y ON y.source = s.source AND y.text = s.target
  WHERE s.run_as IS NOT NULL AND s.status IS DISTINCT FROM 'failed_attempt' AND {last} >= s.started_at
), found AS (
  SELECT item_id, session_item FROM login_session
  UNION ALL
  SELECT e.item_id, o.item_id FROM (FROM access_event_items ANTI JOIN login_session USING (item_id)) e
  JOIN open o ON o.key = e.door AND o.run_as = e.account AND o.since <= e.seen AND e.seen <= o.until
)
SELECT f.item_id, f.session_item FROM found f
JOIN access_event_items e USING (item_id) JOIN session s ON s.item_id = f.session_item
WHERE s.source <> e.source OR f.session_item IN (SELECT item_id FROM match_grant WHERE used)"""  # noqa: S608


_WEAKEST = "CASE WHEN m.basis = 'exact' AND t.weakness > 0 THEN 'derived' ELSE m.basis END"
_TICKET_BASIS = "CASE weakness WHEN 0 THEN 'exact' ELSE 'derived' END"

_DECISIONS_AND_REASONS = (
    """
CREATE TABLE session_decision AS
SELECT item_id, approval, arg_min(basis, place) AS basis FROM (
  SELECT parent AS item_id, child AS approval, 'exact' AS basis, 0 AS place FROM session_approval
  UNION ALL
  SELECT m.item_id, a.child, m.basis, m.place FROM match_grant m JOIN grant_approval a ON a.parent = m.grant_item
  WHERE m.used
) GROUP BY item_id, approval""",
    f"""
CREATE TABLE session_reason AS
SELECT item_id, ticket, arg_min(basis, place) AS basis FROM (
  SELECT item_id, ticket, {_TICKET_BASIS} AS basis, 0 AS place FROM named_ticket SEMI JOIN session USING (item_id)
  UNION ALL
  SELECT m.item_id, t.ticket, {_WEAKEST}, m.place FROM match_grant m JOIN named_ticket t ON t.item_id = m.grant_item
  WHERE m.used
) GROUP BY item_id, ticket""",  # noqa: S608
    """
CREATE TABLE grant_decision AS
SELECT item_id, approval, arg_min(basis, place) AS basis FROM (
  SELECT parent AS item_id, child AS approval, 'exact' AS basis, '' AS place FROM grant_approval
  UNION ALL
  SELECT u.grant_item, a.child, u.basis, u.item_id FROM grant_user u JOIN session_approval a ON a.parent = u.item_id
  WHERE u.basis IN ('exact', 'derived')
) GROUP BY item_id, approval""",
    f"""
CREATE TABLE grant_reason AS
SELECT item_id, ticket, arg_min(basis, place) AS basis FROM (
  SELECT item_id, ticket, {_TICKET_BASIS} AS basis, '' AS place FROM named_ticket SEMI JOIN "grant" USING (item_id)
  UNION ALL
  SELECT u.grant_item, r.ticket, r.basis, u.item_id FROM grant_user u JOIN session_reason r USING (item_id)
  WHERE u.basis IN ('exact', 'derived')
) GROUP BY item_id, ticket""",  # noqa: S608
)
"""What was decided about, and the reasons of, each session and right; of several ways the first counts."""

_PEOPLE = (
    """
CREATE TABLE grant_of_person AS
SELECT i.item_id, g.item_id AS grant_item FROM own_identity i JOIN grant_items g ON g.who = i.person_key""",
    """
CREATE TABLE session_of_person AS
SELECT i.item_id, s.item_id AS session_item FROM own_identity i
JOIN setting t ON t.person_key = i.person_key JOIN session_items s ON s.item_id = t.item_id""",
    """
CREATE TABLE review_of_person AS
SELECT i.item_id, r.item_id AS review FROM review r
JOIN responsible n ON n.source = r.source AND n.text = r.subject JOIN person p ON p.rid = n.rid
JOIN own_identity i ON i.person_key = p.person_key""",
)


def _all(*lists: str) -> str:
    return "flatten([" + ", ".join(f"coalesce({each}, {_INDICES})" for each in lists) + "])"


def _listed(parents: str, view: str, order: str, *, basis: str | None = None) -> str:
    """Return SQL that lists views by item: ``parents`` gives item_id, key of the view, and what ``order`` needs."""
    shown = "v.view" if basis is None else f"struct_insert(v.view, link_basis := {basis})"
    return (
        f"SELECT p.item_id, list({shown} ORDER BY {order}) AS views, flatten(list(v.ledger)) AS ledger"  # noqa: S608
        f" FROM ({parents}) p JOIN {view} v ON v.item_id = p.key GROUP BY p.item_id"
    )


def _in_chunk(table: str, item: str, key: str, more: str = "") -> str:
    return (
        f"SELECT {item} AS item_id, {key} AS key{more} FROM {table} x"  # noqa: S608
        f" SEMI JOIN chunk ON chunk.item_id = x.{item}"
    )


def _of_session(table: str, item: str, key: str, more: str = "") -> str:
    """As ``_in_chunk``, for items that belong to a session: what hangs on the session, per item."""
    return (
        f"SELECT chunk.item_id, x.{key} AS key{more} FROM {table} x"  # noqa: S608
        f" JOIN chunk ON chunk.session_item = x.{item}"
    )


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
            "v.decided, v.item_id",
            basis="p.basis",
        ),
        "q_ticket": _listed(
            _in_chunk("session_reason", "item_id", "ticket", ", basis"), "ticket_view", "v.item_id", basis="p.basis"
        ),
        "q_recording": _listed(_in_chunk("session_recording", "parent", "child"), "recording_view", "v.item_id"),
        "q_event": _listed(
            _in_chunk("session_child", "parent", "child"),
            "event_view",
            "v.seq IS NULL, coalesce(v.seq, 0), coalesce(v.at, 0), v.item_id",
        ),
        "q_review": _listed(
            _in_chunk("all_session_review", "parent", "child", ", place"), "review_view", "p.place, v.item_id"
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
        "grant": "struct_insert(gv.view, link_basis := 'exact')",
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
            "v.decided, v.item_id",
            basis="p.basis",
        ),
        "q_ticket": _listed(
            _in_chunk("grant_reason", "item_id", "ticket", ", basis"), "ticket_view", "v.item_id", basis="p.basis"
        ),
        "q_review": _listed(_in_chunk("grant_review", "parent", "child"), "review_view", "v.item_id"),
        "q_session": _listed(_in_chunk("grant_user", "grant_item", "item_id"), "session_ref", "v.item_id"),
    },
    ("JOIN grant_view gv ON gv.item_id = b.item_id", _person("b.rid"), _workflow("b.flow")),
    (
        "gv.ledger",
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
        "q_ticket": (
            "SELECT p.item_id,"
            " list(struct_insert(struct_update(v.view, about := p.about), link_basis := p.basis) ORDER BY v.item_id)"
            " AS views, flatten(list(v.ledger)) AS ledger FROM ("
            "SELECT item_id, key, arg_min(basis, place) AS basis, arg_min_null(about, place) AS about FROM ("
            + _of_session("session_reason", "item_id", "ticket", ", x.basis, NULL::VARCHAR AS about, 2 AS place")
            + " UNION ALL "
            + _of_session("raised_ticket", "parent", "child", ", 'exact', 'session', 1")
            + " UNION ALL "
            + _in_chunk("event_ticket", "parent", "child", ", 'exact', 'event', 0")
            + ") GROUP BY item_id, key) p JOIN ticket_view v ON v.item_id = p.key GROUP BY p.item_id"
        ),
        "q_alert": _listed(
            _in_chunk("event_alert", "parent", "child", ", 0 AS place")
            + " UNION ALL "
            + _of_session("session_alert", "parent", "child", ", 1"),
            "alert_view",
            "p.place, v.item_id",
        ),
    },
    ("JOIN event_view ev ON ev.item_id = b.item_id", *_SET_JOINS),
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
