# SPDX-License-Identifier: Apache-2.0

"""Freeze populations into Parquet segments, and read them again.

In:  populations. Out: ``<population>/<YYYY-MM-DD>.parquet`` for the daily ones, ``<population>/period.parquet`` for the
others, ``<population>/empty.parquet`` where there is no row, and the SHA-256 of each file; ``period.json`` beside them.
The period is in that file only, and rows get it when they are read: so a day's segment stays the same while later days
are collected, and what was found out about it can be kept.
Equal rows give equal bytes: rows are sorted, nothing of the machine or the moment is written, and all settings of the
writer are fixed here. (The writer's own version is part of a Parquet file, so it is pinned in the lock file.)
"""

import shutil
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cache
from itertools import groupby
from operator import itemgetter
from pathlib import Path

import msgspec
import pyarrow as pa
import pyarrow.parquet as pq

from app.digests import sha256_of
from app.errors import InvalidInput, NotFound
from app.records.times import format_instant
from app.trails.arrow import arrow_schema
from app.trails.populations import DAILY, POPULATIONS, PeriodView, Row

PERIOD = "period.json"
ROW_GROUP_ROWS = 16_384
"""Rows per row group: small enough to bound memory with nested events, large enough for a fast scan."""
_ZSTD_LEVEL = 3
_DAY_MS = 86_400_000


def freeze(populations: Mapping[str, Sequence[Row]], directory: Path) -> dict[str, str]:
    """Write every population's segments, replacing what an earlier freeze left there.

    Args:
        populations: population name to rows, in any order; a population that is missing counts as empty.
        directory: where to write; it is created.

    Returns:
        File name relative to ``directory``, with ``/``, to the hex SHA-256 of its bytes, sorted by name.

    Raises:
        InvalidInput: a row holds a value that a segment cannot, such as an instant beyond 64 bits; or rows are of
            several periods.
    """
    periods = {row.period for rows in populations.values() for row in rows} or {PeriodView(start=0, end=0, as_of=0)}
    if len(periods) > 1:
        raise InvalidInput("the rows are of several periods", hint="Freeze one period at a time.")
    segments = Segments(directory, periods.pop())
    for population in sorted(POPULATIONS):
        segments.write_rows(population, populations.get(population, ()))
    return segments.finish()


class Segments:
    """Writes the segments of one freeze, replacing what an earlier one left in the directory."""

    def __init__(self, directory: Path, period: PeriodView) -> None:
        self._directory = directory
        self._period = period
        self._digests: dict[str, str] = {}

    def write_rows(self, population: str, rows: Iterable[Row]) -> None:
        """Write a population's rows, in any order.

        Raises:
            InvalidInput: a row holds a value that a segment cannot, such as an instant beyond 64 bits.
        """
        schema = segment_schema(population)
        for name, chosen in _segments(population, rows).items():
            with self._file(population, name) as file:
                for start in range(0, len(chosen), ROW_GROUP_ROWS):
                    where = f"{population}/{name}"
                    file.write(_table(chosen[start : start + ROW_GROUP_ROWS], schema, where))

    def write_batches(self, population: str, batches: Iterable[pa.RecordBatch]) -> None:
        """Write a population's rows given as batches with a column ``day`` in front, by day and then by item id."""
        for day, tables in groupby(_by_day(batches), key=itemgetter(0)):
            name = _file_of(day) if population in DAILY else "period.parquet"
            with self._file(population, name) as file:
                for _, table in tables:
                    file.write(table)
        if not any(name.startswith(f"{population}/") for name in self._digests):
            self.write_rows(population, ())

    def take(self, population: str, day: int, other: Path, digests: Mapping[str, str]) -> bool:
        """Take a day's segment (days since 1970) of another directory over; tell whether there was one.

        One that is not, any more, of the digest that it had when it was written is as good as none.
        """
        name = f"{population}/{_file_of(day)}"
        if not (other / name).is_file() or sha256_of(other / name) != digests.get(name):
            return False
        (self._directory / population).mkdir(parents=True, exist_ok=True)
        # What is there may be shared with other directories, so it is not written over.
        (self._directory / name).unlink(missing_ok=True)
        try:
            (self._directory / name).hardlink_to(other / name)
        except OSError:
            shutil.copyfile(other / name, self._directory / name)
        self._digests[name] = digests[name]
        return True

    def finish(self) -> dict[str, str]:
        """Remove what an earlier freeze left; return file name to hex SHA-256 of the bytes, sorted by name."""
        for population in POPULATIONS:
            for file in (self._directory / population).glob("*.parquet"):
                if f"{population}/{file.name}" not in self._digests:
                    file.unlink()
        (self._directory / PERIOD).write_bytes(period_bytes(self._period))
        return dict(sorted(self._digests.items()))

    @contextmanager
    def _file(self, population: str, name: str) -> Iterator["_SegmentFile"]:
        """Give a segment to write to, and put it in place when it is whole."""
        folder = self._directory / population
        folder.mkdir(parents=True, exist_ok=True)
        partial = (folder / name).with_suffix(".partial")
        with segment_writer(partial, population) as writer:
            file = _SegmentFile(writer)
            yield file
            file.flush()
        self._digests[f"{population}/{name}"] = sha256_of(partial)
        partial.replace(folder / name)


def _file_of(day: int) -> str:
    return f"{format_instant(day * _DAY_MS)[:10]}.parquet"


