# SPDX-License-Identifier: Apache-2.0

"""Find the questions in an expression that depend on one field of the row, and ask them for given values of it.

In:  the tree of a checked expression. Out: parts of it. Pure.
If no such question has another answer, the expression has no other value: outside of them, the field is not read.
"""

from collections.abc import Iterator, Mapping

import msgspec

from app.cel.ast import Expr, Filter, Literal, Quantifier, Root, Select, Variable, children, type_of
from app.cel.schema import ScalarType


def questions_about(tree: Expr, root: str) -> list[Expr]:
    """Return the smallest parts that are true or false, need no variable from outside, and read a field of the row.

    Args:
        tree: an expression that is true or false.
        root: the name of the field.
    """
    found = _questions(tree, root)
    return [tree] if found is None else found


def with_values(tree: Expr, root: str, values: Mapping[str, int]) -> Expr:
    """Return an expression in which the fields of a field of the row are constants.

    Args:
        tree: an expression.
        root: the name of the field; it is a view.
        values: by name, what its fields are.
    """
    match tree:
        case Select(base=Root(name=name)) if name == root:
            if not isinstance(tree.type, ScalarType):
                raise TypeError(f"{root}.{tree.name} is no single value")
            return Literal(at=tree.at, value=values[tree.name], type=tree.type)
        case _:
            return msgspec.structs.replace(tree, **dict(_changed(tree, root, values)))


def _changed(tree: Expr, root: str, values: Mapping[str, int]) -> Iterator[tuple[str, object]]:
    nodes = {id(child) for child in children(tree)}
    for name in tree.__struct_fields__:
        value = getattr(tree, name)
        if id(value) in nodes:
            yield name, with_values(value, root, values)
        elif isinstance(value, tuple) and any(id(each) in nodes for each in value):
            yield name, tuple(with_values(each, root, values) for each in value)


def _questions(node: Expr, root: str) -> list[Expr] | None:
    """Return the questions below a node; None if what reads the field there can only be asked together with more."""
    if isinstance(node, Root):
        return None if node.name == root else []
    below = [_questions(child, root) for child in children(node)]
    found = [question for each in below if each is not None for question in each]
    if None not in below:
        return found
    return [node] if type_of(node) == ScalarType.BOOL and not _free(node) else None


def _free(node: Expr) -> set[str]:
    """Return the keys of the variables that a node reads and does not bind."""
    match node:
        case Variable():
            return {node.key}
        case Filter() | Quantifier():
            return _free(node.source) | (_free(node.condition) - {node.variable.key})
        case _:
            return {key for child in children(node) for key in _free(child)}
