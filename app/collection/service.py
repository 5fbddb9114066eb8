# SPDX-License-Identifier: Apache-2.0

"""Collection's verbs: collect, read back, rebuild.

In:  connectors; the ledger.
Out: CollectionRuns and observations.
A batch of pages is one transaction over ledger and observations. A run that breaks off leaves whole batches and a box
that says so; only if the process itself is killed is there no box, and then the next run finds those as duplicates.
"""

import hashlib
from collections.abc import Callable, Collection, Iterable, Iterator
from itertools import chain
from typing import NamedTuple

import msgspec
import pyarrow as pa

from app.clock import Clock
from app.collection import repository
from app.collection.model import CollectionRun
from app.collection.reading import Normalizer, Statement, decode_body, read
from app.collection.repository import ObservationValues, Stored
from app.collection.source import check_source
from app.collection.tally import Tally, clean, rejection
from app.connectors.base import Connector, HasInputs, InputFile, Page, SourceRecord, Window
from app.db import Database, lock
from app.errors import CheckFailed, InvalidInput, RecordRejected, SourceRefused, SourceUnavailable
from app.ledger.entry import RUN_KIND, LedgerEntry, why_unfit
from app.ledger.service import Ledger
from app.records.model import Observation, RecordType
from app.signing.canonical import canonical_json

Progress = Callable[[int, int | None], None]
"""Told the position in the source, and its size when known."""

_BATCH, _BATCH_BYTES = 20_000, 16_777_216
"""Records, or raw bytes, that one transaction takes: the more it takes, the fewer pages of an index it writes twice."""
_decode_run = msgspec.json.Decoder(CollectionRun).decode


class _Read(msgspec.Struct, frozen=True, gc=False):
    """One record with what it states. Thousands wait for their transaction, and none can be part of a cycle."""

    record: SourceRecord
    statements: tuple[Statement, ...]
    problem: str | None


class _Run(NamedTuple):
    """What is fixed when a run starts."""

    id: str
    connector: Connector
    source: str
    started_at: int
    asked: Window


