# SPDX-License-Identifier: Apache-2.0

"""The views of everything that grows with use, as one table per record type: ``item_id``, ``view``, ``ledger``.

In:  folded records and resolved names. Out: the tables ``grant_view``, ``approval_view`` and so on.
A field of a view is the field of its record with the same name, unless a line here says otherwise; the lines say what
``app.trails.right_views`` and ``app.trails.evidence_views`` say. ``ledger`` may hold an index twice.
A view that tells how it was joined gets ``link_basis`` where it is joined: it is the last field.
"""

from collections.abc import Iterator, Mapping

import msgspec
import pyarrow as pa

from app.trails.arrow import arrow_schema
from app.trails.bulk.chunks import VIEWS_OF_RIGHTS, near_sql
from app.trails.bulk.store import Store
from app.trails.flags import Flags
from app.trails.populations import (
    AccessEventView,
    AlertView,
    ApprovalView,
    EventRef,
    FlagView,
    GrantView,
    RecordingView,
    ReviewView,
    SessionRef,
    SessionView,
    TicketView,
)

_BATCH = 2_048
_FLAGS = pa.schema(
    [pa.field("text", pa.string()), pa.field("flags", pa.list_(pa.struct(list(arrow_schema(FlagView)))))]
)
_SQL_TYPES: dict[pa.DataType, str] = {
    pa.string(): "VARCHAR",
    pa.int64(): "BIGINT",
    pa.bool_(): "BOOLEAN",
    pa.float64(): "DOUBLE",
}


def put_views(store: Store, flags: Flags) -> None:
    """Make the tables of views.

    Args:
        store: has the records, names, relations, matches and places.
        flags: judges the texts of commands.
    """
    store.put_batches("flagged", _FLAGS, _flagged(store, flags))
    for statement in _statements():
        store.run(statement)


def status_sql(person: str, at: str) -> str:
    """Return SQL for a person's status at an instant, as ``app.trails.identities.status_at`` tells it."""
    return (
        f"CASE WHEN {person}.end_at IS NULL THEN {person}.status WHEN {at} IS NULL THEN NULL"
        f" WHEN {at} >= {person}.end_at THEN 'terminated'"
        f" WHEN {person}.status = 'suspended' THEN 'suspended' ELSE 'active' END"
    )


def struct_sql(view: type[msgspec.Struct], said: Mapping[str, str], *, without: str | None = None) -> str:
    """Return SQL for a view: each field is ``r.<field>``, or what ``said`` says, as the type of the view."""
    fields = [field for field in arrow_schema(view) if field.name != without]
    parts = [f'"{field.name}" := ({said.get(field.name) or _own(field.name)}){_cast(field.type)}' for field in fields]
    return f"struct_pack({', '.join(parts)})"


def _own(name: str) -> str:
    return f'r."{name}"'


def _cast(kind: pa.DataType) -> str:
    return f"::{_SQL_TYPES[kind]}" if kind in _SQL_TYPES else ""


def _table(name: str, kind: str, view: str, joins: str = "", ledger: str = "r.ledger", more: str = "") -> str:
    return f'CREATE TABLE {name} AS SELECT r.item_id, {view} AS view, {ledger} AS ledger{more} FROM "{kind}" r {joins}'


def _near(kind: str, name: str, view: str, joins: str = "", more: str = "") -> str:
    """As ``_table``, of records that are shown by chunks only."""
    records = f'(SELECT p.chunk, x.* FROM "{kind}" x JOIN place_{kind} p USING (item_id)) r'
    return near_sql(name, f"SELECT r.chunk, r.item_id, {view} AS view, r.ledger AS ledger{more} FROM {records} {joins}")


def _login(name: str, column: str) -> str:
    """Return joins that tell who a login is: ``name`` is the person."""
    return (
        f" LEFT JOIN login l_{name} ON l_{name}.source = r.source AND l_{name}.text = r.{column}"
        f" LEFT JOIN person {name} ON {name}.rid = l_{name}.rid"
    )


def _responsible(name: str, column: str) -> str:
    return (
        f" LEFT JOIN responsible l_{name} ON l_{name}.source = r.source AND l_{name}.text = r.{column}"
        f" LEFT JOIN person {name} ON {name}.rid = l_{name}.rid"
    )


def _all(*lists: str) -> str:
    """Return SQL that joins lists of ledger indices, some of which may be missing."""
    return "flatten([" + ", ".join(f"coalesce({each}, []::BIGINT[])" for each in lists) + "])"


