# SPDX-License-Identifier: Apache-2.0

"""Which items the populations that grow with use have, and what belongs to each, as tables of item ids.

In:  folded records, names, relations, matches, and the bounds of what evidence there is.
Out: ``<population>_item`` (each with its instant, its bounds, what a waiver can name of it, and the session it belongs
     to), ``behind``, ``setting``, and tables of what hangs on sessions and rights.
"""

from collections.abc import Sequence

from app.trails.bulk.explained import explain
from app.trails.bulk.store import Store
from app.trails.bulk.tables import Derived, Tables
from app.trails.populations import PeriodView

BIG = ("session", "grant", "identity", "access_event", "session_event", "recording")
"""The populations made here; the others are small, and are made by ``app.trails.linking``."""

_NONE = "[]::VARCHAR[]"
_LATER = "(SELECT min(bound) FROM (SELECT bound FROM diff_bound GROUP BY bound HAVING count(*) = 1))"


def put_items(store: Store, tables: Tables, period: PeriodView, state_at: int, as_of_before: int) -> None:
    """Make the tables of items, and those that several queries share.

    Args:
        store: gets what is made whole.
        tables: get the rest.
        period: the audit period.
        state_at: the instant at which identities are shown.
        as_of_before: the instant that the freeze which is continued was made for.
    """
    tables.derive(_BEHIND)
    tables.derive(_last_use(period.as_of, as_of_before))
    tables.derive(_SETTING)
    tables.derive(_session_items(period))
    tables.derive(_GRANT_TARGET)
    tables.derive(_grant_items(period))
    tables.derive(_GRANT_USER)
    tables.derive(_access_event_items(period))
    explain(tables, period.as_of, as_of_before)
    tables.derive(_session_event_items(period))
    tables.derive(_recording_items(period))
    tables.derive(_identity_items(state_at))
    for table in _DECISIONS_AND_REASONS:
        tables.derive(table)
    for name, select in _PEOPLE:
        store.run(f"CREATE TABLE {name} AS {select}")


# Who stands behind each session, by its own login or by the one holder of the grants it used.
_BEHIND = Derived(
    "behind",
    "item_id",
    """
WITH holder AS (
  SELECT m.item_id, max(l.rid) AS rid
  FROM (FROM match_grant WHERE due(item_id)) m JOIN "grant" g ON g.item_id = m.grant_item
  JOIN login l ON l.source = g.source AND l.text = g.subject JOIN person p ON p.rid = l.rid
  WHERE m.used AND m.basis IN ('exact', 'derived')
  GROUP BY m.item_id HAVING count(DISTINCT p.item_id) = 1
), known AS (
  SELECT s.item_id, s.source, s.initiator, l.subjects,
    CASE WHEN l.rid IS NOT NULL OR coalesce(l.is_ambiguous, false) THEN l.rid ELSE h.rid END AS rid
  FROM (FROM session WHERE due(item_id)) s
  LEFT JOIN login l ON l.source = s.source AND l.text = s.subject LEFT JOIN holder h USING (item_id)
)
SELECT k.item_id, k.rid, p.person_key, i.ledger,
  CASE WHEN k.initiator IS NOT NULL THEN i.person_id ELSE p.person_id END AS person_id,
  list_concat(coalesce(k.subjects, []::VARCHAR[]), coalesce(p.subjects, []::VARCHAR[])) AS subjects
FROM known k
LEFT JOIN person p ON p.rid = k.rid
LEFT JOIN login il ON il.source = k.source AND il.text = k.initiator
LEFT JOIN person i ON i.rid = il.rid""",
    (
        "FROM changed_record_session",
        "SELECT item_id FROM diff_match_grant",
        "SELECT item_id FROM match_grant WHERE grant_item IN (FROM changed_record_grant)",
    ),
)


def _last_use(as_of: int, as_of_before: int) -> Derived:
    since, until = sorted((as_of, as_of_before))
    return Derived(
        "last_use",
        "grant_item",
        f"""
SELECT m.grant_item, max(struct_pack("at" := s.started_at, "ledger" := s.ledger)) AS use
FROM (FROM match_grant WHERE due(grant_item)) m JOIN session s USING (item_id)
WHERE m.used AND s.started_at <= {as_of} AND s.status IS DISTINCT FROM 'failed_attempt'
GROUP BY m.grant_item""",
        (
            "SELECT grant_item FROM diff_match_grant",
            "SELECT grant_item FROM match_grant WHERE item_id IN (FROM touched_session)",
            f"""
SELECT grant_item FROM match_grant
WHERE item_id IN (SELECT item_id FROM session WHERE started_at > {since} AND started_at <= {until})""",
        ),
    )


