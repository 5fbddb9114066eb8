# SPDX-License-Identifier: Apache-2.0

"""Which items the populations that grow with use have, and what belongs to each, as tables of item ids.

In:  folded records, names, relations and matches. Out: ``<population>_items`` (each with its instant, what a waiver can
name of it, and the session it belongs to), ``behind``, ``setting``, and tables of what hangs on sessions and rights.
"""

from collections.abc import Iterator

from app.trails.bulk.store import Store
from app.trails.populations import PeriodView
from app.trails.windows import ACCESS_EVENT_TOLERANCE_MS

BIG = ("session", "grant", "identity", "access_event", "session_event", "recording")
"""The populations made here; the others are small, and are made by ``app.trails.linking``."""

_NONE = "[]::VARCHAR[]"


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


def _prepare(period: PeriodView, state_at: int) -> Iterator[str]:
    yield f"""
CREATE TABLE last_use AS
SELECT m.grant_item, max(struct_pack("at" := s.started_at, "ledger" := s.ledger)) AS use
FROM match_grant m JOIN session s USING (item_id)
WHERE m.used AND s.started_at <= {period.as_of} AND s.status IS DISTINCT FROM 'failed_attempt'
GROUP BY m.grant_item"""
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
        f'SELECT r.item_id, r.source, {at} AS "at", {at} AS approved,'
        f" coalesce(t.subjects, {_NONE}) AS subjects,"
        f" coalesce(t.targets, {_NONE}) AS targets, t.item_id AS session_item FROM session_event r"
        " LEFT JOIN session_child c ON c.child = r.item_id LEFT JOIN setting t ON t.item_id = c.parent"
        f" WHERE {at} >= {period.start} AND {at} < {period.end}",
    )
    at = "coalesce(r.starts_at, t.started, r.first_at)"
    yield _items(
        "recording",
        f'SELECT r.item_id, r.source, greatest({at}, {period.start}) AS "at",'
        f" greatest({at}, {period.start}) AS approved,"
        f" coalesce(t.subjects, {_NONE}) AS subjects, coalesce(t.targets, {_NONE}) AS targets,"
        " t.item_id AS session_item FROM recording r LEFT JOIN session_recording c ON c.child = r.item_id"
        f" LEFT JOIN setting t ON t.item_id = c.parent WHERE {at} < {period.end}"
        f" AND (r.disposed_at IS NULL OR r.disposed_at >= {period.start})",
    )
    yield _items(
        "identity",
        f'SELECT i.*, {state_at}::BIGINT AS "at", {state_at}::BIGINT AS approved, {_NONE} AS targets'
        " FROM own_identity i",
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
    still_open = f"CASE WHEN s.status = 'open' THEN greatest(s.started_at, {period.as_of}) END"
    last = f"coalesce(s.ended_at, {still_open}, s.started_at)"
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
WHERE s.source <> e.source OR f.session_item IN (SELECT item_id FROM match_grant WHERE used)"""


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
) GROUP BY item_id, ticket""",
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
) GROUP BY item_id, ticket""",
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
