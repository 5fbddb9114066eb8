# SPDX-License-Identifier: Apache-2.0

"""Freeze a period out of observations: link everything as sets, and write the segments.

In:  observations by record type, completeness boxes, a period, the rules for texts. Out: the segments.
"""

import logging
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import duckdb
import msgspec
import pyarrow as pa

from app.errors import InvalidInput
from app.records.folding import FoldedRecord, fold
from app.records.model import RECORD_CLASSES, AccessRecord, RecordType
from app.trails.arrow import conform
from app.trails.bulk.changes import changed_days, put_changed_records
from app.trails.bulk.chunks import OF_SESSIONS, Chunk, cut, put_places
from app.trails.bulk.continued import Earlier, earlier_of, hand_over
from app.trails.bulk.coverage import put_bounds, put_evidence, put_waivers
from app.trails.bulk.folding import GROWING
from app.trails.bulk.items import BIG, put_items
from app.trails.bulk.links import link
from app.trails.bulk.matching import match
from app.trails.bulk.model import Keep, Sources
from app.trails.bulk.names import put_names
from app.trails.bulk.rows import Rows
from app.trails.bulk.store import Store, day_sql
from app.trails.bulk.tables import Tables
from app.trails.bulk.views import put_views
from app.trails.flags import Flagger
from app.trails.index import TrailIndex
from app.trails.linking import make_frame, populations
from app.trails.model import PeriodLike
from app.trails.populations import POPULATIONS, Row
from app.trails.rows import Frame
from app.trails.segments import Segments, segment_schema
from app.trails.views import Use

_LOG = logging.getLogger(__name__)

LINKING = ".linking-"
"""How folders are called that a freeze works in."""


class _Job(msgspec.Struct, frozen=True):
    """What is asked for; see ``freeze_in_bulk``."""

    sources: Sources
    period: PeriodLike
    directory: Path
    flagger: Flagger | None
    memory_limit: str


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
    job = _Job(sources, period, directory, flagger, memory_limit)
    digests = _continued(job, keep) if keep and keep.file.is_file() else None
    return digests if digests is not None else _from_the_beginning(job, keep)


def _continued(job: _Job, keep: Keep) -> dict[str, str] | None:
    """Go on from what an earlier freeze kept, or tell that this cannot be done."""
    try:
        with _opened(job, keep.file) as store:
            earlier = earlier_of(store, job.sources, keep)
            if earlier is None:
                return None
            digests = _freeze(store, job, earlier)
            hand_over(store, keep, job.sources, digests)
            return digests
    except (duckdb.Error, pa.ArrowException, OSError) as error:
        # It may be that file which is damaged, and not the records; without it, that shows.
        what = type(error).__name__
        _LOG.warning("what is kept of an earlier freeze cannot be used (%s); everything is linked anew", what)
        return None


def _from_the_beginning(job: _Job, keep: Keep | None) -> dict[str, str]:
    with _opened(job) as store:
        try:
            digests = _freeze(store, job, None)
        except (duckdb.Error, pa.ArrowException) as error:
            what = f"the records cannot be linked ({type(error).__name__}: {str(error).splitlines()[0][:200]})"
            raise InvalidInput(what, where="freeze") from error
        if keep:
            hand_over(store, keep, job.sources, digests)
        return digests


@contextmanager
def _opened(job: _Job, earlier: Path | None = None) -> Iterator[Store]:
    with tempfile.TemporaryDirectory(prefix=LINKING, dir=job.directory.parent) as scratch:
        store = Store(Path(scratch), job.memory_limit, earlier)
        try:
            yield store
        finally:
            store.close()


def _freeze(store: Store, job: _Job, earlier: Earlier | None) -> dict[str, str]:
    frame, small = _link(store, job, earlier)
    segments = Segments(job.directory, frame.period)
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


def _link(store: Store, job: _Job, earlier: Earlier | None) -> tuple[Frame, Mapping[str, Sequence[Row]]]:
    """Make all tables that rows are put together from; return the frame, and the rows of the small populations."""
    sources, tables = job.sources, Tables(store, is_continued=earlier is not None)
    _take_in(store, tables, sources, earlier.size if earlier else 0)
    inventory = fold(sources.observations([kind for kind in RecordType if kind not in GROWING]))
    index = TrailIndex([*inventory, *_wanted(store, inventory)])
    frame = make_frame(index, sources.coverages, job.period, sources.as_of, job.flagger)
    first_uses = _first_uses(store, index, frame)
    put_names(store, tables, index, first_uses, frame.state_at)
    if earlier:
        put_changed_records(store)
    link(store, tables)
    match(store, tables, index.credential_records)
    put_bounds(tables, frame)
    put_items(store, tables, frame.period, frame.state_at, earlier.as_of if earlier else sources.as_of)
    put_evidence(store, tables, frame)
    put_waivers(tables, frame)
    return frame, populations(msgspec.structs.replace(frame, first_uses=first_uses), sources.coverages)


def _take_in(store: Store, tables: Tables, sources: Sources, since: int) -> None:
    """Make the tables of the record types that grow."""
    store.receive(sources.batches(since))
    for kind in GROWING:
        tables.fold(kind, sources.told_at)
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
    store: Store, days: Mapping[str, Mapping[int, int]], segments: Segments, earlier: Earlier
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
