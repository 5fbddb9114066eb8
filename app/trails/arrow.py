# SPDX-License-Identifier: Apache-2.0

"""The Parquet schema of a population, derived from its row struct.

In: a row struct class of ``app.trails.populations``. Out: a ``pyarrow.Schema`` with nested structs and lists.
It must never be written by hand beside the structs: one source, or the two drift apart.

Instants and spans are int64 milliseconds. A field is nullable exactly when its type says ``| None``; list elements
never are.
"""

import types
import typing
from functools import cache

import msgspec
import pyarrow as pa
import pyarrow.compute as pc

_SCALARS: dict[type, pa.DataType] = {bool: pa.bool_(), int: pa.int64(), float: pa.float64(), str: pa.string()}


@cache
def arrow_schema(row_class: type[msgspec.Struct]) -> pa.Schema:
    """Return the schema of a population's segments.

    Raises:
        TypeError: a field has a type that a row may not have.
    """
    return pa.schema(_fields(row_class))


def _fields(struct_class: type[msgspec.Struct]) -> list[pa.Field]:
    hints = typing.get_type_hints(struct_class)
    return [_field(name, hints[name]) for name in struct_class.__struct_fields__]


def _field(name: str, hint: object) -> pa.Field:
    if typing.get_origin(hint) in (typing.Union, types.UnionType):
        members = [member for member in typing.get_args(hint) if member is not types.NoneType]
        if len(members) != 1:
            raise TypeError(f"field {name}: only '| None' unions are possible in a row, not {hint}")
        return pa.field(name, _data_type(name, members[0]), nullable=True)
    return pa.field(name, _data_type(name, hint), nullable=False)


def _data_type(name: str, hint: object) -> pa.DataType:
    if hint in _SCALARS:
        return _SCALARS[hint]
    if typing.get_origin(hint) is list:
        (element,) = typing.get_args(hint)
        return pa.list_(pa.field("element", _data_type(name, element), nullable=False))
    if isinstance(hint, type) and issubclass(hint, msgspec.Struct):
        return pa.struct(_fields(hint))
    raise TypeError(f"field {name}: {hint} has no place in a row")


def conform(batch: pa.RecordBatch, schema: pa.Schema) -> pa.RecordBatch:
    """Return a batch as exactly this schema, which differs in nothing but which fields may be missing.

    Arrow's own cast refuses a missing struct whose fields must not be missing; here only a struct that is there counts.

    Raises:
        pyarrow.ArrowInvalid: a value is missing that must not be.
    """
    arrays = [_conform(batch.column(field.name), field) for field in schema]
    return pa.RecordBatch.from_arrays(arrays, schema=schema)


def _conform(array: pa.Array, field: pa.Field, there: pa.Array | None = None) -> pa.Array:
    """Return an array as the type of a field; ``there`` tells where what holds it is not missing itself."""
    if array.null_count and not field.nullable:
        missing = array.is_null() if there is None else pc.and_(array.is_null(), there)
        if pc.any(missing).as_py():
            raise pa.ArrowInvalid(f"'{field.name}' is missing somewhere")
    mask = array.is_null() if field.nullable and array.null_count else None
    if pa.types.is_struct(field.type):
        inside = array.is_valid() if array.null_count else there
        parts = [_conform(array.field(child.name), child, inside) for child in field.type]
        return pa.StructArray.from_arrays(parts, fields=list(field.type), mask=mask)
    if pa.types.is_list(field.type):
        values = _conform(array.values, field.type.value_field)
        return pa.ListArray.from_arrays(array.offsets, values, type=field.type, mask=mask)
    filled = array if field.nullable or not array.null_count else array.fill_null(_FILLERS[field.type])
    return filled.cast(field.type)


_FILLERS: dict[pa.DataType, object] = {pa.bool_(): False, pa.int64(): 0, pa.float64(): 0.0, pa.string(): ""}
"""What stands, unseen, in the fields of a missing struct."""
