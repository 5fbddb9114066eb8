# SPDX-License-Identifier: Apache-2.0

"""What a macro inside a macro would compute again for each element of the outer one, though it is always the same.

``sessions.all(s, sessions.exists(q, q.mfa && q.client_address == s.client_address))`` looks for addresses that do not
depend on ``s``. Computed once per row, they are a short list of texts; computed inside, a copy of all sessions per
session. ``Shared`` collects such lists as columns for a query below; the functions say what depends on what. Pure.
"""

from collections.abc import Iterable, Iterator

from app.cel.ast import And, Expr, Filter, Not, Or, Path, Present, Quantifier, Root, Select, Variable, children
from app.cel.schema import ViewType
from app.cel.sqltext import quote_name

Way = tuple[str, ...]
"""The names from an element of a list to a field of it."""


class Shared:
    """The lists that expressions of one query share, each once."""

    def __init__(self) -> None:
        self._columns: dict[str, str] = {}

    def column(self, sql: str) -> str:
        """Return the name, as SQL, of a column that holds what ``sql`` comes to."""
        return quote_name(self._columns.setdefault(sql, f"shared {len(self._columns)}"))

    def source(self, rows: str) -> str:
        """Return what stands after FROM: ``rows``, with the columns."""
        if not self._columns:
            return rows
        columns = "".join(f",\n    {sql} AS {quote_name(name)}" for sql, name in self._columns.items())
        return f"(SELECT *{columns}\n  FROM {rows})"  # noqa: S608 - Compiled SQL, and quoted names.


def conjuncts(node: Expr, *, truth: bool = True) -> Iterator[Expr]:
    """Yield conditions that all hold exactly when ``node`` comes out as ``truth``."""
    match node:
        case Not():
            yield from conjuncts(node.operand, truth=not truth)
        case And() | Or() if truth == isinstance(node, And):
            yield from conjuncts(node.left, truth=truth)
            yield from conjuncts(node.right, truth=truth)
        case _:
            yield node if truth else Not(at=node.at, operand=node)


def free_variables(node: Expr) -> frozenset[str]:
    """Return the keys of variables that come from outside of a node."""
    match node:
        case Variable():
            return frozenset({node.key})
        case Filter() | Quantifier():
            return free_variables(node.source) | (free_variables(node.condition) - {node.variable.key})
        case _:
            return frozenset().union(*map(free_variables, children(node)))


def has_macro(node: Expr) -> bool:
    """Tell whether something goes over a list, which costs more than all else."""
    return isinstance(node, Filter | Quantifier) or any(map(has_macro, children(node)))


def ways_from(key: str, nodes: Iterable[Expr]) -> frozenset[Way]:
    """Return the ways that are read from a variable; ``()`` is the variable itself."""
    return frozenset(way for node in nodes for way in _ways(key, node))


def _ways(key: str, node: Expr) -> Iterator[Way]:
    match node:
        case Root() | Variable() | Select():
            way = _way(key, node)
            if way is not None:
                yield way
        case Present() if isinstance(node.operand.type, ViewType) and node.operand.type.witness is not None:
            way = _way(key, node.operand)
            if way is not None:
                yield (*way, node.operand.type.witness)
        case _:
            for child in children(node):
                yield from _ways(key, child)


def _way(key: str, path: Path) -> Way | None:
    match path:
        case Select():
            way = _way(key, path.base)
            return None if way is None else (*way, path.name)
        case Variable() if path.key == key:
            return ()
        case _:
            return None


def packed(start: str, ways: Iterable[Way]) -> str:
    """Return SQL of a struct that has only what lies on some ways from ``start``; ``true`` if there are none."""
    below: dict[str, set[Way]] = {}
    for first, *rest in ways:
        below.setdefault(first, set()).add(tuple(rest))
    fields = (
        f"{quote_name(name)} := "
        + (f"{start}.{quote_name(name)}" if () in rests else packed(f"{start}.{quote_name(name)}", rests))
        for name, rests in sorted(below.items())
    )
    return f"struct_pack({', '.join(fields)})" if below else "true"
