# SPDX-License-Identifier: Apache-2.0

"""Which grant each session used, for all sessions at once; the rules are those of ``app.trails.grants``.

In:  folded sessions, grants and approvals, and resolved names.
Out: ``match`` (per session: basis and number of grants), ``match_grant`` (per session and grant: place, whether it is
     the one, whether it counts as used) and ``derived`` (with the ledger entries that prove a join by credential).
"""

from collections.abc import Iterable, Iterator
from typing import Any

import pyarrow as pa

from app.records.folding import FoldedRecord
from app.records.model import Credential, Grant, Session
from app.trails.bulk.names import LEDGER
from app.trails.bulk.store import Store
from app.trails.bulk.tables import Derived, Tables, listing_new
from app.trails.credentials import CredentialIndex

_DERIVED = pa.schema(
    [
        pa.field("credential_ref", pa.string()),
        pa.field("run_as", pa.string()),
        pa.field("subject", pa.string()),
        pa.field("grant_item", pa.string()),
        pa.field("ledger", LEDGER),
    ]
)

_ENDS = "least(g.expires_at, g.ended_at)"
_COVERS = f"(s.started_at >= g.starts_at AND ({_ENDS} IS NULL OR s.started_at < {_ENDS}))"

_NAMED_PARTS = (
    (
        "asks",
        """
SELECT item_id, source, unnest(list_distinct(grant_ids)) AS name FROM session
WHERE len(grant_ids) > 0 AND due(item_id)""",
    ),
    (
        "named",
        """
WITH same AS (
  SELECT a.item_id, a.name, g.item_id AS grant_item FROM asks a
  JOIN "grant" g ON g.source = a.source AND g.id = a.name
), whole AS (
  SELECT a.item_id, a.name, g.item_id AS grant_item
  FROM (SELECT * FROM asks ANTI JOIN same USING (item_id, name)) a JOIN "grant" g ON g.item_id = a.name
)
SELECT item_id, grant_item, row_number() OVER (PARTITION BY item_id ORDER BY min(name)) AS place
FROM (FROM same UNION ALL FROM whole) GROUP BY item_id, grant_item""",
    ),
)
"""Sessions that name their grants."""

_ISSUED = (
    "d.credential_ref IS NOT DISTINCT FROM s.credential_ref"
    " AND d.run_as IS NOT DISTINCT FROM s.run_as AND d.subject IS NOT DISTINCT FROM s.subject"
)

# Sessions whose credential a grant issued; where one credential is on several, the instant may tell them apart.
_BY_CREDENTIAL = Derived(
    "by_credential",
    "item_id",
    f"""
WITH issued AS (
  SELECT s.item_id, d.grant_item, d.ledger, coalesce({_COVERS}, false) AS covers
  FROM (FROM session WHERE due(item_id)) s JOIN derived d ON {_ISSUED}
  JOIN "grant" g ON g.item_id = d.grant_item
  WHERE coalesce(len(s.grant_ids), 0) = 0
)
SELECT item_id, grant_item, ledger, count(*) OVER (PARTITION BY item_id) AS n
FROM (SELECT *, count(*) FILTER (WHERE covers) OVER (PARTITION BY item_id) AS fitting FROM issued)
WHERE fitting <> 1 OR covers""",
    (
        "FROM touched_session",
        f"SELECT item_id FROM session s SEMI JOIN diff_derived d ON {_ISSUED}",
        f"""
SELECT item_id FROM session s SEMI JOIN (FROM derived WHERE grant_item IN (FROM touched_grant)) d ON {_ISSUED}""",
    ),
)

# What each grant opens for whom, and when: from its start or the first decision, whichever is later.
_DOOR_OF_GRANT = Derived(
    "door_of_grant",
    "item_id",
    f"""
WITH asked AS (FROM "grant" WHERE due(item_id)), first_decision AS (
  SELECT ga.parent AS item_id, min(a.decided_at) AS decided_at
  FROM asked JOIN grant_approval ga ON ga.parent = asked.item_id JOIN approval a ON a.item_id = ga.child
  WHERE a.decision = 'approved' GROUP BY ga.parent
), opening AS (
  SELECT g.item_id, g.source, g.basis, l.who, unnest(g.targets) AS spelling,
    coalesce({_ENDS}, 9223372036854775807) AS ends,
    coalesce(greatest(g.starts_at, f.decided_at), CASE g.basis WHEN 'standing' THEN -9223372036854775808 END) AS opens
  FROM asked g
  JOIN login l ON l.source = g.source AND l.text = g.subject
  LEFT JOIN first_decision f USING (item_id)
  WHERE coalesce(g.state, '') NOT IN ('requested', 'denied')
)
SELECT DISTINCT o.item_id, o.source, o.basis, o.who, y.key, o.opens, o.ends
FROM opening o JOIN system y ON y.source = o.source AND y.text = o.spelling
WHERE o.ends > o.opens""",
    (
        "FROM changed_record_grant",
        "SELECT parent FROM diff_grant_approval",
        "SELECT parent FROM grant_approval WHERE child IN (FROM touched_approval)",
    ),
)

