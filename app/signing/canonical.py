# SPDX-License-Identifier: Apache-2.0

"""Canonical JSON: one value, one spelling, so that its hash means the value.

In:  a value made of dict, list, tuple, str, int, bool and None.
Out: bytes equal to RFC 8785 (JCS) for the profile we allow, and nothing at all outside it.

The profile leaves out what makes JCS hard and slow: floats, keys that are not ASCII, and integers beyond 53 bits.
Within it, sorting by bytes is sorting by UTF-16 units, and orjson's escapes are those of RFC 8785 section 3.2.2.2.
"""

from collections.abc import Mapping
from typing import Any

import orjson

from app.errors import InvalidInput

MAX_DEPTH = 64
"""Deeper nesting is refused: no document of ours needs it, and hostile ones do."""

_OPTIONS = orjson.OPT_SORT_KEYS | orjson.OPT_STRICT_INTEGER


def canonical_json(value: Any) -> bytes:  # noqa: ANN401  The check below is the type.
    """Return the canonical bytes of ``value``.

    Raises:
        InvalidInput: the value holds a float, a key that is not ASCII, an integer of more than 53 bits, a lone
            surrogate, another type, or is nested deeper than ``MAX_DEPTH``.
    """
    _check(value)
    return _dump(value)


def canonical_flat(record: Mapping[str, str | int | None]) -> bytes:
    """Return the canonical bytes of a flat record whose keys the code itself fixes; for the paths of millions.

    Raises:
        InvalidInput: a text holds a lone surrogate, or an integer has more than 53 bits.
    """
    return _dump(record)


def _dump(value: Any) -> bytes:  # noqa: ANN401
    try:
        return orjson.dumps(value, option=_OPTIONS)
    except TypeError as error:  # orjson raises its own subclass for surrogates and large integers.
        raise InvalidInput(f"this has no canonical JSON form: {error}") from error


def _check(root: Any) -> None:  # noqa: ANN401
    waiting = [(root, 0)]
    while waiting:
        value, depth = waiting.pop()
        kind = type(value)
        if kind is str or kind is int or kind is bool or value is None:
            continue
        if depth == MAX_DEPTH:
            raise InvalidInput("this JSON is nested too deeply")
        if kind is dict:
            if not all(type(key) is str and key.isascii() for key in value):
                raise InvalidInput("canonical JSON takes ASCII keys only")
            waiting.extend((inner, depth + 1) for inner in value.values())
        elif kind is list or kind is tuple:
            waiting.extend((inner, depth + 1) for inner in value)
        else:
            raise InvalidInput(f"canonical JSON takes no {kind.__name__}")