class _SegmentFile:
    """Cuts what it is given into row groups of one size, so that bytes do not depend on how the rows arrived."""

    def __init__(self, writer: pq.ParquetWriter) -> None:
        self._writer = writer
        self._waiting: list[pa.Table] = []
        self._rows = 0

    def write(self, table: pa.Table) -> None:
        """Add rows."""
        self._waiting.append(table)
        self._rows += table.num_rows
        if self._rows >= ROW_GROUP_ROWS:
            whole = pa.concat_tables(self._waiting)
            groups = self._rows // ROW_GROUP_ROWS
            for number in range(groups):
                group = whole.slice(number * ROW_GROUP_ROWS, ROW_GROUP_ROWS).combine_chunks()
                self._writer.write_table(group, ROW_GROUP_ROWS)
            self._waiting = [whole.slice(groups * ROW_GROUP_ROWS)]
            self._rows -= groups * ROW_GROUP_ROWS

    def flush(self) -> None:
        """Write the last row group, if there is anything in it."""
        if self._rows:
            self._writer.write_table(pa.concat_tables(self._waiting).combine_chunks(), ROW_GROUP_ROWS)


def _by_day(batches: Iterable[pa.RecordBatch]) -> Iterator[tuple[int, pa.Table]]:
    """Yield the rows of each day of each batch, without the column ``day``."""
    for batch in batches:
        days = batch.column("day").to_pylist()
        table = pa.Table.from_batches([batch]).drop_columns("day")
        start = 0
        for day, found in groupby(days):
            count = sum(1 for _ in found)
            yield day, table.slice(start, count)
            start += count


def segment_writer(path: Path, population: str) -> pq.ParquetWriter:
    """Open a segment for writing, with the settings that make equal rows equal bytes."""
    return pq.ParquetWriter(
        path,
        segment_schema(population),
        version="2.6",
        data_page_version="1.0",
        compression="zstd",
        compression_level=_ZSTD_LEVEL,
        # Compressed plain values are smaller than compressed dictionaries, and cheaper to write; days are small.
        use_dictionary=False,
        write_statistics=["item_id", "source", "at"],
        store_schema=False,
    )


@cache
def segment_schema(population: str) -> pa.Schema:
    """Return the columns of a population's segments: those of its rows, without the period."""
    schema = arrow_schema(POPULATIONS[population])
    return schema.remove(schema.get_field_index("period"))


def period_bytes(period: PeriodView) -> bytes:
    """Return what ``period.json`` holds."""
    return msgspec.json.encode(period)


def read_period(directory: Path) -> PeriodView:
    """Return the period that the segments of a directory were frozen for.

    Raises:
        NotFound: nothing was frozen here.
        InvalidInput: the file is not such a file.
    """
    try:
        return msgspec.json.decode((directory / PERIOD).read_bytes(), type=PeriodView)
    except FileNotFoundError:
        raise NotFound(f"no period is frozen in {directory.name}", hint="Freeze the period first") from None
    except msgspec.MsgspecError as error:
        raise InvalidInput("this is no period", where=PERIOD, hint="Freeze the period again.") from error


def segment_files(directory: Path, population: str) -> list[Path]:
    """Return the files of a population, by name.

    Raises:
        NotFound: there is no such population, or it was not frozen here.
    """
    files = sorted((directory / population).glob("*.parquet")) if population in POPULATIONS else []
    if not files:
        raise NotFound(f"population '{population}' is not frozen in {directory.name}", hint="Freeze the period first")
    return files


def segment_digests(directory: Path) -> dict[str, str]:
    """Return the hex SHA-256 of every segment, by name relative to the directory."""
    files = (file for population in POPULATIONS for file in (directory / population).glob("*.parquet"))
    return {file.relative_to(directory).as_posix(): sha256_of(file) for file in sorted(files)}


def read_rows(directory: Path, population: str) -> Iterator[Row]:
    """Yield the rows of a frozen population: segment by segment, in each by item id.

    Raises:
        NotFound: the population was not frozen here.
        InvalidInput: a file is not such a segment.
    """
    period = read_period(directory)
    for path in segment_files(directory, population):
        yield from _read(path, population, period)


def rows_of(batch: pa.RecordBatch, population: str, period: PeriodView) -> Iterator[Row]:
    """Yield the rows of a batch of a segment.

    Raises:
        msgspec.ValidationError: a row is not of the population's type.
    """
    row_class = POPULATIONS[population]
    for values in batch.to_pylist():
        yield msgspec.convert({**values, "period": period}, row_class)


def _segments(population: str, rows: Iterable[Row]) -> dict[str, list[Row]]:
    segments: dict[str, list[Row]] = {}
    for row in sorted(rows, key=lambda each: each.item_id):
        name = f"{_day(row)}.parquet" if population in DAILY else "period.parquet"
        segments.setdefault(name, []).append(row)
    return segments or {"empty.parquet": []}


def _day(row: Row) -> str:
    """Return the UTC day of a row; build_populations gives every row an instant, so ``undated`` is for others."""
    if row.at is None:
        return "undated"
    try:
        return format_instant(row.at)[:10]
    except ValueError:
        raise InvalidInput("an item's instant lies outside the calendar", where=row.item_id) from None


def _table(rows: list[Row], schema: pa.Schema, where: str) -> pa.Table:
    try:
        return pa.Table.from_pylist([msgspec.to_builtins(row) for row in rows], schema=schema)  # Without the period.
    except (pa.ArrowException, OverflowError, UnicodeEncodeError, ValueError) as error:
        raise InvalidInput(f"a row does not fit its segment ({type(error).__name__})", where=where) from error


def _read(path: Path, population: str, period: PeriodView) -> Iterator[Row]:
    where = f"{population}/{path.name}"
    try:
        with pq.ParquetFile(path) as file:
            for batch in file.iter_batches(batch_size=4_096):
                yield from rows_of(batch, population, period)
    except (pa.ArrowException, msgspec.ValidationError) as error:
        raise InvalidInput(f"it is no segment of population '{population}'", where=where) from error
