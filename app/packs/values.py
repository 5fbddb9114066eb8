# SPDX-License-Identifier: Apache-2.0

"""Show one value of a row as text, for tables that people read.

In:  a row of a population and a dotted name, such as ``grant.starts_at``.
Out: text: instants as RFC 3339, spans as milliseconds, several values joined by ``; ``, a missing value empty.
Text is the source's own and stays as it is; what goes into a CSV file also passes ``records.spreadsheet``.
"""

import types
from functools import lru_cache
from typing import Annotated, Any, Literal, Union, get_args, get_origin, get_type_hints

import msgspec
import pyarrow as pa
import pyarrow.compute as pc

from app.records.times import format_instant
from app.trails.populations import FlagView, Instant, Row

Kind = Literal["instant", "bool", "text", "number", "texts", "numbers", "structs"]

_LAST = frozenset({"evidence", "waivers", "ledger"})
"""What a reader looks for last."""


class Column(msgspec.Struct, frozen=True, kw_only=True):
    """One column of a population's listing: its dotted name and what stands there."""

    name: str
    kind: Kind


def columns_of(row_class: type[Row]) -> tuple[Column, ...]:
    """Return a population's columns: every single value, lists of texts or numbers, and counts of child records."""
    columns = _columns(row_class, "")
    return tuple(sorted(columns, key=lambda column: column.name.split(".")[0] in _LAST))


def text_at(row: Row, path: str) -> str:
    """Return the value at a dotted name as text; a list on the way gives several values."""
    found: list[tuple[Any, bool]] = [(row, False)]
    for word in path.split("."):
        found = [step for value, _ in found for step in _step(value, word)]
    texts = [_text(value, is_instant=is_instant) for value, is_instant in found if value is not None]
    return "; ".join(texts)


def _step(value: Any, word: str) -> list[tuple[Any, bool]]:  # noqa: ANN401
    if value is None:
        return []
    kind: Any = type(value)
    hint = _hints(kind)[word]
    inner = getattr(value, word)
    is_instant = hint is Instant or Instant in get_args(hint)
    return [(item, False) for item in inner] if isinstance(inner, list) else [(inner, is_instant)]


def _text(value: Any, *, is_instant: bool) -> str:  # noqa: ANN401
    if is_instant:
        return format_instant(value)
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        text: str = pc.cast(pa.scalar(value), pa.string()).as_py()
        return text  # As the listings have it: Arrow writes 0 where Python writes 0.0.
    if isinstance(value, FlagView):
        return value.rule
    if isinstance(value, msgspec.Struct):
        return str(getattr(value, "id", ""))
    return str(value)


def _columns(struct: type[msgspec.Struct], prefix: str) -> list[Column]:
    columns: list[Column] = []
    for name, hint in _hints(struct).items():
        if prefix or name != "period":
            columns += _column(prefix + name, hint)
    return columns


def _column(name: str, hint: Any) -> list[Column]:  # noqa: ANN401
    if get_origin(hint) in (Union, types.UnionType):
        (hint,) = (part for part in get_args(hint) if part is not type(None))
    if get_origin(hint) is list:
        (element,) = get_args(hint)
        kinds: dict[Any, Kind] = {str: "texts", int: "numbers"}
        return [Column(name=name, kind=kinds.get(element, "structs"))]
    if get_origin(hint) is Annotated:
        is_instant = hint == Instant
        return [Column(name=name, kind="instant" if is_instant else "number")]
    if isinstance(hint, type) and issubclass(hint, msgspec.Struct):
        return _columns(hint, f"{name}.")
    scalars: dict[Any, Kind] = {bool: "bool", str: "text", int: "number", float: "number"}
    return [Column(name=name, kind=scalars[hint])]


@lru_cache(maxsize=256)
def _hints(struct: type[Any]) -> dict[str, Any]:
    hints = get_type_hints(struct, include_extras=True)
    return {name: hints[name] for name in struct.__struct_fields__}