_SETTING = Derived(
    "setting",
    "item_id",
    """
SELECT s.item_id, coalesce(s.started_at, s.first_at) AS started, s.run_as, b.rid, b.person_key, b.subjects,
  CASE WHEN y.key IS NULL THEN []::VARCHAR[] ELSE [y.key] END AS targets,
  d.account, y.item_id AS system, y.view AS target_view, y.ledger AS target_ledger,
  CASE WHEN y.has_flow THEN y.flow ELSE f.flow END AS flow,
  c.grant_item AS chosen, m.basis, list_concat(coalesce(b.ledger, []::BIGINT[]), coalesce(dv.ledger, []::BIGINT[]))
    AS ledger
FROM (FROM session WHERE due(item_id)) s
JOIN (FROM behind WHERE due(item_id)) b USING (item_id)
JOIN (FROM match WHERE due(item_id)) m USING (item_id)
LEFT JOIN system y ON y.source = s.source AND y.text = s.target
LEFT JOIN door d ON d.source = s.source AND d.target = s.target AND d.name = s.run_as
LEFT JOIN (FROM match_grant WHERE due(item_id)) c ON c.item_id = s.item_id AND c.chosen
LEFT JOIN "grant" g ON g.item_id = c.grant_item
LEFT JOIN flow f ON f.source = g.source AND f.text = g.workflow_id
LEFT JOIN by_credential dv ON dv.item_id = s.item_id AND dv.n = 1""",
    (
        "FROM changed_record_session",
        *(f"SELECT item_id FROM diff_{table}" for table in ("behind", "match_grant", "by_credential")),
        """
SELECT item_id FROM session s
SEMI JOIN diff_door d ON d.source = s.source AND d.target = s.target AND d.name = s.run_as""",
        "SELECT item_id FROM setting WHERE chosen IN (FROM changed_record_grant)",
    ),
)


def _items(population: str, select: str, changed: Sequence[str]) -> Derived:
    """Return a table of items; ``approved`` becomes the bound of the evidence for it, ``decided`` is the instant."""
    item = f"{population}_item"
    return Derived(
        item,
        "item_id",
        f"""
SELECT x.* RENAME (approved AS decided), a.bound AS evidence, d.bound AS approved FROM ({select}) x
JOIN bound a ON x.at >= a.bound AND x.at < a.until JOIN bound d ON x.approved >= d.bound AND x.approved < d.until""",
        # A bound that came or went changes nothing before it.
        (*changed, f'SELECT item_id FROM {item} WHERE "at" >= {_LATER}'),
    )


def _session_items(period: PeriodView) -> Derived:
    return _items(
        "session",
        'SELECT s.item_id, s.source, t.started AS "at", t.started AS approved, t.subjects, t.targets,'
        " s.item_id AS session_item FROM (FROM session WHERE due(item_id)) s"
        " JOIN (FROM setting WHERE due(item_id)) t USING (item_id)"
        f" WHERE t.started >= {period.start} AND t.started < {period.end}",
        ("SELECT item_id FROM diff_setting",),
    )


_GRANT_TARGET = Derived(
    "grant_target",
    "item_id",
    """
SELECT g.item_id, list_sort(list_distinct(list(y.key))) AS keys,
  list_sort(list_distinct(list(coalesce(y.item_id, '')))) AS systems
FROM (SELECT item_id, source, unnest(targets) AS spelling FROM "grant" WHERE due(item_id)) g
LEFT JOIN system y ON y.source = g.source AND y.text = g.spelling
GROUP BY g.item_id""",
    ("FROM changed_record_grant",),
)


