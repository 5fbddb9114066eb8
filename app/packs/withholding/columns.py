# SPDX-License-Identifier: Apache-2.0

"""Find and change single texts in the nested columns of a population's rows.

In:  a batch of rows and dotted paths to texts; lists on the way are gone through element by element.
Out: the batch with these texts replaced, or a flat array of them. Pure.
A text that stands in a record which is not there (``identity`` is missing) does not exist, and is not asked about.
"""

from collections.abc import Callable, Mapping, Sequence
from itertools import accumulate

import pyarrow as pa
import pyarrow.compute as pc

Change = Callable[[str, str, str | None], str | None]
"""Takes an item's id, the place in it (``events[3].text_sha256``) and the value; returns the value to stand there."""
_Place = tuple[str, str]


def change_texts(batch: pa.RecordBatch, paths: Mapping[str, Change]) -> pa.RecordBatch:
    """Return the batch with the texts at each path changed."""
    ids: list[str] = batch.column("item_id").to_pylist()
    for path, change in paths.items():
        first, *rest = path.split(".")
        number = batch.schema.get_field_index(first)
        places: list[_Place | None] = [(item, first) for item in ids]
        changed = _changed(batch.column(number), batch.schema.field(number), rest, places, change)
        batch = batch.set_column(number, batch.schema.field(number), changed)
    return batch


def column_of(schema: pa.Schema, path: str) -> str:
    """Return what a Parquet file calls the column of the texts at a path."""
    kind: pa.DataType = pa.struct(list(schema))
    words: list[str] = []
    for word in path.split("."):
        kind = kind.field(word).type
        words.append(word)
        if pa.types.is_list(kind):
            kind = kind.value_type
            words += ["list", "element"]
    return ".".join(words)


def texts_at(batch: pa.RecordBatch, path: str) -> pa.Array:
    """Return all texts at a path, in order; those of records that are not there are missing."""
    first, *rest = path.split(".")
    array = batch.column(first)
    for word in ["", *rest]:
        array = pc.struct_field(array, word) if word else array
        array = pc.list_flatten(array) if pa.types.is_list(array.type) else array
    return array


def _changed(
    array: pa.Array, field: pa.Field, words: Sequence[str], places: Sequence[_Place | None], change: Change
) -> pa.Array:
    if pa.types.is_list(field.type):
        return _in_lists(array, field, words, places, change)
    if not words:
        return _texts(array, field, places, change)
    valid = array.is_valid().to_pylist()
    there = [
        (place[0], f"{place[1]}.{words[0]}") if place and is_valid else None
        for place, is_valid in zip(places, valid, strict=True)
    ]
    children = [
        _changed(array.field(child.name), child, words[1:], there, change) if child.name == words[0] else None
        for child in field.type
    ]
    parts = [array.field(child.name) if new is None else new for child, new in zip(field.type, children, strict=True)]
    mask = array.is_null() if array.null_count else None
    return pa.StructArray.from_arrays(parts, fields=list(field.type), mask=mask)


def _in_lists(
    array: pa.Array, field: pa.Field, words: Sequence[str], places: Sequence[_Place | None], change: Change
) -> pa.Array:
    lengths = pc.fill_null(pc.list_value_length(array), 0).to_pylist()
    inner = [
        (place[0], f"{place[1]}[{number}]") if place else None
        for place, length in zip(places, lengths, strict=True)
        for number in range(length)
    ]
    values = _changed(array.flatten(), field.type.value_field, words, inner, change)
    offsets = pa.array(accumulate(lengths, initial=0), pa.int32())
    mask = array.is_null() if array.null_count else None
    return pa.ListArray.from_arrays(offsets, values, type=field.type, mask=mask)


def _texts(array: pa.Array, field: pa.Field, places: Sequence[_Place | None], change: Change) -> pa.Array:
    """Change the texts; what is left behind a record that is not there is cleared."""
    nothing = None if field.nullable else ""
    values = [
        change(place[0], place[1], value) if place else nothing
        for place, value in zip(places, array.to_pylist(), strict=True)
    ]
    return pa.array(values, pa.string())
