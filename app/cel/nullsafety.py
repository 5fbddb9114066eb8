# SPDX-License-Identifier: Apache-2.0

"""Prove that an expression reads no field while it is missing.

In: a tree and the fields that are known to be there. Out: nothing, or ``Unguarded`` with the first unsafe read.

In CEL ``error || true`` is true, so an error from a missing field could vanish into a pass. A read is safe when the
field cannot be missing, is listed under ``requires.fields``, or is guarded: by ``has(x)`` or ``x != null`` on the left
of ``&&``, by ``x == null`` on the left of ``||``, or by either in the condition of ``? :`` or in the condition of a
``filter`` for what comes after it. Comparing is reading: ``a.x == b.y`` with one side missing would be a plain false.
"""

from collections.abc import Collection

from app.cel.ast import (
    And,
    Arithmetic,
    AskInstant,
    AskText,
    Compare,
    Conditional,
    Expr,
    Filter,
    ListOf,
    Literal,
    Member,
    Not,
    Or,
    Path,
    Present,
    Quantifier,
    Root,
    Select,
    Size,
    Texts,
    Variable,
    children,
    spelling,
)

Key = tuple[str, ...]
Facts = frozenset[Key]


class Unguarded(Exception):
    """A read that is not safe: ``field`` may be missing where ``path`` is read."""

    def __init__(self, field: Root | Select, path: Path) -> None:
        super().__init__(spelling(field))
        self.field = field
        self.path = path


def prove(tree: Expr, required: Collection[str], known: Facts = frozenset()) -> None:
    """Check every read of a tree.

    Args:
        tree: the whole expression.
        required: dotted paths that are there whenever the expression is asked; a path through a list, such as
            ``approvals.decided_at``, speaks of every element.
        known: what another expression learned that is true whenever this one is asked.

    Raises:
        Unguarded: a field may be missing where it is read.
    """
    facts: set[Key] = set()
    for path in required:
        words = path.split(".")
        # What is below a missing view is missing too, so a required field vouches for all on the way to it.
        facts.update(tuple(words[:length]) for length in range(1, len(words) + 1))
    _Prover(frozenset(facts)).visit(tree, frozenset(facts) | known)


class _Prover:
    def __init__(self, required: Facts) -> None:
        self._required = required

    def visit(self, node: Expr, facts: Facts) -> None:
        match node:
            case Root() | Select() | Variable():
                _read(node, facts)
            case Present():
                _reach(node.operand, facts)
            case And():
                self.visit(node.left, facts)
                self.visit(node.right, facts | learned(node.left, truth=True))
            case Or():
                self.visit(node.left, facts)
                self.visit(node.right, facts | learned(node.left, truth=False))
            case Conditional():
                self.visit(node.condition, facts)
                self.visit(node.then, facts | learned(node.condition, truth=True))
                self.visit(node.otherwise, facts | learned(node.condition, truth=False))
            case Filter() | Quantifier():
                self._list(node, facts)
            case Not() | Size() | Compare() | Arithmetic() | AskText() | AskInstant() | Member() | ListOf():
                for child in children(node):
                    self.visit(child, facts)
            case Literal() | Texts():
                return

    def _list(self, node: Filter | Quantifier, facts: Facts) -> None:
        self.visit(node.source, facts)
        self.visit(node.condition, facts | self._of_elements(node.source, node.variable.key))

    def _of_elements(self, source: Path | Filter, key: str) -> Facts:
        """Return what is known of each element: what is required of all, and what filters before asked for."""
        if isinstance(source, Filter):
            passed = learned(source.condition, truth=True)
            own = {(key, *fact[1:]) for fact in passed if fact[0] == source.variable.key}
            return frozenset(own) | self._of_elements(source.source, key)
        prefix = _key(source)
        return frozenset((key, *fact[len(prefix) :]) for fact in self._required if fact[: len(prefix)] == prefix)


def learned(node: Expr, *, truth: bool) -> Facts:
    """Return which fields are there if ``node`` came out as ``truth``."""
    match node:
        case Present():
            return frozenset({_key(node.operand)}) if truth != node.negated else frozenset()
        case Not():
            return learned(node.operand, truth=not truth)
        case And() | Or():
            left, right = learned(node.left, truth=truth), learned(node.right, truth=truth)
            # Both sides of && are true when it is true; when it is false, only one of them is known to be.
            return left | right if truth == isinstance(node, And) else left & right
        case _:
            return frozenset()


def _read(path: Path, facts: Facts) -> None:
    _reach(path, facts)
    if not isinstance(path, Variable) and path.nullable and _key(path) not in facts:
        raise Unguarded(path, path)


def _reach(path: Path, facts: Facts) -> None:
    """Check that everything on the way to a field is there."""
    here = path
    while isinstance(here, Select):
        here = here.base
        if not isinstance(here, Variable) and here.nullable and _key(here) not in facts:
            raise Unguarded(here, path)


def _key(path: Path) -> Key:
    match path:
        case Root():
            return (path.name,)
        case Variable():
            return (path.key,)
        case Select():
            return (*_key(path.base), path.name)