class CollectionService:
    """Runs connectors against sources, and keeps what they yield.

    Args:
        database: the system of record.
        ledger: the ledger in it.
        clock: dates entries and runs.
        normalizer_of: gives the pure half of a connector by the connector's name, for ``rebuild``.
    """

    def __init__(
        self, database: Database, ledger: Ledger, clock: Clock, normalizer_of: Callable[[str], Normalizer]
    ) -> None:
        self._database = database
        self._ledger = ledger
        self._clock = clock
        self._normalizer_of = normalizer_of

    def collect(
        self,
        connector: Connector,
        source: str,
        window: Window,
        covered: Window | None = None,
        progress: Progress | None = None,
    ) -> CollectionRun:
        """Run a connector once and return its completeness box, which is also the last entry it makes in the ledger.

        Collecting the same again makes a run of duplicates. A source that fails on the way ends the run, and the box
        says so in ``problem``; so does a defect, which is raised as well.

        Args:
            connector: reads the source.
            source: the source's configured name.
            window: what to ask for.
            covered: what the result speaks for, when the operator or the source declares it; by default the span of
                the records' own times.
            progress: told how far the run has come, after each batch of pages.

        Raises:
            UsageError: the name of the source cannot be used.
            InvalidInput: the input is not of the connector's format; nothing was stored.
        """
        check_source(source)
        run, tally = self._start(connector, source, window), Tally()
        try:
            problem = self._fetch(run, tally, progress)
        except (Exception, KeyboardInterrupt) as error:
            if tally.received or not isinstance(error, InvalidInput):
                self._finish(run, tally, covered, f"the run broke off ({type(error).__name__})")
            raise
        return self._finish(run, tally, covered, problem)

    def runs(self) -> list[CollectionRun]:
        """Return the boxes of all runs, in the order in which they ended."""
        with self._database.read() as connection:
            return [_decode_run(body) for body in repository.read_runs(connection)]

    def observations(self, record_types: Collection[RecordType] | None = None) -> Iterator[Observation]:
        """Yield what all entries state, in the order of the ledger, in bounded memory; only these kinds if given."""
        chosen = None if record_types is None else sorted(record_types)
        with self._database.read() as connection:
            yield from map(_observation, repository.read_observations(connection, chosen))

    def batches(self, since: int = 0) -> Iterator[pa.RecordBatch]:
        """Yield what all entries from an index on state, as Arrow batches in no order, in bounded memory."""
        return repository.read_batches(self._database, since)

    def size(self) -> int:
        """Return the number of ledger entries, of runs as well."""
        return self._ledger.size()

    def root(self, size: int) -> str:
        """Return the ledger's root over its first ``size`` entries, hex.

        Raises:
            NotFound: there are fewer entries.
        """
        return self._ledger.root(size).hex()

    def page(
        self, record_types: Collection[RecordType] | None, *, after: tuple[int, int] = (-1, -1), limit: int
    ) -> list[tuple[tuple[int, int], Observation]]:
        """Return up to ``limit`` observations after a place in the ledger, each with its own place to go on from."""
        chosen = None if record_types is None else sorted(record_types)
        with self._database.read() as connection:
            found = repository.read_page(connection, chosen, after, limit)
        return [(place, _observation(row)) for place, row in found]

    def versions(self, source: str, record_type: RecordType, record_id: str) -> list[Observation]:
        """Return everything a source has said about one record, oldest first.

        It reads all observations, about half a second a million; ``observations_at`` is quick where the ledger indices
        are known.
        """
        with self._database.read() as connection:
            return [_observation(row) for row in repository.read_versions(connection, source, record_type, record_id)]

    def observations_at(self, indices: Iterable[int]) -> list[Observation]:
        """Return what the entries at these ledger indices state, in the order of the ledger."""
        with self._database.read() as connection:
            rows = repository.read_observations_at(connection, sorted(set(indices)))
            return [_observation(row) for row in rows]

    def rebuild(self) -> int:
        """Derive observations and runs anew from the ledger's raw bytes alone; return the number of observations.

        It happens in one transaction: until it succeeds, everybody sees what was there before.

        Raises:
            UsageError: a connector that has made entries is not installed.
        """
        normalizers: dict[str, Normalizer] = {}
        count = 0
        rows: list[ObservationValues] = []
        with self._database.write() as connection:
            lock(connection, "ledger")
            repository.clear(connection)
            for entry, raw in self._ledger.scan():
                if entry.kind == RUN_KIND:
                    run = _decode_run(raw)
                    values = (entry.index, run.id, run.source, run.connector, run.started_at, raw.decode())
                    repository.insert_run(connection, values)
                    continue
                name = connector_of(entry.run_id)
                if name not in normalizers:
                    normalizers[name] = self._normalizer_of(name)
                again = _read(normalizers[name], _source_record(entry, raw))
                rows += _rows(again, entry.index, entry.source, entry.collected_at)
                if len(rows) >= _BATCH:
                    repository.insert_observations(connection, rows)
                    count, rows = count + len(rows), []
            repository.insert_observations(connection, rows)
        return count + len(rows)

    def _start(self, connector: Connector, source: str, window: Window) -> _Run:
        size = self._ledger.size()
        content = {
            "asked": msgspec.to_builtins(window),
            "connector": connector.name,
            "ledger": {"root": self._ledger.root(size).hex(), "size": size},
            "query": clean(connector.query),
            "source": source,
        }
        digest = hashlib.sha256(canonical_json(content)).hexdigest()
        return _Run(f"{connector.name}-{digest[:32]}", connector, source, self._clock.now(), window)

    def _fetch(self, run: _Run, tally: Tally, progress: Progress | None) -> str | None:
        try:
            for pages in _batches(run.connector.fetch(run.asked, None)):
                self._take(run, tally, pages)
                if progress is not None:
                    progress(pages[-1].position, pages[-1].size)
        except (SourceUnavailable, SourceRefused) as error:
            return clean(str(error))
        except InvalidInput as error:
            if not tally.received:
                raise
            return clean(str(error))
        return None

    def _take(self, run: _Run, tally: Tally, pages: list[Page]) -> None:
        fit = []
        unfit = []
        for record in chain.from_iterable(page.records for page in pages):
            reason = why_unfit(record)
            if reason is None:
                fit.append(_read(run.connector, record))
            else:
                unfit.append(rejection(record, reason))
        indices = self._keep(run, fit) if fit else ()
        # Counted only now, when it is stored.
        for page in pages:
            tally.page(page)
        for reject in unfit:
            tally.reject(reject)
        for item, index in zip(fit, indices, strict=True):
            _count(tally, item, index)

    def _keep(self, run: _Run, items: list[_Read]) -> tuple[int | None, ...]:
        now = self._clock.now()
        with self._database.write() as connection:
            records = [item.record for item in items]
            indices = self._ledger.append(run.source, run.id, now, records, within=connection).indices
            rows: list[ObservationValues] = []
            for item, index in zip(items, indices, strict=True):
                if index is not None:
                    rows += _rows(item, index, run.source, now)
            repository.insert_observations(connection, rows)
        return indices

    def _finish(self, run: _Run, tally: Tally, covered: Window | None, problem: str | None) -> CollectionRun:
        box = _box(run, tally, covered, self._clock.now(), problem)
        raw = canonical_json(msgspec.to_builtins(box))
        entry = SourceRecord(
            kind=RUN_KIND, key=box.id, raw=raw, occurred_at=box.finished_at, occurred_at_text=None, locator=box.id
        )
        with self._database.write() as connection:
            index = self._ledger.append(box.source, box.id, box.finished_at, [entry], within=connection).indices[0]
            if index is None or repository.has_run(connection, box.id):
                raise CheckFailed(
                    "another run asked the same of this source at the same time",
                    where=box.source,
                    hint="Collect again: what is there already counts as duplicate",
                )
            values = (index, box.id, box.source, box.connector, box.started_at, raw.decode())
            repository.insert_run(connection, values)
        self._ledger.checkpoint()
        return box


