# SPDX-License-Identifier: Apache-2.0

"""The reference page of the populations, for those who write tests.

In:  the row structs with their docstrings. Out: docs/reference/populations.md.
It must never say anything that the structs do not.
"""

import inspect
import typing

import msgspec

from app.cel.schema import Field, ListType, ScalarType, Type, ViewType, view_type
from app.trails.populations import DAILY, POPULATIONS

_HEAD = """# The populations

One item is one row, with everything linked to it. A control test names its population and reads the row's fields by
dotted names: see [expressions](expressions.md). "or missing" must be guarded. Every row has the fields of the first
table. What is frozen per day lies in one Parquet file for each UTC day of `at`, the rest in one file for the period.
`period` is in none of them, but in `period.json` beside them, and is the same for every row.
"""


def populations_page() -> str:
    """Return the page as Markdown."""
    common = set.intersection(*(set(view_type(row).fields) for row in POPULATIONS.values()))
    first = next(iter(POPULATIONS.values()))
    parts = [_HEAD, "## Every row\n", _table(view_type(first), common)]
    for name, row in POPULATIONS.items():
        when = "per day" if name in DAILY else "per period"
        parts += [
            f"## `{name}`\n",
            f"{_text(row)} Frozen {when}.\n",
            _table(view_type(row), set(view_type(row).fields) - common),
        ]
    views: dict[str, type[msgspec.Struct]] = {}
    for row in POPULATIONS.values():
        _collect(row, views)
    for name in sorted(views):
        parts += [f"## {name}\n", f"{_text(views[name])}\n", _table(view_type(views[name]), None)]
    return "\n".join(parts)


def _collect(struct: type[msgspec.Struct], views: dict[str, type[msgspec.Struct]]) -> None:
    for hint in typing.get_type_hints(struct).values():
        for part in (hint, *typing.get_args(hint)):
            if isinstance(part, type) and issubclass(part, msgspec.Struct) and part.__name__ not in views:
                views[part.__name__] = part
                _collect(part, views)


def _table(kind: ViewType, wanted: set[str] | None) -> str:
    lines = [
        f"| `{name}` | {_type(field)} |" for name, field in kind.fields.items() if wanted is None or name in wanted
    ]
    return "\n".join(["| field | type |", "|---|---|", *lines, ""])


def _type(field: Field) -> str:
    return _name(field.type) + (", or missing" if field.nullable else "")


def _name(kind: Type) -> str:
    match kind:
        case ScalarType():
            return kind.value
        case ViewType():
            return f"[{kind.name}](#{kind.name.lower()})"
        case ListType():
            return f"list of {_name(kind.element)}"


def _text(struct: type[msgspec.Struct]) -> str:
    """Return a struct's docstring as Markdown, without its list of attributes."""
    text = inspect.cleandoc(struct.__doc__ or "").partition("\nAttributes:")[0]
    return text.replace("``", "`").strip()