_THROUGH = """
JOIN login l ON l.source = s.source AND l.text = s.subject
JOIN system y ON y.source = s.source AND y.text = s.target
JOIN {} d ON d.who = l.who AND d.key = y.key AND d.opens <= s.started_at AND s.started_at < d.ends"""

_MATCH_GRANT = Derived(
    "match_grant",
    "item_id",
    # Of several grants that a session names, the shortest that is known to cover its start is the one.
    f"""
WITH judged AS (
  SELECT c.*, count(*) OVER (PARTITION BY c.item_id) AS n,
    CASE WHEN {_COVERS} THEN {_ENDS} - g.starts_at END AS length
  FROM candidate c JOIN session s USING (item_id) JOIN "grant" g ON g.item_id = c.grant_item
), shortest AS (
  SELECT item_id, min(length) AS length, count(*) FILTER (WHERE length = least_length) AS n FROM (
    SELECT item_id, length, min(length) OVER (PARTITION BY item_id) AS least_length FROM judged
  ) GROUP BY item_id
)
SELECT j.item_id, j.grant_item, j.place, j.basis, j.basis <> 'ambiguous' AS used,
  CASE WHEN j.basis = 'ambiguous' THEN false WHEN j.n = 1 THEN true
    ELSE coalesce(j.length = t.length AND t.n = 1, false) END AS chosen
FROM judged j JOIN shortest t USING (item_id)""",
    (
        "FROM changed_record_session",
        listing_new("session", "grant_ids", "grant"),
        "SELECT item_id FROM match_grant WHERE grant_item IN (FROM touched_grant)",
        "SELECT item_id FROM diff_by_credential",
        f"SELECT s.item_id FROM session s {_THROUGH.format('diff_door_of_grant')}",
    ),
    (
        *_NAMED_PARTS,
        (
            # The others: whose window holds the session's start, for this person on this target.
            "by_window",
            f"""
SELECT DISTINCT s.item_id, d.item_id AS grant_item
FROM (FROM session WHERE due(item_id)) s {_THROUGH.format("door_of_grant")}
WHERE coalesce(len(s.grant_ids), 0) = 0
  AND s.item_id NOT IN (SELECT item_id FROM by_credential)
  AND NOT (s.grant_ids IS NOT NULL AND d.source = s.source AND coalesce(d.basis, '') <> 'standing')""",
        ),
        (
            "candidate",
            """
SELECT item_id, grant_item, place, 'exact' AS basis FROM named
UNION ALL
SELECT item_id, grant_item, row_number() OVER (PARTITION BY item_id ORDER BY grant_item),
  CASE WHEN n > 1 THEN 'ambiguous' ELSE 'derived' END FROM by_credential WHERE due(item_id)
UNION ALL
SELECT item_id, grant_item, row_number() OVER (PARTITION BY item_id ORDER BY grant_item),
  CASE WHEN count(*) OVER (PARTITION BY item_id) > 1 THEN 'ambiguous' ELSE 'window' END FROM by_window""",
        ),
    ),
)

_MATCH = Derived(
    "match",
    "item_id",
    """
SELECT s.item_id, coalesce(any_value(m.basis), 'none') AS basis, count(m.grant_item) AS n
FROM (FROM session WHERE due(item_id)) s LEFT JOIN (FROM match_grant WHERE due(item_id)) m USING (item_id)
GROUP BY s.item_id""",
    ("FROM touched_session", "SELECT item_id FROM diff_match_grant"),
)


def match(store: Store, tables: Tables, credentials: Iterable[FoldedRecord[Credential]]) -> None:
    """Make the tables that say which grants each session used."""
    tables.put("derived", _derived(store, credentials), _DERIVED)
    for table in (_BY_CREDENTIAL, _DOOR_OF_GRANT, _MATCH_GRANT, _MATCH):
        tables.derive(table)


def _derived(store: Store, credentials: Iterable[FoldedRecord[Credential]]) -> Iterator[dict[str, Any]]:
    """Yield what a login's credential leads to, once per combination of names; costly only where grants have any."""
    grants = [
        FoldedRecord(
            source=source,
            record=Grant(id=record_id, credential_ref=reference),
            ledger=(),
            versions=1,
            first_observed_at=0,
            last_observed_at=0,
        )
        for source, record_id, reference in store.rows(
            """SELECT source, id, credential_ref FROM "grant" WHERE credential_ref <> '' ORDER BY item_id"""
        )
    ]
    if not grants:
        return
    index = CredentialIndex(grants, credentials)
    asked = "SELECT DISTINCT credential_ref, run_as, subject FROM session WHERE coalesce(len(grant_ids), 0) = 0"
    for reference, run_as, subject in store.rows(asked):
        login = Session(id="asked", credential_ref=reference, run_as=run_as, subject=subject)
        for issued in index.grants_of(login):
            yield {
                "credential_ref": reference,
                "run_as": run_as,
                "subject": subject,
                "grant_item": issued.grant.item_id,
                "ledger": sorted(issued.ledger),
            }
