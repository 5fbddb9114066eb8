# SPDX-License-Identifier: Apache-2.0

"""Write a population as one CSV file, for people and spreadsheets; the Parquet segments stay what was judged.

In:  the Parquet segments of a population.
Out: CSV (RFC 4180, UTF-8): one line an item, one column a single value; lists of records appear as their count.
Equal segments give equal bytes, in bounded memory.
"""

from collections.abc import Iterator, Sequence
from functools import reduce
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
import pyarrow.parquet as pq

from app.packs.values import Column, columns_of
from app.records.spreadsheet import FORMULA
from app.trails.populations import Row

_BATCH = 20_000


def write_listing(row_class: type[Row], segments: Sequence[Path], output: Path) -> None:
    """Write the CSV of a population; ``segments`` in the order they shall have.

    Raises:
        pyarrow.ArrowInvalid: a segment does not have the population's schema.
    """
    columns = columns_of(row_class)
    schema = pa.schema([pa.field(column.name, pa.string()) for column in columns])
    options = pyarrow.csv.WriteOptions(include_header=True, quoting_style="needed")
    with pyarrow.csv.CSVWriter(output, schema, write_options=options) as writer:
        for batch in _batches(segments):
            cells = [_cells(batch, column) for column in columns]
            writer.write_table(pa.table(cells, schema=schema))


def _batches(segments: Sequence[Path]) -> Iterator[pa.RecordBatch]:
    """Yield the rows in pieces of about ``_BATCH``: a piece a day would cost more than its rows do."""
    waiting: list[pa.RecordBatch] = []
    for segment in segments:
        with pq.ParquetFile(segment) as file:
            for batch in file.iter_batches(batch_size=_BATCH):
                waiting.append(batch)
                if sum(each.num_rows for each in waiting) >= _BATCH:
                    yield from _joined_batches(waiting)
                    waiting = []
    yield from _joined_batches(waiting)


def _joined_batches(waiting: list[pa.RecordBatch]) -> list[pa.RecordBatch]:
    joined: list[pa.RecordBatch] = pa.Table.from_batches(waiting).combine_chunks().to_batches() if waiting else []
    return joined


def _cells(batch: pa.RecordBatch, column: Column) -> pa.Array:
    first, *rest = column.name.split(".")
    values = reduce(pc.struct_field, rest, batch.column(first))
    match column.kind:
        case "instant":
            return _instants(values)
        case "text":
            return _plain(values)
        case "texts":
            return _plain(_joined(values))
        case "numbers":
            return _joined(values)
        case "structs":
            return pc.cast(pc.list_value_length(values), pa.string())
        case "bool" | "number":
            return pc.cast(values, pa.string())


def _joined(values: pa.Array) -> pa.Array:
    return pc.binary_join(pc.cast(values, pa.list_(pa.string())), "; ")


def _instants(values: pa.Array) -> pa.Array:
    texts = pc.strftime(pc.cast(values, pa.timestamp("ms", tz="UTC")), format="%Y-%m-%dT%H:%M:%SZ")
    return pc.replace_substring(texts, ".000Z", "Z")


def _plain(texts: pa.Array) -> pa.Array:
    """Keep spreadsheets from taking the source's text for a formula (OWASP, CSV injection)."""
    guarded = pc.binary_join_element_wise("'", texts, "")
    return pc.if_else(pc.match_substring_regex(texts, FORMULA), guarded, texts)
