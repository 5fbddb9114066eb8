# SPDX-License-Identifier: Apache-2.0

"""Freeze a period out of observations: link everything as sets, and write the segments.

In:  observations by record type, completeness boxes, a period, the rules for texts. Out: the segments.
"""

import logging
import tempfile
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import duckdb
import msgspec
import pyarrow as pa

from app.errors import InvalidInput
from app.records.folding import FoldedRecord, fold
from app.records.model import RECORD_CLASSES, AccessRecord, Observation, RecordType
from app.trails.arrow import arrow_schema, conform
from app.trails.bulk.changes import COMPARED, changed_days
from app.trails.bulk.chunks import OF_SESSIONS, Chunk, cut, put_places
from app.trails.bulk.items import BIG, put_behind, put_items
from app.trails.bulk.links import link
from app.trails.bulk.matching import match
from app.trails.bulk.names import LEDGER, TEXTS, Names
from app.trails.bulk.rows import Rows
from app.trails.bulk.store import GROWING, Store, day_sql
from app.trails.bulk.views import put_views
from app.trails.evidence import SourceCoverage
from app.trails.flags import Flagger
from app.trails.index import TrailIndex
from app.trails.linking import make_frame, populations
from app.trails.model import PeriodLike
from app.trails.populations import POPULATIONS, EvidenceView, WaiverRef
from app.trails.rows import Frame
from app.trails.segments import Segments, segment_schema
from app.trails.views import Use

_LOG = logging.getLogger(__name__)

LINKING = ".linking-"
"""How folders are called that a freeze works in."""

Batches = Callable[[int], Iterable[pa.RecordBatch]]
ToldAt = Callable[[list[int]], Iterable[pa.RecordBatch]]
Observations = Callable[[Collection[RecordType]], Iterable[Observation]]


class Sources(msgspec.Struct, frozen=True, kw_only=True):
    """Where a freeze reads from.

    Attributes:
        batches: gives the observations of ledger entries from an index on, as Arrow batches of
            ``app.records.columns.OBSERVATIONS``.
        told_at: gives those of the entries at some indices.
        observations: gives the observations of some record types.
        size: number of ledger entries that were there before reading began.
        root: gives the ledger's root over its first so many entries, hex; it tells one ledger from another.
        coverages: what each source can speak for.
        as_of: instant the judgment is made for, epoch milliseconds.
    """

    batches: Batches
    told_at: ToldAt
    observations: Observations
    size: int
    root: Callable[[int], str]
    coverages: list[SourceCoverage]
    as_of: int


class Keep(msgspec.Struct, frozen=True, kw_only=True):
    """Where the tables of a freeze are kept, so that the next one writes only the days that changed.

    Attributes:
        file: a file of DuckDB beside the folders of segments; it is there after the first freeze, and each replaces it.
        name: what the folder of this freeze's segments will be called when the next one looks for it.
        made_for: everything but records that rows depend on, in a few words; other words, and the file is not read.
    """

    file: Path
    name: str
    made_for: str


class _Earlier(msgspec.Struct, frozen=True):
    """What an earlier freeze left: the number of ledger entries it had read, the folder of its segments, and theirs."""

    size: int
    segments: Path
    digests: dict[str, str]


