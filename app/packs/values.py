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
from app.trails.populations import (
    AccountView,
    EvidenceView,
    FlagView,
    GrantView,
    IdentityView,
    Instant,
    Row,
    SessionView,
    WorkflowView,
)

Kind = Literal["instant", "bool", "text", "number", "texts", "numbers", "structs", "evidence"]

NO_EVIDENCE_OF = "no_evidence_of"
"""The column that names the record types of which there is no evidence at the item's instant."""
_LAST = frozenset({"ledger", NO_EVIDENCE_OF, "waivers"})
"""What a reader looks for last."""
_NAMING: dict[type[msgspec.Struct], tuple[str, ...]] = {
    IdentityView: ("id", "display", "kind", "status"),
    AccountView: ("id", "name", "shared", "privileged", "break_glass"),
    WorkflowView: ("id", "name"),
    GrantView: ("id", "role", "basis", "starts_at", "ends_at", "link_basis"),
    SessionView: ("id", "subject", "started_at", "ended_at", "status"),
}
"""What listings show of what an item is linked to where that has a listing of its own; the segments have all of it."""


class Column(msgspec.Struct, frozen=True, kw_only=True):
    """One column of a population's listing: its dotted name and what stands there."""

    name: str
    kind: Kind


def columns_of(row_class: type[Row]) -> tuple[Column, ...]:
    """Return a population's columns: all of the item itself, what names that which it is linked to, counts of lists.

    Of the item, lists of texts or numbers are shown whole. The first field that a row class adds is the item.
    """
    item = next(iter(row_class.__annotations__))
    columns = [
        column
        for name, hint in _hints(row_class).items()
        if name != "period"
        for column in _columns(name, _class_of(hint), is_item=name == item)
    ]
    return tuple(sorted(columns, key=lambda column: column.name in _LAST))


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


def _columns(name: str, kind: Any, *, is_item: bool) -> list[Column]:  # noqa: ANN401
    if kind is EvidenceView:
        return [Column(name=NO_EVIDENCE_OF, kind="evidence")]
    if not (isinstance(kind, type) and issubclass(kind, msgspec.Struct)):
        return [Column(name=name, kind=_kind(kind))]
    shown = kind.__struct_fields__ if is_item else _NAMING.get(kind, kind.__struct_fields__)
    return [Column(name=f"{name}.{each}", kind=_kind(_class_of(_hints(kind)[each]))) for each in shown]


def _class_of(hint: Any) -> Any:  # noqa: ANN401
    """Return a hint without ``None``."""
    if get_origin(hint) in (Union, types.UnionType):
        (hint,) = (part for part in get_args(hint) if part is not type(None))
    return hint


def _kind(hint: Any) -> Kind:  # noqa: ANN401
    if get_origin(hint) is list:
        kinds: dict[Any, Kind] = {str: "texts", int: "numbers"}
        return kinds.get(get_args(hint)[0], "structs")
    if get_origin(hint) is Annotated:
        return "instant" if hint == Instant else "number"
    scalars: dict[Any, Kind] = {bool: "bool", str: "text", int: "number", float: "number"}
    return scalars[hint]


@lru_cache(maxsize=256)
def _hints(struct: type[Any]) -> dict[str, Any]:
    hints = get_type_hints(struct, include_extras=True)
    return {name: hints[name] for name in struct.__struct_fields__}