def _grant_items(period: PeriodView) -> Derived:
    begun = "coalesce(g.starts_at, g.requested_at, g.first_at)"
    ends = "least(g.expires_at, g.ended_at)"
    return _items(
        "grant",
        f'SELECT g.item_id, g.source, greatest({begun}, {period.start}) AS "at", {begun} AS approved, l.who, l.rid,'
        f" coalesce(l.subjects, {_NONE}) AS subjects, coalesce(t.keys, {_NONE}) AS targets,"
        " coalesce(f.flow, y.flow) AS flow, y.view AS target_view, y.ledger AS target_ledger"
        ' FROM (FROM "grant" WHERE due(item_id)) g LEFT JOIN login l ON l.source = g.source AND l.text = g.subject'
        " LEFT JOIN grant_target t ON t.item_id = g.item_id"
        " LEFT JOIN flow f ON f.source = g.source AND f.text = g.workflow_id"
        " LEFT JOIN (SELECT item_id, any_value(view) AS view, any_value(ledger) AS ledger, any_value(flow) AS flow"
        " FROM system WHERE item_id IS NOT NULL GROUP BY item_id) y"
        " ON len(t.systems) = 1 AND y.item_id = t.systems[1]"
        f" WHERE coalesce(g.state, '') NOT IN ('requested', 'denied') AND {begun} < {period.end}"
        f" AND ({ends} IS NULL OR {ends} > {period.start} OR {begun} >= {period.start})",
        ("FROM changed_record_grant",),
    )


_GRANT_USER = Derived(
    "grant_user",
    "item_id",
    "SELECT m.grant_item, m.item_id, m.basis FROM (FROM match_grant WHERE due(item_id)) m"
    " JOIN session_item USING (item_id) WHERE m.used",
    ("SELECT item_id FROM diff_match_grant", "SELECT item_id FROM diff_session_item"),
)


def _access_event_items(period: PeriodView) -> Derived:
    return _items(
        "access_event",
        'SELECT r.item_id, r.source, coalesce(r.at, r.first_at) AS "at", coalesce(r.at, r.first_at) AS approved,'
        " coalesce(l.subjects, []::VARCHAR[]) AS subjects,"
        " CASE WHEN y.key IS NULL THEN []::VARCHAR[] ELSE [y.key] END AS targets, r.session_id, r.account,"
        " y.key AS door, r.at AS seen, y.view AS target_view, y.ledger AS target_ledger"
        " FROM (FROM access_event WHERE due(item_id)) r"
        " LEFT JOIN login l ON l.source = r.source AND l.text = r.account"
        " LEFT JOIN system y ON y.source = r.source AND y.text = r.target"
        f" WHERE coalesce(r.at, r.first_at) >= {period.start} AND coalesce(r.at, r.first_at) < {period.end}",
        ("FROM changed_record_access_event",),
    )


def _session_event_items(period: PeriodView) -> Derived:
    at = "coalesce(r.at, r.first_at)"
    return _items(
        "session_event",
        f'SELECT r.item_id, r.source, {at} AS "at", {at} AS approved,'
        f" coalesce(t.subjects, {_NONE}) AS subjects,"
        f" coalesce(t.targets, {_NONE}) AS targets, t.item_id AS session_item"
        " FROM (FROM session_event WHERE due(item_id)) r"
        " LEFT JOIN (FROM session_child WHERE due(child)) c ON c.child = r.item_id"
        " LEFT JOIN setting t ON t.item_id = c.parent"
        f" WHERE {at} >= {period.start} AND {at} < {period.end}",
        ("FROM touched_session_event", _belonging("session_child")),
    )


def _recording_items(period: PeriodView) -> Derived:
    at = "coalesce(r.starts_at, t.started, r.first_at)"
    return _items(
        "recording",
        f'SELECT r.item_id, r.source, greatest({at}, {period.start}) AS "at",'
        f" greatest({at}, {period.start}) AS approved,"
        f" coalesce(t.subjects, {_NONE}) AS subjects, coalesce(t.targets, {_NONE}) AS targets,"
        " t.item_id AS session_item FROM (FROM recording WHERE due(item_id)) r"
        " LEFT JOIN (FROM session_recording WHERE due(child)) c ON c.child = r.item_id"
        f" LEFT JOIN setting t ON t.item_id = c.parent WHERE {at} < {period.end}"
        f" AND (r.disposed_at IS NULL OR r.disposed_at >= {period.start})",
        ("FROM touched_recording", _belonging("session_recording")),
    )


def _belonging(relation: str) -> str:
    # What is not told of itself can only get another session when that one is new, and then its setting is too.
    return f"SELECT child FROM {relation} WHERE parent IN (SELECT item_id FROM diff_setting)"


def _identity_items(state_at: int) -> Derived:
    return _items(
        "identity",
        f'SELECT i.*, {state_at}::BIGINT AS "at", {state_at}::BIGINT AS approved, {_NONE} AS targets'
        " FROM own_identity i",
        ("SELECT item_id FROM own_identity",),
    )


