# SPDX-License-Identifier: Apache-2.0

"""Write a population as one CSV file, for people and spreadsheets; the Parquet segments stay what was judged.

In:  the Parquet segments of a population.
Out: CSV (RFC 4180, UTF-8): one line an item, one column a single value; lists of records appear as their count, and
what an item is linked to by what names it.
Equal segments give equal bytes, in bounded memory.
"""

from collections.abc import Sequence
from functools import reduce
from pathlib import Path
from typing import Protocol, Self

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
import pyarrow.parquet as pq

from app.packs.values import Column, columns_of
from app.records.spreadsheet import FORMULA
from app.trails.populations import Row

_BATCH = 20_000
_CASTABLE = (-62_135_596_800_000, 253_402_300_800_000)
"""The years 1 to 9999, in milliseconds: they have four digits."""
_WHOLE_SECOND = ".000Z"
_EVIDENCE = "evidence"
BEGINNINGS = tuple(sorted({char.encode()[:1] for char in " \u00a0=+-@\t\r\n\uff1d\uff0b\uff0d\uff20"}))
"""First bytes of the texts that ``FORMULA`` may match: a column without any of them is plain as it is."""
_BEGINNINGS = pa.array(BEGINNINGS, pa.binary())


class Sink(Protocol):
    """What an open file for writing is like."""

    @property
    def closed(self) -> bool:
        """Tell whether nothing can be written any more."""
        ...

    def writable(self) -> bool:
        """Tell whether anything can be written at all."""
        ...

    def write(self, data: bytes, /) -> int:
        """Write; return how many bytes."""
        ...


class Listing:
    """Writes the CSV of a population; a context manager.

    Args:
        row_class: the population's rows.
        output: where to write: a file's name, or an open one.

    Raises:
        pyarrow.ArrowInvalid: a batch does not have the population's schema.
    """

    def __init__(self, row_class: type[Row], output: Path | Sink) -> None:
        self._columns = columns_of(row_class)
        schema = pa.schema([pa.field(column.name, pa.string()) for column in self._columns])
        options = pyarrow.csv.WriteOptions(include_header=True, quoting_style="needed")
        self._writer = pyarrow.csv.CSVWriter(output, schema, write_options=options)
        self._schema = schema
        self._waiting: list[pa.Table] = []
        self._rows = 0

    def __enter__(self) -> Self:
        """Return the listing."""
        return self

    def __exit__(self, *raised: object) -> None:
        """Write what is left, and close the file."""
        try:
            if raised[0] is None:
                self._flush()
        finally:
            self._writer.close()

    def leaves(self, schema: pa.Schema) -> list[str]:
        """Return what has to be read: of lists of records one field each, because only their length is shown."""
        return [_leaf(schema, column) for column in self._columns]

    def add(self, batch: pa.RecordBatch) -> None:
        """Add rows, which must come in the order they shall have."""
        # Gathered into pieces of about ``_BATCH``: a piece a day would cost more than its rows do.
        values = [_values(batch, column) for column in self._columns]
        self._waiting.append(pa.table(values, names=self._schema.names))
        self._rows += batch.num_rows
        if self._rows >= _BATCH:
            self._flush()

    def _flush(self) -> None:
        if self._rows:
            values = pa.concat_tables(self._waiting).combine_chunks().columns
            cells = [_cells(_whole(each), column) for each, column in zip(values, self._columns, strict=True)]
            self._writer.write_table(pa.table(cells, schema=self._schema))
        self._waiting, self._rows = [], 0


def write_listing(row_class: type[Row], segments: Sequence[Path], output: Path) -> None:
    """Write the CSV of a population; ``segments`` in the order they shall have.

    Raises:
        pyarrow.ArrowInvalid: a segment does not have the population's schema.
    """
    with Listing(row_class, output) as listing:
        for segment in segments:
            with pq.ParquetFile(segment) as file:
                for batch in file.iter_batches(batch_size=_BATCH, columns=listing.leaves(file.schema_arrow)):
                    listing.add(batch)


def _leaf(schema: pa.Schema, column: Column) -> str:
    if column.kind == "evidence":
        return _EVIDENCE
    if column.kind != "structs":
        return column.name
    first, *rest = column.name.split(".")
    found = reduce(lambda kind, word: kind.field(word).type, rest, schema.field(first).type)
    return f"{column.name}.list.element.{found.value_type.field(0).name}"


def _values(batch: pa.RecordBatch, column: Column) -> pa.Array:
    if column.kind == "evidence":
        return _missing(batch.column(_EVIDENCE))
    first, *rest = column.name.split(".")
    values = reduce(pc.struct_field, rest, batch.column(first))
    return pc.list_value_length(values) if column.kind == "structs" else values


def _missing(evidence: pa.StructArray) -> pa.Array:
    """Return the names of the fields that are false, which are the same for most rows."""
    bits = {field.name: 1 << place for place, field in enumerate(evidence.type)}
    false = [pc.multiply(pc.cast(pc.invert(evidence.field(name)), pa.int64()), bit) for name, bit in bits.items()]
    rows = reduce(pc.add, false).dictionary_encode()
    texts = ["; ".join(name for name, bit in bits.items() if row & bit) for row in rows.dictionary.to_pylist()]
    return pa.array(texts, pa.string()).take(rows.indices)


def _whole(column: pa.ChunkedArray) -> pa.Array:
    (chunk,) = column.chunks
    return chunk


def _cells(values: pa.Array, column: Column) -> pa.Array:
    match column.kind:
        case "instant":
            return _instants(values)
        case "text":
            return _plain(values)
        case "evidence":
            return values
        case "texts":
            return _plain(_joined(values))
        case "numbers":
            return _joined(values)
        case "structs" | "bool" | "number":
            return pc.cast(values, pa.string())


def _joined(values: pa.Array) -> pa.Array:
    return pc.binary_join(pc.cast(values, pa.list_(pa.string())), "; ")


def _instants(values: pa.Array) -> pa.Array:
    """Return RFC 3339. What a cast writes is that but for two characters, at a tenth of the cost of formatting."""
    bounds = pc.min_max(values)
    if all(_CASTABLE[0] <= (bound.as_py() or 0) < _CASTABLE[1] for bound in bounds.values()):
        texts = pc.cast(pc.cast(values, pa.timestamp("ms")), pa.string())
        texts = pc.binary_join_element_wise(pc.binary_replace_slice(texts, 10, 11, "T"), "Z", "")
    else:
        texts = pc.strftime(pc.cast(values, pa.timestamp("ms", tz="UTC")), format="%Y-%m-%dT%H:%M:%SZ")
    whole = pc.any(pc.ends_with(texts, _WHOLE_SECOND), min_count=0).as_py()
    return pc.replace_substring(texts, _WHOLE_SECOND, "Z") if whole else texts


def _plain(texts: pa.Array) -> pa.Array:
    """Keep spreadsheets from taking the source's text for a formula (OWASP, CSV injection)."""
    beginnings = pc.unique(pc.binary_slice(pc.cast(texts, pa.binary()), 0, 1))
    if not pc.any(pc.is_in(beginnings, value_set=_BEGINNINGS), min_count=0).as_py():
        return texts
    guarded = pc.binary_join_element_wise("'", texts, "")
    return pc.if_else(pc.match_substring_regex(texts, FORMULA), guarded, texts)
