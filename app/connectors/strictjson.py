# SPDX-License-Identifier: Apache-2.0

"""Read one JSON value that may have been written by an adversary.

In:  bytes. Out: the value, or a RecordRejected that says what is wrong with them.
Two readers must never understand the same bytes differently, so what RFC 8259 leaves open is refused here: repeated
names, NaN and infinities, lone surrogates, byte order marks, and nesting that only serves to exhaust a parser.
"""

import json
import math
from typing import Any, NoReturn

import orjson

from app.errors import RecordRejected

JsonObject = dict[str, Any]

MAX_DEPTH = 64
"""Deeper nesting is refused; no record we know nests deeper than a dozen levels."""


def strict_value(raw: bytes) -> Any:  # noqa: ANN401  # any JSON value
    """Decode JSON strictly.

    Raises:
        RecordRejected: the bytes are not UTF-8, not JSON, or are JSON that two parsers could read differently.
    """
    quick = _quick(raw)
    if quick is not None:
        return quick
    try:
        value = _DECODER.decode(raw.decode("utf-8"))
        if b"\\u" in raw:
            orjson.loads(raw)  # It refuses lone surrogates, which the standard library lets through.
    except UnicodeDecodeError as error:
        raise RecordRejected(f"byte {error.start} is not UTF-8") from None
    except RecursionError:
        raise RecordRejected(f"it nests deeper than {MAX_DEPTH} levels") from None
    except ValueError as error:
        raise RecordRejected(f"it is not JSON: {_first_words(error)}") from None
    if raw.count(b"{") + raw.count(b"[") > MAX_DEPTH and _deeper_than(value, MAX_DEPTH):
        raise RecordRejected(f"it nests deeper than {MAX_DEPTH} levels")
    return value


def strict_object(raw: bytes) -> JsonObject:
    """Decode a JSON object strictly.

    Raises:
        RecordRejected: as ``strict_value``, or the value is not an object.
    """
    value = strict_value(raw)
    if type(value) is not dict:
        raise RecordRejected("it is JSON, but not an object")
    return value


def _quick(raw: bytes) -> JsonObject | None:
    """Decode an object as the careful decoder would, or give up; nearly all records are plain enough.

    No name stands twice in an object of as many names as its bytes hold colons. Texts may hold colons too; then the
    colons after quotes are counted, if none can stand further off. A number with a fraction, or of more than 64 bits,
    is a float here and left to the careful decoder.
    """
    try:
        value = orjson.loads(raw)
    except ValueError:
        return None
    if type(value) is not dict:
        return None
    if _PLAIN.issuperset(map(type, value.values())):
        names = len(value)
    elif raw.count(b"{") + raw.count(b"[") <= MAX_DEPTH:
        names = _names_in(value)
    else:
        return None
    if names == raw.count(b":"):
        return value
    return value if names == raw.count(b'":') and not any(map(raw.__contains__, _SPACED)) else None


def _names_in(value: JsonObject | list[Any]) -> int:
    """Return the number of names in a value that is not deep; less than none if it holds a float."""
    names, inside = (len(value), value.values()) if isinstance(value, dict) else (0, value)
    for inner in inside:
        if type(inner) not in _PLAIN:
            names += -_MANY if isinstance(inner, float) else _names_in(inner)
    return names


def _unique(pairs: list[tuple[str, Any]]) -> JsonObject:
    value = dict(pairs)
    if len(value) != len(pairs):
        names = [name for name, _ in pairs]
        repeated = next(name for name in names if names.count(name) > 1)
        raise RecordRejected(f"the name '{_printable(repeated)}' stands twice in one object")
    return value


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise RecordRejected("a number is too large")
    return number


def _no_constant(name: str) -> NoReturn:
    raise RecordRejected(f"{name} is not JSON")


def _deeper_than(value: object, depth: int) -> bool:
    level = [value]
    for _ in range(depth):
        level = [
            child
            for each in level
            if isinstance(each, (dict, list))
            for child in (each.values() if isinstance(each, dict) else each)
        ]
        if not level:
            return False
    return any(isinstance(each, (dict, list)) for each in level)


def _first_words(error: ValueError) -> str:
    # The standard library's messages name a place, and never repeat the input.
    return str(error).split(" (", maxsplit=1)[0][:120].rstrip(".")


def _printable(text: str) -> str:
    return "".join(letter if letter.isprintable() else "?" for letter in text[:40])


_PLAIN = frozenset({str, int, bool, type(None)})
_SPACED = (b'" ', b'"\n', b'"\t', b'"\r')
_MANY = 1 << 60
_DECODER = json.JSONDecoder(object_pairs_hook=_unique, parse_float=_finite, parse_constant=_no_constant)
