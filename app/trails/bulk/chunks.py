# SPDX-License-Identifier: Apache-2.0

"""Lay what the rows of the same days show side by side, so that a query for some days reads a stretch of each table.

In:  items, relations, folded records and the views of rights; the days to be written. Out: tables ``near_<name>``, each
     with a column ``chunk`` and in that order; and ``place_<kind>``: the chunks in which each record is shown.
Sessions, their commands and their recordings show each other, and most of that happens within hours. So the days are
cut into chunks, and a chunk's rows are put together from its own part of each large table. What several chunks show,
such as a session of many days, is there several times; what none shows, not at all.
"""

from collections.abc import Iterator, Mapping, Sequence

import pyarrow as pa

from app.trails.bulk.store import Store, day_sql

OF_SESSIONS = ("session", "session_event", "recording")
"""The populations whose rows are put together by chunks."""
CHUNK_ITEMS = 40_000
"""Items of one population in a chunk: enough to be quick, few enough for a small memory."""

_SETTING = "SELECT item_id, rid, account, system, flow, chosen, basis, ledger FROM setting"
"""What a row asks of the setting of its session; the rest is wide."""
_OF_SESSION = {
    "setting": "item_id",
    "match_grant": "item_id",
    "session_decision": "item_id",
    "session_reason": "item_id",
    "session_recording": "parent",
    "session_child": "parent",
    "all_session_review": "parent",
    "session_alert": "parent",
    "raised_ticket": "parent",
}
"""Tables about sessions: the column that names the session."""
VIEWS_OF_RIGHTS = ("grant", "approval", "ticket")
"""Record types whose views are made for all chunks, and also shown with other populations."""
NEAR = (*_OF_SESSION, *(f"{kind}_view" for kind in (*VIEWS_OF_RIGHTS, *OF_SESSIONS)))
"""The tables of which each chunk has its own part."""

_OWN = {kind: f"SELECT chunk, item_id FROM {kind}_in_chunk" for kind in OF_SESSIONS}
_SHOWN: dict[str, tuple[str, ...]] = {
    "session_event": (_OWN["session_event"], "SELECT chunk, child FROM near_session_child"),
    "recording": (_OWN["recording"], "SELECT chunk, child FROM near_session_recording"),
    "grant": ("SELECT chunk, grant_item AS item_id FROM near_match_grant",),
    "approval": ("SELECT chunk, approval AS item_id FROM near_session_decision",),
    "ticket": (
        "SELECT chunk, ticket AS item_id FROM near_session_reason",
        "SELECT chunk, child FROM near_raised_ticket",
        "SELECT p.chunk, t.child FROM event_ticket t JOIN place_session_event p ON p.item_id = t.parent",
    ),
}
"""Record type to the queries for the chunks that show it."""

Chunk = Sequence[int]
"""Days since 1970, in order."""


def cut(days: Mapping[str, Mapping[int, int]]) -> list[Chunk]:
    """Cut days into chunks.

    Args:
        days: population to the days that are to be written, each with its number of items.
    """
    chunks: list[list[int]] = []
    room = 0
    for day in sorted(set().union(*days.values())):
        items = max(counts.get(day, 0) for counts in days.values())
        if items > room:
            chunks.append([])
            room = CHUNK_ITEMS
        chunks[-1].append(day)
        room -= items
    return list(chunks)


def put_places(store: Store, chunks: Sequence[Chunk]) -> None:
    """Make ``place_<kind>`` and the parts of all tables about sessions."""
    pairs = [{"day": day, "chunk": number} for number, chunk in enumerate(chunks) for day in chunk]
    store.put("chunk_of_day", pairs, pa.schema([pa.field("day", pa.int64()), pa.field("chunk", pa.int64())]))
    for statement in _statements():
        store.run(statement)


def near_sql(name: str, rows: str) -> str:
    """Return SQL that makes ``near_<name>`` of rows with a column ``chunk``."""
    return f"CREATE TABLE near_{name} AS {rows} ORDER BY chunk"


def of_chunk_sql(number: int) -> Iterator[str]:
    """Yield parts of a WITH clause by which the names of the large tables stand for their part of one chunk."""
    for name in NEAR:
        yield f"{name} AS (SELECT * EXCLUDE (chunk) FROM main.near_{name} WHERE chunk = {number})"


def _statements() -> Iterator[str]:
    for kind in OF_SESSIONS:
        yield (
            f"CREATE TABLE {kind}_in_chunk AS SELECT d.chunk, i.item_id, i.session_item FROM {kind}_item i"
            f" JOIN chunk_of_day d ON d.day = {day_sql('i.at')}"
        )
    sessions = " UNION ".join(f"SELECT chunk, session_item AS item_id FROM {kind}_in_chunk" for kind in OF_SESSIONS)
    yield f"CREATE TABLE place_session AS FROM ({sessions}) WHERE item_id IS NOT NULL"
    for table, session in _OF_SESSION.items():
        said = f"({_SETTING})" if table == "setting" else table
        yield near_sql(table, f"SELECT p.chunk, x.* FROM {said} x JOIN place_session p ON p.item_id = x.{session}")
    for kind, shown in _SHOWN.items():
        yield f"CREATE TABLE place_{kind} AS SELECT DISTINCT chunk, item_id FROM ({' UNION ALL '.join(shown)})"