def _statements() -> Iterator[str]:
    yield _grants()
    yield _approvals()
    system = "LEFT JOIN system y ON y.source = r.source AND y.text = r.target"
    yield _sessions(system)
    said = {"id": "r.item_id", "target_id": "y.id"}
    yield _table("session_ref", "session", struct_sql(SessionRef, said), system)
    yield _events()
    yield _near("recording", "recording_view", struct_sql(RecordingView, {"state": "coalesce(r.state, 'unknown')"}))
    about = {"about": "NULL"}
    yield _table("ticket_view", "ticket", struct_sql(TicketView, about, without="link_basis"))
    for kind in VIEWS_OF_RIGHTS:
        yield near_sql(f"{kind}_view", f"SELECT p.chunk, v.* FROM {kind}_view v JOIN place_{kind} p USING (item_id)")
    said = {
        "kind": "coalesce(nullif(r.kind, ''), 'unknown')",
        "reviewer_id": "coalesce(w.key, r.reviewer)",
        "reviewer_person_id": "w.person_id",
    }
    ledger = _all("r.ledger", "w.ledger")
    yield _table("review_view", "review", struct_sql(ReviewView, said), _responsible("w", "reviewer"), ledger)
    said = {"acknowledged_by_person_id": "w.person_id"}
    yield _table("alert_view", "alert", struct_sql(AlertView, said), _responsible("w", "acknowledged_by"), ledger)
    said = {"occurred_at": "r.at", "target_id": "y.id", "privileged": "r.privileged IS DISTINCT FROM false"}
    yield _table("access_event_view", "access_event", struct_sql(AccessEventView, said), system)


def _grants() -> str:
    said = {
        "person_id": "holder.person_id",
        "requester_person_id": "asker.person_id",
        "target_ids": "coalesce(t.ids, []::VARCHAR[])",
        "basis": "coalesce(r.basis, 'unknown')",
        "privileged": "r.privileged IS DISTINCT FROM false",
        "ends_at": "least(r.expires_at, r.ended_at)",
    }
    joins = (
        _login("holder", "subject")
        + _login("asker", "requester")
        + " LEFT JOIN (SELECT g.item_id, list_sort(list_distinct(list(coalesce(y.id, g.spelling)))) AS ids"
        + ' FROM (SELECT item_id, source, unnest(targets) AS spelling FROM "grant") g'
        + " LEFT JOIN system y ON y.source = g.source AND y.text = g.spelling GROUP BY g.item_id) t"
        + " ON t.item_id = r.item_id"
    )
    ledger = _all("r.ledger", "holder.ledger", "asker.ledger")
    return _table("grant_view", "grant", struct_sql(GrantView, said, without="link_basis"), joins, ledger)


def _approvals() -> str:
    said = {
        "decision": "coalesce(r.decision, 'unknown')",
        "mode": "coalesce(r.mode, 'unknown')",
        "approver_id": "w.key",
        "approver_person_id": "w.person_id",
        "approver_status": status_sql("w", "r.decided_at"),
        "approver_kind": "w.kind",
    }
    view = struct_sql(ApprovalView, said, without="link_basis")
    more = ", coalesce(r.decided_at, 9223372036854775807) AS decided"
    return _table("approval_view", "approval", view, _login("w", "approver"), _all("r.ledger", "w.ledger"), more)


def _sessions(system: str) -> str:
    said = {
        "initiator_person_id": "i.person_id",
        "target_id": "y.id",
        "privileged": "r.privileged IS DISTINCT FROM false",
        "status": "CASE WHEN r.status = 'open' AND r.ended_at IS NOT NULL THEN 'closed'"
        " ELSE coalesce(r.status, 'unknown') END",
        "max_idle": "r.max_idle_ms",
        "draw": "('0x' || substr(sha256('proofroom-draw:' || r.item_id), 1, 12))::BIGINT / 281474976710656.0::DOUBLE",
        "grant_link": "m.basis",
        "grant_candidates": "m.n",
    }
    joins = f"{system} JOIN match m ON m.item_id = r.item_id JOIN behind i ON i.item_id = r.item_id"
    return _near("session", "session_view", struct_sql(SessionView, said), joins)


def _events() -> str:
    said = {
        "kind": "coalesce(r.kind, 'unknown')",
        "downstream": "y.id",
        "flags": "coalesce(f.flags, [])",
    }
    joins = "LEFT JOIN system y ON y.source = r.source AND y.text = r.downstream LEFT JOIN flagged f ON f.text = r.text"
    return _near("session_event", "session_event_view", struct_sql(EventRef, said), joins, ", r.text, r.seq, r.at")


def _flagged(store: Store, flags: Flags) -> Iterator[pa.RecordBatch]:
    """Yield the texts that meet a rule, each once."""
    for batch in store.batches(
        "SELECT DISTINCT text FROM session_event SEMI JOIN place_session_event USING (item_id) WHERE text <> ''", _BATCH
    ):
        texts = batch.column(0).to_pylist()
        found = [
            {"text": text, "flags": [msgspec.to_builtins(flag) for flag in met]}
            for text, met in zip(texts, flags.of_each(texts), strict=True)
            if met
        ]
        if found:
            yield pa.RecordBatch.from_pylist(found, schema=_FLAGS)
