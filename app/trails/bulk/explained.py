# SPDX-License-Identifier: Apache-2.0

"""Which sessions account for each login that a target saw, for all at once; the rules are in ``app.trails.explaining``.

In:  logins in the period, sessions, what names mean, matches. Out: ``explained``: login and session.
"""

from app.trails.bulk.tables import Derived, Tables
from app.trails.windows import ACCESS_EVENT_TOLERANCE_MS

_STILL_OPEN = "SELECT item_id FROM session WHERE status = 'open' AND ended_at IS NULL"


def explain(tables: Tables, as_of: int, as_of_before: int) -> None:
    """Make ``explained``.

    Args:
        tables: get it.
        as_of: the instant of the judgment; a session that is still open lasts until then.
        as_of_before: that of the freeze which is continued.
    """
    moved = ("FROM changed_record_session", "SELECT item_id FROM diff_match_grant")
    tables.note("moved_session", moved if as_of == as_of_before else (*moved, _STILL_OPEN))
    tables.derive(
        Derived(
            "explained",
            "item_id",
            f"""
WITH asked AS (FROM access_event_item WHERE due(item_id)), found AS (
  FROM told_login
  UNION ALL
  {_in_window("(FROM asked ANTI JOIN told_login USING (item_id))", "session", as_of)}
)
SELECT f.item_id, f.session_item FROM found f
JOIN asked e USING (item_id) JOIN session s ON s.item_id = f.session_item
WHERE s.source <> e.source OR f.session_item IN (SELECT item_id FROM match_grant WHERE used)""",
            (
                "SELECT item_id FROM diff_access_event_item",
                "SELECT item_id FROM explained WHERE session_item IN (FROM moved_session)",
                f"SELECT item_id FROM ({_told('access_event_item')}) WHERE session_item IN (FROM moved_session)",
                "SELECT item_id FROM ("
                + _in_window("access_event_item", "(FROM session SEMI JOIN moved_session m ON m.key = item_id)", as_of)
                + ")",
            ),
            (("told_login", _told("(FROM access_event_item WHERE due(item_id))")),),
        )
    )


def _told(events: str) -> str:
    """Return SQL for logins that name their session."""
    return f"""
WITH same AS (
  SELECT e.item_id, s.item_id AS session_item FROM {events} e
  JOIN session s ON s.source = e.source AND s.id = e.session_id
)
FROM same UNION ALL
SELECT e.item_id, s.item_id FROM (FROM {events} ANTI JOIN same USING (item_id)) e
JOIN session s ON s.item_id = e.session_id"""


def _in_window(events: str, sessions: str, as_of: int) -> str:
    """Return SQL for logins at the door of a session while it lasted, and the sessions."""
    still_open = f"CASE WHEN s.status = 'open' THEN greatest(s.started_at, {as_of}) END"
    last = f"coalesce(s.ended_at, {still_open}, s.started_at)"
    return f"""
SELECT e.item_id, s.item_id AS session_item FROM {events} e
JOIN system y ON y.key = e.door
JOIN {sessions} s ON y.source = s.source AND y.text = s.target AND s.run_as = e.account
WHERE s.status IS DISTINCT FROM 'failed_attempt' AND {last} >= s.started_at
  AND s.started_at - {ACCESS_EVENT_TOLERANCE_MS} <= e.seen AND e.seen <= {last} + {ACCESS_EVENT_TOLERANCE_MS}"""
