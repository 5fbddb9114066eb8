# SPDX-License-Identifier: Apache-2.0

"""Freeze populations into Parquet segments, and read them again.

In:  populations. Out: ``<population>/<YYYY-MM-DD>.parquet`` for the daily ones, ``<population>/period.parquet`` for the
others, ``<population>/empty.parquet`` where there is no row, and the SHA-256 of each file.
Equal rows give equal bytes: rows are sorted, nothing of the machine or the moment is written, and all settings of the
writer are fixed here. (The writer's own version is part of a Parquet file, so it is pinned in the lock file.)
"""

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

import msgspec
import pyarrow as pa
import pyarrow.parquet as pq

from app.errors import InvalidInput, NotFound
from app.records.times import format_instant
from app.trails.arrow import arrow_schema
from app.trails.populations import DAILY, POPULATIONS, Row

ROW_GROUP_ROWS = 16_384
"""Rows per row group: small enough to bound memory with nested events, large enough for a fast scan."""
_ZSTD_LEVEL = 3


def freeze(populations: Mapping[str, Sequence[Row]], directory: Path) -> dict[str, str]:
    """Write every population's segments, replacing what an earlier freeze left there.

    Args:
        populations: population name to rows, in any order; a population that is missing counts as empty.
        directory: where to write; it is created.

    Returns:
        File name relative to ``directory``, with ``/``, to the hex SHA-256 of its bytes, sorted by name.

    Raises:
        InvalidInput: a row holds a value that a segment cannot, such as an instant beyond 64 bits.
    """
    digests: dict[str, str] = {}
    for population in sorted(POPULATIONS):
        folder = directory / population
        folder.mkdir(parents=True, exist_ok=True)
        kept = set()
        for name, rows in _segments(population, populations.get(population, ())).items():
            digests[f"{population}/{name}"] = _write(population, rows, folder / name)
            kept.add(name)
        for stale in folder.glob("*.parquet"):
            if stale.name not in kept:
                stale.unlink()
    return dict(sorted(digests.items()))


def segment_files(directory: Path, population: str) -> list[Path]:
    """Return the files of a population, by name.

    Raises:
        NotFound: there is no such population, or it was not frozen here.
    """
    files = sorted((directory / population).glob("*.parquet")) if population in POPULATIONS else []
    if not files:
        raise NotFound(f"population '{population}' is not frozen in {directory.name}", hint="Freeze the period first")
    return files


def read_rows(directory: Path, population: str) -> Iterator[Row]:
    """Yield the rows of a frozen population: segment by segment, in each by item id.

    Raises:
        NotFound: the population was not frozen here.
        InvalidInput: a file is not such a segment.
    """
    for path in segment_files(directory, population):
        yield from _read(path, population)


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


def _write(population: str, rows: list[Row], path: Path) -> str:
    schema = arrow_schema(POPULATIONS[population])
    partial = path.with_suffix(".partial")
    with pq.ParquetWriter(
        partial,
        schema,
        version="2.6",
        data_page_version="1.0",
        compression="zstd",
        compression_level=_ZSTD_LEVEL,
        use_dictionary=True,
        write_statistics=True,
        store_schema=False,
    ) as writer:
        for start in range(0, len(rows), ROW_GROUP_ROWS):
            writer.write_table(_table(rows[start : start + ROW_GROUP_ROWS], schema, path), ROW_GROUP_ROWS)
    digest = _sha256(partial)
    partial.replace(path)
    return digest


def _table(rows: list[Row], schema: pa.Schema, path: Path) -> pa.Table:
    try:
        return pa.Table.from_pylist([msgspec.to_builtins(row) for row in rows], schema=schema)
    except (pa.ArrowException, OverflowError, UnicodeEncodeError, ValueError) as error:
        where = f"{path.parent.name}/{path.name}"
        raise InvalidInput(f"a row does not fit its segment ({type(error).__name__})", where=where) from error


def _read(path: Path, population: str) -> Iterator[Row]:
    where, row_class = f"{population}/{path.name}", POPULATIONS[population]
    try:
        with pq.ParquetFile(path) as file:
            for batch in file.iter_batches(batch_size=4_096):
                for values in batch.to_pylist():
                    yield msgspec.convert(values, row_class)
    except (pa.ArrowException, msgspec.ValidationError) as error:
        raise InvalidInput(f"it is no segment of population '{population}'", where=where) from error


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