def freeze_in_bulk(
    sources: Sources,
    period: PeriodLike,
    directory: Path,
    flagger: Flagger | None,
    memory_limit: str,
    keep: Keep | None = None,
) -> dict[str, str]:
    """Write every population's segments; see ``app.trails.segments.freeze`` for what they are.

    Args:
        sources: what is known.
        period: the audit period.
        directory: where to write.
        flagger: knows the risk rules for the texts of commands.
        memory_limit: as DuckDB spells it; what does not fit goes to the disk.
        keep: with it, days that are as an earlier freeze wrote them are taken from there. The bytes are the same.

    Raises:
        InvalidInput: a record holds what no segment can.
    """
    directory.mkdir(parents=True, exist_ok=True)
    for before in [keep.file, None] if keep else [None]:
        with tempfile.TemporaryDirectory(prefix=LINKING, dir=directory.parent) as scratch:
            store = Store(Path(scratch), memory_limit, _KEPT if keep else (), before)
            earlier = None
            try:
                earlier = _earlier(store, sources, keep) if keep else None
                digests = _freeze(store, sources, period, directory, flagger, earlier)
                if keep:
                    _keep(store, keep, sources, digests)
            except (duckdb.Error, pa.ArrowException) as error:
                if earlier is not None:
                    # It may be the file that is damaged, and not the records; without it, that shows.
                    _LOG.warning("what is kept of an earlier freeze cannot be used; everything is linked anew")
                    continue
                what = f"the records cannot be linked ({type(error).__name__}: {str(error).splitlines()[0][:200]})"
                raise InvalidInput(what, where="freeze") from error
            finally:
                store.close()
            if keep:
                store.kept.replace(keep.file)
            break
    return digests


_KEPT = ("state", "segment", *GROWING, *COMPARED)
_STATE = pa.schema([pa.field(name, pa.string()) for name in ("made_for", "root", "segments")]).append(
    pa.field("size", pa.int64())
)
_DIGESTS = pa.schema([pa.field("name", pa.string()), pa.field("sha256", pa.string())])


def _earlier(store: Store, sources: Sources, keep: Keep) -> _Earlier | None:
    """Return what an earlier freeze left, if it was for the same and its segments are still there.

    The same is also the ledger up to there: it may be another one, restored from a backup and grown differently since.

    It is read from the very file that the store has open: another process may put a newer one in its place meanwhile.
    """
    if not store.has_earlier:
        return None
    try:
        [(made_for, size, root, name)] = store.rows("SELECT made_for, size, root, segments FROM old.state")
        digests = dict(store.rows("SELECT name, sha256 FROM old.segment"))
    except (duckdb.Error, ValueError):
        return None
    segments = keep.file.parent / name
    is_same = made_for == keep.made_for and size <= sources.size and root == sources.root(size)
    return _Earlier(size, segments, digests) if is_same and segments.is_dir() else None


def _keep(store: Store, keep: Keep, sources: Sources, digests: Mapping[str, str]) -> None:
    root = sources.root(sources.size)
    store.put("state", [{"made_for": keep.made_for, "root": root, "segments": keep.name, "size": sources.size}], _STATE)
    store.put("segment", [{"name": name, "sha256": sha256} for name, sha256 in digests.items()], _DIGESTS)


def _freeze(
    store: Store,
    sources: Sources,
    period: PeriodLike,
    directory: Path,
    flagger: Flagger | None,
    earlier: _Earlier | None,
) -> dict[str, str]:
    _take_in(store, sources, earlier)
    inventory = fold(sources.observations([kind for kind in RecordType if kind not in GROWING]))
    index = TrailIndex([*inventory, *_wanted(store, inventory)])
    frame = make_frame(index, sources.coverages, period, sources.as_of, flagger)
    names = Names(index, store)
    names.resolve()
    link(store)
    match(store, index.credential_records)
    put_behind(store)
    first_uses = _first_uses(store, index, frame)
    names.put_accounts(first_uses)
    names.put_identities(frame.state_at)
    put_items(store, frame.period, frame.state_at)
    _put_evidence(store, frame)
    _put_waivers(store, frame)
    small = populations(msgspec.structs.replace(frame, first_uses=first_uses), sources.coverages)
    segments = Segments(directory, frame.period)
    days = {population: _days(store, population) for population in BIG}
    if earlier:
        days = days | _remaining(store, days, segments, earlier)
    chunks = cut({population: days[population] for population in OF_SESSIONS})
    put_places(store, chunks)
    put_views(store, frame.flags)
    rows = Rows(store)
    for population in POPULATIONS:
        if population in BIG:
            segments.write_batches(population, _batches(rows, population, days[population], chunks))
        else:
            segments.write_rows(population, small[population])
    return segments.finish()


