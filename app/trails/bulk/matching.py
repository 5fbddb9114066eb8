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

_MATCH = f"""
-- Sessions that name their grants.
CREATE TABLE asks AS
SELECT item_id, source, unnest(list_distinct(grant_ids)) AS name FROM session WHERE len(grant_ids) > 0;
CREATE TABLE named AS
WITH same AS (
  SELECT a.item_id, a.name, g.item_id AS grant_item FROM asks a
  JOIN "grant" g ON g.source = a.source AND g.id = a.name
), whole AS (
  SELECT a.item_id, a.name, g.item_id AS grant_item
  FROM (SELECT * FROM asks ANTI JOIN same USING (item_id, name)) a JOIN "grant" g ON g.item_id = a.name
)
SELECT item_id, grant_item, row_number() OVER (PARTITION BY item_id ORDER BY min(name)) AS place
FROM (FROM same UNION ALL FROM whole) GROUP BY item_id, grant_item;

-- Sessions whose credential a grant issued; where one credential is on several, the instant may tell them apart.
CREATE TABLE issued AS
SELECT s.item_id, d.grant_item, d.ledger, coalesce({_COVERS}, false) AS covers
FROM session s JOIN derived d ON d.credential_ref IS NOT DISTINCT FROM s.credential_ref
  AND d.run_as IS NOT DISTINCT FROM s.run_as AND d.subject IS NOT DISTINCT FROM s.subject
JOIN "grant" g ON g.item_id = d.grant_item
WHERE coalesce(len(s.grant_ids), 0) = 0;
CREATE TABLE by_credential AS
SELECT item_id, grant_item, ledger, count(*) OVER (PARTITION BY item_id) AS n
FROM (SELECT *, count(*) FILTER (WHERE covers) OVER (PARTITION BY item_id) AS fitting FROM issued)
WHERE fitting <> 1 OR covers;

-- The others: whose window holds the session's start, for this person on this target.
CREATE TABLE first_decision AS
SELECT ga.parent AS item_id, min(a.decided_at) AS decided_at
FROM grant_approval ga JOIN approval a ON a.item_id = ga.child WHERE a.decision = 'approved' GROUP BY ga.parent;
CREATE TABLE opening AS
SELECT g.item_id, g.source, g.basis, l.who, g.targets, {_ENDS} AS ends,
  coalesce(greatest(g.starts_at, f.decided_at), CASE g.basis WHEN 'standing' THEN -9223372036854775808 END) AS opens
FROM "grant" g
JOIN login l ON l.source = g.source AND l.text = g.subject
LEFT JOIN first_decision f USING (item_id)
WHERE coalesce(g.state, '') NOT IN ('requested', 'denied');
CREATE TABLE door_of_grant AS
SELECT DISTINCT o.item_id, o.source, o.basis, o.who, y.key, o.opens, coalesce(o.ends, 9223372036854775807) AS ends
FROM (SELECT *, unnest(targets) AS spelling FROM opening WHERE opens IS NOT NULL) o
JOIN system y ON y.source = o.source AND y.text = o.spelling
WHERE coalesce(o.ends, 9223372036854775807) > o.opens;
CREATE TABLE by_window AS
SELECT DISTINCT s.item_id, d.item_id AS grant_item
FROM session s
JOIN login l ON l.source = s.source AND l.text = s.subject
JOIN system y ON y.source = s.source AND y.text = s.target
JOIN door_of_grant d ON d.who = l.who AND d.key = y.key AND d.opens <= s.started_at AND s.started_at < d.ends
WHERE coalesce(len(s.grant_ids), 0) = 0
  AND s.item_id NOT IN (SELECT item_id FROM by_credential)
  AND NOT (s.grant_ids IS NOT NULL AND d.source = s.source AND coalesce(d.basis, '') <> 'standing');

CREATE TABLE candidate AS
SELECT item_id, grant_item, place, 'exact' AS basis FROM named
UNION ALL
SELECT item_id, grant_item, row_number() OVER (PARTITION BY item_id ORDER BY grant_item),
  CASE WHEN n > 1 THEN 'ambiguous' ELSE 'derived' END FROM by_credential
UNION ALL
SELECT item_id, grant_item, row_number() OVER (PARTITION BY item_id ORDER BY grant_item),
  CASE WHEN count(*) OVER (PARTITION BY item_id) > 1 THEN 'ambiguous' ELSE 'window' END FROM by_window;

-- Of several grants that a session names, the shortest that is known to cover its start is the one.
CREATE TABLE match_grant AS
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
FROM judged j JOIN shortest t USING (item_id);
CREATE TABLE match AS
SELECT s.item_id, coalesce(any_value(m.basis), 'none') AS basis, count(m.grant_item) AS n
FROM session s LEFT JOIN match_grant m USING (item_id) GROUP BY s.item_id"""


def match(store: Store, credentials: Iterable[FoldedRecord[Credential]]) -> None:
    """Make the tables that say which grants each session used."""
    store.put("derived", _derived(store, credentials), _DERIVED)
    for statement in _MATCH.split(";\n"):
        store.run(statement)


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
