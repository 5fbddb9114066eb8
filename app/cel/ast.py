# SPDX-License-Identifier: Apache-2.0

"""The syntax tree of a checked expression: small, typed, frozen, and nothing in it that an engine cannot do.

Every node knows ``at``, its offset in code points in the expression, for messages. ``Expr`` is the closed union; a
``match`` over it has no fallback.
"""

from collections.abc import Iterator
from enum import StrEnum

import msgspec

from app.cel.schema import ListType, ScalarType, Type, ViewType


class Comparison(StrEnum):
    """The comparison operators, spelled as in CEL."""

    EQUAL = "=="
    NOT_EQUAL = "!="
    LESS = "<"
    LESS_OR_EQUAL = "<="
    GREATER = ">"
    GREATER_OR_EQUAL = ">="


class TextTest(StrEnum):
    """The questions about a string."""

    STARTS_WITH = "startsWith"
    ENDS_WITH = "endsWith"
    CONTAINS = "contains"


class Clock(StrEnum):
    """The questions about an instant, answered in UTC: the hour, 0 to 23, and the day of the week, Sunday 0."""

    HOURS = "getHours"
    DAY_OF_WEEK = "getDayOfWeek"


class _Node(msgspec.Struct, frozen=True, kw_only=True):
    at: int


class Literal(_Node, frozen=True, kw_only=True):
    """A constant, also what ``duration("8h")``, ``timestamp("...")`` and ``p.x`` come to; spans and instants in ms."""

    value: bool | int | float | str
    type: ScalarType


class Texts(_Node, frozen=True, kw_only=True):
    """A parameter that is a list of strings."""

    values: tuple[str, ...]
    type: ListType


class ListOf(_Node, frozen=True, kw_only=True):
    """A list written out, ``[a, b]``; it stands only on the right of ``in``."""

    items: tuple["Expr", ...]
    type: ListType


class Root(_Node, frozen=True, kw_only=True):
    """A field of the row itself, such as ``grant``."""

    name: str
    type: Type
    nullable: bool


class Variable(_Node, frozen=True, kw_only=True):
    """The variable of a macro. ``key`` is unique in the expression, whatever it is called."""

    name: str
    key: str
    type: ScalarType | ViewType


class Select(_Node, frozen=True, kw_only=True):
    """A field of a view."""

    base: "Root | Variable | Select"
    name: str
    type: Type
    nullable: bool


Path = Root | Variable | Select


class Present(_Node, frozen=True, kw_only=True):
    """Is the value there? ``has(x.y)``, ``x.y != null``; negated: ``x.y == null``."""

    operand: Root | Select
    negated: bool


class Not(_Node, frozen=True, kw_only=True):
    """``!x``."""

    operand: "Expr"


class And(_Node, frozen=True, kw_only=True):
    """``a && b``: false if either is false, whatever the other is."""

    left: "Expr"
    right: "Expr"


class Or(_Node, frozen=True, kw_only=True):
    """``a || b``: true if either is true, whatever the other is."""

    left: "Expr"
    right: "Expr"


class Conditional(_Node, frozen=True, kw_only=True):
    """``c ? a : b``."""

    condition: "Expr"
    then: "Expr"
    otherwise: "Expr"
    type: ScalarType


class Compare(_Node, frozen=True, kw_only=True):
    """A comparison of two values of one type."""

    operator: Comparison
    left: "Expr"
    right: "Expr"


class Arithmetic(_Node, frozen=True, kw_only=True):
    """``+`` or ``-`` (``minus``) on ints, spans and instants (out of range is an error), or on texts."""

    minus: bool
    left: "Expr"
    right: "Expr"
    type: ScalarType


class Member(_Node, frozen=True, kw_only=True):
    """``x in list``."""

    item: "Expr"
    collection: "Path | Texts | ListOf"


class AskText(_Node, frozen=True, kw_only=True):
    """``a.startsWith(b)`` and its like."""

    question: TextTest
    text: "Expr"
    part: "Expr"


class AskInstant(_Node, frozen=True, kw_only=True):
    """``a.getHours()`` and its like, in UTC."""

    question: Clock
    instant: "Expr"


class Size(_Node, frozen=True, kw_only=True):
    """``size(x)``: code points of a string, or elements of a list."""

    operand: "Expr"


class Filter(_Node, frozen=True, kw_only=True):
    """``list.filter(v, condition)``; it stands only under ``size`` or another macro."""

    source: "Path | Filter"
    variable: Variable
    condition: "Expr"
    type: ListType


class Quantifier(_Node, frozen=True, kw_only=True):
    """``list.exists(v, condition)``, or with ``every`` ``list.all(v, condition)``."""

    every: bool
    source: "Path | Filter"
    variable: Variable
    condition: "Expr"


Expr = (
    Literal
    | Texts
    | ListOf
    | Root
    | Variable
    | Select
    | Present
    | Not
    | And
    | Or
    | Conditional
    | Compare
    | Arithmetic
    | Member
    | AskText
    | AskInstant
    | Size
    | Filter
    | Quantifier
)


def type_of(node: Expr) -> Type:
    """Return the type of a node's value."""
    match node:
        case Present() | Not() | And() | Or() | Compare() | Member() | AskText() | Quantifier():
            return ScalarType.BOOL
        case Size() | AskInstant():
            return ScalarType.INT
        case _:
            return node.type


def spelling(path: Path) -> str:
    """Return a path as it is written in an expression, such as ``grant.starts_at``."""
    match path:
        case Root() | Variable():
            return path.name
        case Select():
            return f"{spelling(path.base)}.{path.name}"


def children(node: Expr) -> Iterator[Expr]:
    """Yield the nodes directly below a node, the variables of macros left out."""
    for name in node.__struct_fields__:
        value = getattr(node, name)
        if name == "variable":
            continue
        if isinstance(value, _Node):
            yield value  # type: ignore[misc]  # Every _Node is in the union.
        elif isinstance(value, tuple):
            yield from (item for item in value if isinstance(item, _Node))  # type: ignore[misc]