def _take_in(store: Store, sources: Sources, earlier: _Earlier | None) -> None:
    """Make the tables of the record types that grow."""
    store.receive(sources.batches(earlier.size if earlier else 0))
    for kind in GROWING:
        if earlier:
            store.fold_more(kind, sources.told_at)
        else:
            store.fold(kind)
    store.run("DROP TABLE raw")


def _batches(rows: Rows, population: str, days: Mapping[int, int], chunks: Sequence[Chunk]) -> Iterator[pa.RecordBatch]:
    """Yield a population's rows of some days, by day and item id, each batch with the day in front."""
    with_day = pa.schema([pa.field("day", pa.int64()), *segment_schema(population)])
    for some, number in _parts(population, days, chunks):
        for batch in rows.batches(population, some, number):
            yield conform(batch, with_day)


def _parts(
    population: str, days: Mapping[int, int], chunks: Sequence[Chunk]
) -> Iterator[tuple[Sequence[int], int | None]]:
    """Yield days together, as many as fit into a small memory, and the chunk that they are of, where there are any."""
    if population not in OF_SESSIONS:
        yield from ((some, None) for some in cut({population: days}))
        return
    for number, chunk in enumerate(chunks):
        some = [day for day in chunk if day in days]
        if some:
            yield some, number


def _remaining(
    store: Store, days: Mapping[str, Mapping[int, int]], segments: Segments, earlier: _Earlier
) -> dict[str, dict[int, int]]:
    """Take the days over that are as they were; return, per daily population, those that must be written."""
    return {
        population: {
            day: items
            for day, items in days[population].items()
            if day in changed or not segments.take(population, day, earlier.segments, earlier.digests)
        }
        for population, changed in changed_days(store).items()
    }


def _days(store: Store, population: str) -> dict[int, int]:
    """Return the days that a population has items on, in order, with how many."""
    at = day_sql('"at"')
    sql = f"SELECT {at} AS day, count(*) FROM {population}_item GROUP BY day ORDER BY day"
    return dict(store.rows(sql))


def _first_uses(store: Store, index: TrailIndex, frame: Frame) -> dict[str, Use]:
    """Return the first use of every account in the period, brokered or seen by its target only."""
    at = f'"at" >= {frame.period.start} AND "at" < {frame.period.end}'
    sql = f"""
SELECT source, target, name, min(struct_pack("at" := "at", "ledger" := ledger)) AS use FROM (
  SELECT source, target, run_as AS name, coalesce(started_at, first_at) AS "at", ledger FROM session
  WHERE status IS DISTINCT FROM 'failed_attempt'
  UNION ALL
  SELECT source, target, account, coalesce("at", first_at), ledger FROM access_event
) WHERE {at} GROUP BY source, target, name"""
    first: dict[str, Use] = {}
    for source, target, name, use in store.rows(sql):
        account = index.account(source, target, name)
        if account is not None:
            found = Use(use["at"], tuple(use["ledger"]))
            first[account.item_id] = min(found, first.get(account.item_id, found))
    return first


def _put_evidence(store: Store, frame: Frame) -> None:
    """Make ``<population>_item``: the items, each with the bounds of its evidence; and ``evidence``: its views."""
    bounds = [{"bound": bound} for bound in frame.evidence.bounds]
    store.put("bound", bounds, pa.schema([pa.field("bound", pa.int64())]))
    for population in BIG:
        store.run(
            f"CREATE TABLE {population}_item AS SELECT x.* EXCLUDE (approved), a.bound AS evidence,"
            f" d.bound AS approved FROM {population}_items x ASOF JOIN bound a ON x.at >= a.bound"
            ' ASOF JOIN bound d ON x.approved >= d.bound ORDER BY x."at"'
        )
    pairs = " UNION ".join(f"SELECT evidence, approved FROM {population}_item" for population in BIG)
    views = (
        {
            "first": first,
            "second": second,
            "view": msgspec.to_builtins(frame.evidence.at(first, decided=second)),
        }
        for first, second in store.rows(pairs)
    )
    kind = pa.struct(list(arrow_schema(EvidenceView)))
    store.put(
        "evidence",
        views,
        pa.schema([pa.field("first", pa.int64()), pa.field("second", pa.int64()), pa.field("view", kind)]),
    )


