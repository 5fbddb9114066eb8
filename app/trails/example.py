# SPDX-License-Identifier: Apache-2.0

"""Build a whole row from the few fields that an example names.

In:  a population and a partial row, as YAML gives it: instants as RFC 3339 text, spans as ``5m``.
Out: a row struct. What is not named is neutral: missing where it may be missing, else empty, zero or false; the period
     is the first quarter of 2026, and all evidence is there.
It must never ignore a key: a misspelt one would test something else than it says.
"""

from collections.abc import Mapping

import msgspec

from app.cel.schema import Field, ListType, ScalarType, Type, ViewType, parse_span, view_type
from app.errors import InvalidInput, RecordRejected
from app.records.times import parse_instant
from app.trails.populations import POPULATIONS, EvidenceView, PeriodView, Row

PERIOD_START = 1_767_225_600_000
PERIOD_END = 1_775_001_600_000
AS_OF = 1_775_088_000_000
"""2026-01-01, 2026-04-01 and 2026-04-02, midnight UTC."""

_BLANKS: dict[ScalarType, bool | float | str] = {
    ScalarType.BOOL: False,
    ScalarType.INT: 0,
    ScalarType.DOUBLE: 0.0,
    ScalarType.STRING: "",
    ScalarType.INSTANT: PERIOD_START,
    ScalarType.SPAN: 0,
}
_ITEM = "example/{population}/1"


def example_row(population: str, given: Mapping[str, object]) -> Row:
    """Return the row of a population with what ``given`` names, and neutral values everywhere else.

    Raises:
        InvalidInput: there is no such population, a key is unknown, or a value has the wrong type; ``where`` is the
            dotted path.
    """
    row_class = POPULATIONS.get(population)
    if row_class is None:
        raise InvalidInput(f"there is no population '{population}'", hint=f"It is one of {', '.join(POPULATIONS)}.")
    named = {"item_id": _ITEM.format(population=population), "source": "example", **given}
    return msgspec.convert(_view(view_type(row_class), named, ""), row_class)


def _view(kind: ViewType, given: Mapping[str, object], where: str) -> dict[str, object]:
    unknown = [key for key in given if key not in kind.fields]
    if unknown:
        hint = f"Known there: {', '.join(kind.fields)}."
        raise InvalidInput(f"there is no field '{unknown[0]}'", where=f"{where}{unknown[0]}", hint=hint)
    return {
        name: _value(field, given[name], f"{where}{name}") if name in given else _blank(field, kind.name)
        for name, field in kind.fields.items()
    }


def _blank(field: Field, owner: str) -> object:
    if owner == EvidenceView.__name__:
        return True
    if owner == PeriodView.__name__:
        return {"start": PERIOD_START, "end": PERIOD_END, "as_of": AS_OF}[field.name]
    if field.nullable:
        return None
    match field.type:
        case ScalarType():
            return _BLANKS[field.type]
        case ListType():
            return []
        case ViewType():
            return _view(field.type, {}, "")


def _value(field: Field, given: object, where: str) -> object:
    if given is None:
        if field.nullable:
            return None
        raise InvalidInput("the field is never missing", where=where, hint="Give it a value, or leave it out.")
    return _typed(field.type, given, where)


def _typed(kind: Type, given: object, where: str) -> object:
    match kind:
        case ViewType():
            if not isinstance(given, Mapping):
                raise InvalidInput(
                    "this must be a mapping", where=where, hint=f"Known there: {', '.join(kind.fields)}."
                )
            return _view(kind, given, f"{where}.")
        case ListType():
            if not isinstance(given, list | tuple):
                raise InvalidInput("this must be a list", where=where, hint="Write [a, b].")
            return [_typed(kind.element, element, f"{where}.{index}") for index, element in enumerate(given)]
        case ScalarType():
            return _scalar(kind, given, where)


def _scalar(kind: ScalarType, given: object, where: str) -> object:
    value = given
    if isinstance(given, str) and kind == ScalarType.INSTANT:
        try:
            value = parse_instant(given)
        except RecordRejected as error:
            raise InvalidInput("this is no instant", where=where, hint="Write 2026-01-01T00:00:00Z.") from error
    elif isinstance(given, str) and kind == ScalarType.SPAN:
        value = parse_span(given)
    elif isinstance(given, int) and not isinstance(given, bool) and kind == ScalarType.DOUBLE:
        value = float(given)
    if type(value) is not type(_BLANKS[kind]):
        raise InvalidInput(f"this is no {kind}", where=where, hint="Look at the type of the field.")
    return value
