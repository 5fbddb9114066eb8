# SPDX-License-Identifier: Apache-2.0

"""List a frozen population as CSV for people: one line per item, with the ids of what was linked to it.

In:  segments. Out: CSV (RFC 4180, UTF-8), instants as RFC 3339; equal segments give equal bytes.
The text in it was written by whoever is under audit, so no cell may start a formula in a spreadsheet.
"""

import csv
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args, get_type_hints

import msgspec

from app.records.times import format_instant
from app.trails.populations import POPULATIONS, Instant, Row
from app.trails.segments import read_rows

_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")  # noqa: RUF001  # wide signs count too
_NOT_LISTED = frozenset({"period", "evidence"})


def population_csv(directory: Path, population: str, out: Path) -> int:
    """Write the listing of a population and return the number of items.

    The item's own view is spelled out; of a linked record its id is given; of several, their number and ids.

    Raises:
        NotFound: the population is not frozen in ``directory``.
        InvalidInput: a file there is no such segment.
    """
    columns = _columns(POPULATIONS[population]) if population in POPULATIONS else []
    count = 0
    rows = read_rows(directory, population)
    with out.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\r\n")
        writer.writerow([name for name, _ in columns])
        for row in rows:
            values = _values(row)
            writer.writerow([_cell(values.get(name), is_instant=is_instant) for name, is_instant in columns])
            count += 1
    return count


def own_view(row_class: type[Row]) -> str:
    """Return the name of the field that holds the item itself: the first a population adds to what all rows share."""
    return row_class.__struct_fields__[len(_SHARED)]


_SHARED = ("item_id", "source", "at", "ledger", "period", "evidence", "waivers")


def _columns(row_class: type[Row]) -> list[tuple[str, bool]]:
    """Return the names of all columns, each with whether it holds instants."""
    own = own_view(row_class)
    hints = get_type_hints(row_class, include_extras=True)
    view = get_type_hints(hints[own], include_extras=True)
    columns = [("item_id", False), ("source", False), ("at", True)]
    columns += [(f"{own}.{name}", _is_instant(view[name])) for name in hints[own].__struct_fields__]
    for name in (*row_class.__struct_fields__[len(_SHARED) + 1 :], "waivers", "ledger"):
        if name in _NOT_LISTED:
            continue
        many = "list[" in str(hints[name])
        columns += [(f"{name}.count", False), (f"{name}.ids", False)] if many else [(f"{name}.id", False)]
    return columns


def _values(row: Row) -> dict[str, Any]:
    values: dict[str, Any] = {"item_id": row.item_id, "source": row.source, "at": row.at}
    own = own_view(type(row))
    for name in row.__struct_fields__:
        value = getattr(row, name)
        if name == own:
            values |= {f"{own}.{field}": getattr(value, field) for field in value.__struct_fields__}
        elif isinstance(value, list):
            values |= {f"{name}.count": len(value), f"{name}.ids": [getattr(each, "id", each) for each in value]}
        elif isinstance(value, msgspec.Struct):
            values[f"{name}.id"] = getattr(value, "id", None)
    return values


def _cell(value: Any, *, is_instant: bool) -> str:  # noqa: ANN401  # any field of any row
    return _safe("; ".join(_texts(value, is_instant=is_instant)))


def _texts(value: Any, *, is_instant: bool) -> Iterator[str]:  # noqa: ANN401
    if isinstance(value, list):
        for each in value:
            yield from _texts(each, is_instant=is_instant)
    elif isinstance(value, bool):
        yield "true" if value else "false"
    elif isinstance(value, int) and is_instant:
        yield _instant(value)
    elif value is not None:
        yield str(value)


def _instant(value: int) -> str:
    try:
        return format_instant(value)
    except ValueError:
        return str(value)


def _safe(text: str) -> str:
    return f"'{text}" if text.startswith(_FORMULA) else text


def _is_instant(hint: object) -> bool:
    return hint == Instant or Instant in get_args(hint)
