# SPDX-License-Identifier: Apache-2.0

"""The Parquet schema of a population, derived from its row struct.

In: a row struct class of ``app.trails.populations``. Out: a ``pyarrow.Schema`` with nested structs and lists.
It must never be written by hand beside the structs: one source, or the two drift apart.

Instants and spans are int64 milliseconds. A field is nullable exactly when its type says ``| None``; list elements
never are.
"""

import types
import typing

import msgspec
import pyarrow as pa

_SCALARS: dict[type, pa.DataType] = {bool: pa.bool_(), int: pa.int64(), float: pa.float64(), str: pa.string()}


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