_WEAKEST = "CASE WHEN m.basis = 'exact' AND t.weakness > 0 THEN 'derived' ELSE m.basis END"
_TICKET_BASIS = "CASE weakness WHEN 0 THEN 'exact' ELSE 'derived' END"
_USED = "(FROM match_grant WHERE used AND due(item_id)) m"
_USERS = "(FROM grant_user WHERE basis IN ('exact', 'derived') AND due(grant_item)) u"

_DECISIONS_AND_REASONS = (
    Derived(
        "session_decision",
        "item_id",
        f"""
SELECT item_id, approval, arg_min(basis, place) AS basis FROM (
  SELECT parent AS item_id, child AS approval, 'exact' AS basis, 0 AS place FROM session_approval WHERE due(parent)
  UNION ALL
  SELECT m.item_id, a.child, m.basis, m.place FROM {_USED} JOIN grant_approval a ON a.parent = m.grant_item
) GROUP BY item_id, approval""",
        (
            "SELECT parent FROM diff_session_approval",
            "SELECT item_id FROM diff_match_grant",
            "SELECT item_id FROM match_grant WHERE grant_item IN (SELECT parent FROM diff_grant_approval)",
        ),
    ),
    Derived(
        "session_reason",
        "item_id",
        f"""
SELECT item_id, ticket, arg_min(basis, place) AS basis FROM (
  SELECT item_id, ticket, {_TICKET_BASIS} AS basis, 0 AS place
  FROM (FROM named_ticket WHERE due(item_id)) SEMI JOIN session USING (item_id)
  UNION ALL
  SELECT m.item_id, t.ticket, {_WEAKEST}, m.place FROM {_USED} JOIN named_ticket t ON t.item_id = m.grant_item
) GROUP BY item_id, ticket""",
        (
            "SELECT item_id FROM diff_named_ticket SEMI JOIN session USING (item_id)",
            "SELECT item_id FROM diff_match_grant",
            "SELECT item_id FROM match_grant WHERE grant_item IN (SELECT item_id FROM diff_named_ticket)",
        ),
    ),
    Derived(
        "grant_decision",
        "item_id",
        f"""
SELECT item_id, approval, arg_min(basis, place) AS basis FROM (
  SELECT parent AS item_id, child AS approval, 'exact' AS basis, '' AS place FROM grant_approval WHERE due(parent)
  UNION ALL
  SELECT u.grant_item, a.child, u.basis, u.item_id FROM {_USERS} JOIN session_approval a ON a.parent = u.item_id
) GROUP BY item_id, approval""",
        (
            "SELECT parent FROM diff_grant_approval",
            "SELECT grant_item FROM diff_grant_user",
            "SELECT grant_item FROM grant_user WHERE item_id IN (SELECT parent FROM diff_session_approval)",
        ),
    ),
    Derived(
        "grant_reason",
        "item_id",
        f"""
SELECT item_id, ticket, arg_min(basis, place) AS basis FROM (
  SELECT item_id, ticket, {_TICKET_BASIS} AS basis, '' AS place
  FROM (FROM named_ticket WHERE due(item_id)) SEMI JOIN "grant" USING (item_id)
  UNION ALL
  SELECT u.grant_item, r.ticket, r.basis, u.item_id FROM {_USERS} JOIN session_reason r USING (item_id)
) GROUP BY item_id, ticket""",
        (
            'SELECT item_id FROM diff_named_ticket SEMI JOIN "grant" USING (item_id)',
            "SELECT grant_item FROM diff_grant_user",
            "SELECT grant_item FROM grant_user WHERE item_id IN (SELECT item_id FROM diff_session_reason)",
        ),
    ),
)
"""What was decided about, and the reasons of, each session and right; of several ways the first counts."""

_PEOPLE = (
    (
        "grant_of_person",
        "SELECT i.item_id, g.item_id AS grant_item FROM own_identity i JOIN grant_item g ON g.who = i.person_key",
    ),
    (
        "session_of_person",
        """
SELECT i.item_id, s.item_id AS session_item FROM own_identity i
JOIN setting t ON t.person_key = i.person_key JOIN session_item s ON s.item_id = t.item_id""",
    ),
    (
        "review_of_person",
        """
SELECT i.item_id, r.item_id AS review FROM review r
JOIN responsible n ON n.source = r.source AND n.text = r.subject JOIN person p ON p.rid = n.rid
JOIN own_identity i ON i.person_key = p.person_key""",
    ),
)
"""What belongs to a person; people are shown as one segment, so it is always made whole."""