def connector_of(run_id: str) -> str:
    """Return the name of the connector that a run's id states."""
    return run_id.rpartition("-")[0]


def _batches(pages: Iterable[Page]) -> Iterator[list[Page]]:
    """Yield pages in batches worth a transaction; if the source fails, first what it gave before."""
    batch: list[Page] = []
    count = size = 0
    try:
        for page in pages:
            batch.append(page)
            count += len(page.records)
            size += sum(len(record.raw) for record in page.records)
            if count >= _BATCH or size >= _BATCH_BYTES:
                yield batch
                batch, count, size = [], 0, 0
    except Exception:
        if batch:
            yield batch
        raise
    if batch:
        yield batch


def _read(normalizer: Normalizer, record: SourceRecord) -> _Read:
    try:
        return _Read(record, read(normalizer, record), None)
    except RecordRejected as error:
        return _Read(record, (), error.what)


def _rows(item: _Read, index: int, source: str, collected_at: int) -> list[ObservationValues]:
    at = collected_at if item.record.occurred_at is None else item.record.occurred_at
    return [
        (index, ordinal, source, stated.record_type, stated.record_id, at, stated.body)
        for ordinal, stated in enumerate(item.statements)
    ]


def _count(tally: Tally, item: _Read, index: int | None) -> None:
    if index is not None:
        tally.entered(index)
    if item.problem is None:
        tally.usable(item.record, index, item.statements)
    else:
        tally.reject(rejection(item.record, item.problem))


def _box(run: _Run, tally: Tally, covered: Window | None, finished_at: int, problem: str | None) -> CollectionRun:
    undeclared = tally.produced.keys() - {kind.value for kind in run.connector.record_types}
    if undeclared and problem is None:
        problem = f"the connector stated kinds it does not declare: {', '.join(sorted(undeclared))}"
    return CollectionRun(
        id=run.id,
        source=run.source,
        connector=run.connector.name,
        query=clean(run.connector.query),
        started_at=run.started_at,
        finished_at=finished_at,
        asked=run.asked,
        covered=tally.observed(run.started_at) if covered is None else covered,
        covered_basis="observed" if covered is None else "declared",
        inputs=_inputs(run.connector),
        source_count=tally.source_count,
        received=tally.received,
        accepted=tally.accepted,
        duplicates=tally.duplicates,
        rejected=tally.rejected,
        rejects=tuple(tally.rejects),
        reject_reasons=tally.reject_reasons,
        unused=tally.unused,
        produced=tally.produced,
        gaps=tuple(tally.gaps),
        problem=problem,
        ledger_first=tally.ledger_first,
        ledger_last=tally.ledger_last,
    )


def _inputs(connector: Connector) -> tuple[InputFile, ...]:
    files = connector.inputs if isinstance(connector, HasInputs) else ()
    return tuple(msgspec.structs.replace(file, name=clean(file.name)) for file in files)


def _source_record(entry: LedgerEntry, raw: bytes) -> SourceRecord:
    return SourceRecord(
        kind=entry.kind,
        key=entry.key,
        raw=raw,
        occurred_at=entry.occurred_at,
        occurred_at_text=entry.occurred_at_text,
        locator=f"ledger entry {entry.index}",
    )


def _observation(row: Stored) -> Observation:
    source, index, observed_at, body = row
    return Observation(source=source, ledger_index=index, observed_at=observed_at, record=decode_body(body))