def _put_waivers(store: Store, frame: Frame) -> None:
    """Make ``waived``: the waivers that cover each item, in order; the rules are in ``app.trails.waivers``."""
    rows = [
        {
            "item_id": each.item_id,
            "ref": msgspec.to_builtins(each.ref),
            "ledger": sorted(each.ledger),
            "items": sorted(each.items),
            "subjects": sorted(each.subjects),
            "targets": sorted(each.targets),
        }
        for each in frame.index.waivers.in_order
    ]
    fields = {"item_id": pa.string(), "ref": pa.struct(list(arrow_schema(WaiverRef))), "ledger": LEDGER}
    fields |= {"items": TEXTS, "subjects": TEXTS, "targets": TEXTS}
    store.put("waiver_in_order", rows, pa.schema([pa.field(name, kind) for name, kind in fields.items()]))
    covers = (
        "w.ref.approved_at <= b.at AND b.at < w.ref.expires_at"
        " AND (len(w.items) = 0 OR list_contains(w.items, b.item_id))"
        " AND (len(w.subjects) = 0 OR list_has_any(w.subjects, b.subjects))"
        " AND (len(w.targets) = 0 OR (len(b.targets) > 0 AND list_has_all(w.targets, b.targets)))"
    )
    parts = " UNION ALL ".join(
        f"SELECT '{population}' AS population, b.item_id, list(w.ref ORDER BY w.item_id) AS refs,"
        f" flatten(list(w.ledger)) AS ledger FROM {population}_item b JOIN waiver_in_order w ON {covers}"
        " GROUP BY b.item_id"
        for population in BIG
    )
    store.run(f"CREATE TABLE waived AS {parts}")


def _wanted(store: Store, inventory: list[FoldedRecord[AccessRecord]]) -> list[FoldedRecord[AccessRecord]]:
    """Return the few growing records that rows of the small populations name, and all reviews."""
    names = {key for each in inventory for key in getattr(each.record, "ticket_keys", None) or ()}
    keys = [{"name": name} for name in sorted(names)]
    store.put("wanted_key", keys, pa.schema([pa.field("name", pa.string())]))
    return [
        *_records(store, RecordType.REVIEW, "true"),
        *_records(store, RecordType.ALERT, "about_type = 'recorder_event'"),
        *_records(
            store,
            RecordType.TICKET,
            "item_id IN (SELECT name FROM wanted_key) OR id IN (SELECT name FROM wanted_key)",
        ),
        *_records(
            store,
            RecordType.GRANT,
            "item_id IN (SELECT grant_id FROM review WHERE kind = 'access_item')"
            " OR id IN (SELECT grant_id FROM review WHERE kind = 'access_item')",
        ),
    ]


def _records(store: Store, kind: RecordType, where: str) -> Iterator[FoldedRecord[Any]]:
    """Yield folded records of the store."""
    record_class = RECORD_CLASSES[kind]
    names = [field.name for field in msgspec.structs.fields(record_class)]
    columns = ", ".join(f'"{name}"' for name in ("source", "ledger", "first_at", *names))
    sql = f'SELECT {columns} FROM "{kind}" WHERE {where} ORDER BY item_id'
    for source, ledger, first_at, *values in store.rows(sql):
        said = {name: value for name, value in zip(names, values, strict=True) if value is not None}
        yield FoldedRecord(
            source=source,
            record=msgspec.convert(said, record_class),
            ledger=tuple(ledger),
            versions=1,
            first_observed_at=first_at,
            last_observed_at=first_at,
        )
