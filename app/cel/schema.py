# SPDX-License-Identifier: Apache-2.0

"""The types an expression may speak of, derived from a row struct and from parameter values.

In:  a msgspec struct class (its fields' annotations, where ``Meta(extra={"cel": ...})`` marks instants and spans) and
     the values of a test's parameters.
Out: ``ViewType`` and the other types; ``Parameter`` with its value in the units of the row.
It must never know a population by name: rows are handed in.
"""

import re
import types
import typing
from collections.abc import Mapping
from enum import StrEnum
from functools import cache
from typing import Annotated, get_args, get_origin

import msgspec

from app.cel.errors import CelError

ParameterValue = bool | int | float | str | tuple[str, ...]

INT64_MAX = 2**63 - 1
INT64_MIN = -(2**63)

_SPAN_TEXT = re.compile(r"([0-9]{1,12})(ms|s|m|h|d)")
_UNIT_MS = {"ms": 1, "s": 1_000, "m": 60_000, "h": 3_600_000, "d": 86_400_000}
LONGEST_SPAN = 36_500 * 86_400_000
"""A hundred years, in milliseconds: no rule is longer, and sums stay far from overflow."""


class ScalarType(StrEnum):
    """One value. Instants and spans are milliseconds; CEL calls them timestamp and duration."""

    BOOL = "bool"
    INT = "int"
    DOUBLE = "double"
    STRING = "string"
    INSTANT = "timestamp"
    SPAN = "duration"


class Field(msgspec.Struct, frozen=True):
    """A field of a view. ``nullable`` says that its value may be missing."""

    name: str
    type: "Type"
    nullable: bool


class ViewType(msgspec.Struct, frozen=True):
    """A nested struct. ``witness`` is a scalar field that is never missing when the view is there, if it has one."""

    name: str
    fields: dict[str, Field]
    witness: str | None


class ListType(msgspec.Struct, frozen=True):
    """A list of views or scalars; its elements are never missing."""

    element: "ScalarType | ViewType"


Type = ScalarType | ViewType | ListType


class Parameter(msgspec.Struct, frozen=True):
    """A parameter with its value; spans are milliseconds."""

    name: str
    type: ScalarType | ListType
    value: ParameterValue


_SCALARS: dict[object, ScalarType] = {
    bool: ScalarType.BOOL,
    int: ScalarType.INT,
    float: ScalarType.DOUBLE,
    str: ScalarType.STRING,
}
STRINGS = ListType(ScalarType.STRING)


@cache
def view_type(struct_class: type[msgspec.Struct]) -> ViewType:
    """Return the type of a row or view struct.

    Raises:
        TypeError: a field has a type that a row may not have.
    """
    hints = typing.get_type_hints(struct_class, include_extras=True)
    fields = {name: _field(name, hints[name]) for name in struct_class.__struct_fields__}
    sure = (name for name, field in fields.items() if isinstance(field.type, ScalarType) and not field.nullable)
    return ViewType(name=struct_class.__name__, fields=fields, witness=next(sure, None))


def _field(name: str, hint: object) -> Field:
    if get_origin(hint) in (typing.Union, types.UnionType):
        members = [member for member in get_args(hint) if member is not types.NoneType]
        if len(members) != 1:
            raise TypeError(f"field {name}: only '| None' unions are possible in a row, not {hint}")
        return Field(name, _type(name, members[0]), nullable=True)
    return Field(name, _type(name, hint), nullable=False)


def _type(name: str, hint: object) -> Type:
    if get_origin(hint) is list:
        element = _type(name, get_args(hint)[0])
        if isinstance(element, ListType):
            raise TypeError(f"field {name}: a list of lists has no place in a row")
        return ListType(element)
    if isinstance(hint, type) and issubclass(hint, msgspec.Struct):
        return view_type(hint)
    return _scalar(name, hint)


def _scalar(name: str, hint: object) -> ScalarType:
    if get_origin(hint) is Annotated:
        plain, *notes = get_args(hint)
        marks = [str(note.extra["cel"]) for note in notes if isinstance(note, msgspec.Meta) and note.extra]
        return ScalarType(marks[0]) if marks else _scalar(name, plain)
    if hint in _SCALARS:
        return _SCALARS[hint]
    raise TypeError(f"field {name}: {hint} has no place in a row")


def parse_span(text: str) -> int | None:
    """Return the milliseconds of a text such as ``500ms``, ``60s``, ``15m``, ``8h``, ``90d``; None for other texts."""
    match = _SPAN_TEXT.fullmatch(text)
    return int(match[1]) * _UNIT_MS[match[2]] if match else None


def parameters_of(values: Mapping[str, ParameterValue]) -> dict[str, Parameter]:
    """Return typed parameters; a string that reads as a span is one.

    Raises:
        CelError: a value cannot be used.
    """
    return {name: _parameter(name, value) for name, value in values.items()}


def _parameter(name: str, value: ParameterValue) -> Parameter:
    match value:
        case bool():
            return Parameter(name, ScalarType.BOOL, value)
        case int():
            if not INT64_MIN <= value <= INT64_MAX:
                raise CelError(f"the number of parameter '{name}' does not fit in 64 bits")
            return Parameter(name, ScalarType.INT, value)
        case float():
            if value != value or value in (float("inf"), float("-inf")):  # noqa: PLR0124 - NaN differs from itself.
                raise CelError(f"parameter '{name}' is not a finite number")
            return Parameter(name, ScalarType.DOUBLE, value)
        case str():
            return _text_parameter(name, value)
        case tuple():
            return Parameter(name, STRINGS, tuple(_plain_text(name, element) for element in value))


def _text_parameter(name: str, value: str) -> Parameter:
    span = parse_span(value)
    if span is None:
        return Parameter(name, ScalarType.STRING, _plain_text(name, value))
    if span > LONGEST_SPAN:
        raise CelError(f"the duration of parameter '{name}' is longer than 100 years", hint="Write at most 36500d.")
    return Parameter(name, ScalarType.SPAN, span)


def _plain_text(name: str, value: str) -> str:
    """Refuse what neither engine can carry: a lone surrogate is not UTF-8, and a NUL cannot stand in SQL text."""
    if "\x00" in value or any("\ud800" <= character <= "\udfff" for character in value):
        raise CelError(
            f"parameter '{name}' holds a character that cannot be compared", hint="Remove NUL and surrogates."
        )
    return value
