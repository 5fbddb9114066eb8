# SPDX-License-Identifier: Apache-2.0

"""Say which fields of its row an expression reads.

In:  the tree of a checked expression. Out: dotted paths from the row, through lists as if they were one element:
``approvals.exists(a, a.mode == "human")`` reads ``approvals`` and ``approvals.mode``. Pure.
A path that is only on the way to another counts as well, so nothing that is looked at is left out.
"""

from collections.abc import Iterator, Mapping

from app.cel.ast import Expr, Filter, Path, Quantifier, Root, Select, Variable, children

_Bound = Mapping[str, str]


def reads(tree: Expr) -> frozenset[str]:
    """Return every path that an expression reads, in any of its branches."""
    return frozenset(_reads(tree, {}))


def _reads(node: Expr, bound: _Bound) -> Iterator[str]:
    match node:
        case Root() | Variable() | Select():
            yield from _prefixes(_dotted(node, bound))
        case Filter() | Quantifier():
            yield from _reads(node.source, bound)
            yield from _reads(node.condition, {**bound, **_variables(node, bound)})
        case _:
            for child in children(node):
                yield from _reads(child, bound)


def _variables(node: Filter | Quantifier, bound: _Bound) -> dict[str, str]:
    """Return what the variable of a macro stands for: an element of the list at a path."""
    source: Path | Filter = node.source
    while isinstance(source, Filter):
        source = source.source
    return {node.variable.key: _dotted(source, bound)}


def _dotted(path: Path, bound: _Bound) -> str:
    match path:
        case Root():
            return path.name
        case Variable():
            return bound[path.key]
        case Select():
            return f"{_dotted(path.base, bound)}.{path.name}"


def _prefixes(dotted: str) -> Iterator[str]:
    words = dotted.split(".")
    for length in range(1, len(words) + 1):
        yield ".".join(words[:length])
