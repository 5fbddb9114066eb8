# SPDX-License-Identifier: Apache-2.0

"""Compile a checked expression to a DuckDB expression over the columns of a population's Parquet file.

In: a tree. Out: SQL that is TRUE, FALSE, or NULL where CEL errs.

Two ideas make it exact. A missing field is SQL NULL, and so is a CEL error; then CEL's ``&& || !``, which let a decided
side win over an error, are SQL's three-valued AND, OR, NOT. Where CEL tells null from error (equality and ``in``) the
SQL asks which of the two it is. Arithmetic runs inside TRY, shifted so that leaving CEL's range overflows 64 bits.

Where null safety is proved, two more make it quick. What a macro inside a macro finds whatever the outer element is, is
found once (see ``app.cel.shared``); and a macro runs only where the conditions beside it have not decided.
"""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from app.cel.ast import (
    And,
    Arithmetic,
    AskInstant,
    AskText,
    Clock,
    Compare,
    Comparison,
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
    TextTest,
    Variable,
    children,
    type_of,
)
from app.cel.errors import CelError
from app.cel.expression import CheckedExpression
from app.cel.schema import INT64_MAX, INT64_MIN, ScalarType, ViewType
from app.cel.shared import Shared, Way, conjuncts, free_variables, has_macro, packed, ways_from
from app.cel.sqltext import breakable_way, literal_sql, path_sql, quote_text, unless, witness_sql

MAX_SQL = 100_000
"""Longest SQL of one expression, in characters; nested conditions repeat themselves."""

FIRST_INSTANT = -62_135_596_800_000
LAST_INSTANT = 253_402_300_799_999
LONGEST_SPAN = 9_223_372_036_854
"""CEL's limits in ms: years 1 to 9999 (google.protobuf.Timestamp); spans of 64-bit nanoseconds, about 292 years.

Google's evaluator subtracts instants in whole seconds first, so it errs up to one second before the limit of a span if
both have a fraction. We do not: nothing is 292 years long.
"""

_OPERATORS = {
    Comparison.EQUAL: "=",
    Comparison.NOT_EQUAL: "<>",
    Comparison.LESS: "<",
    Comparison.LESS_OR_EQUAL: "<=",
    Comparison.GREATER: ">",
    Comparison.GREATER_OR_EQUAL: ">=",
}
_QUESTIONS = {TextTest.STARTS_WITH: "starts_with", TextTest.ENDS_WITH: "ends_with", TextTest.CONTAINS: "contains"}
_HOUR, _DAY = 3_600_000, 86_400_000
_THURSDAY = 4
"""The day of the week of 1970-01-01."""
_RANGES = {
    ScalarType.INSTANT: (FIRST_INSTANT, LAST_INSTANT),
    ScalarType.SPAN: (-LONGEST_SPAN, LONGEST_SPAN),
}


def to_sql(checked: CheckedExpression, shared: Shared | None = None) -> str:
    """Return a boolean DuckDB expression; NULL stands for a CEL error.

    Args:
        checked: the expression.
        shared: collects columns that the SQL reads; without it, it reads nothing but the row.

    Raises:
        CelError: the SQL would be too long.
    """
    return Compiler(null_safe=checked.null_safe, shared=shared).compile(checked.tree)


class _Asked(NamedTuple):
    """What a macro asks: conditions on the elements of a list, that must all hold."""

    source: Path | Filter
    variable: Variable
    conditions: list[Expr]


class Compiler:
    """Compiles trees.

    Args:
        null_safe: no field is read while it is missing, or the guard before it decides whatever comes of the read. Then
            a condition errs only through arithmetic, and equality need not tell null from error.
        shared: collects columns that the SQL reads.
    """

    def __init__(self, *, null_safe: bool, shared: Shared | None = None) -> None:
        self._null_safe = null_safe
        self._shared = shared if null_safe else None
        self._depth = 0
        """Number of macros in whose conditions we are."""

    def compile(self, node: Expr) -> str:
        """Return the SQL of a node.

        Raises:
            CelError: the SQL would be too long.
        """
        sql = self._sql(node)
        if len(sql) > MAX_SQL:
            raise CelError("the expression is too complex", hint="Split the test, or nest fewer conditions.")
        return sql

    def _sql(self, node: Expr) -> str:  # noqa: C901, PLR0911, PLR0912 - One line for each kind of node.
        match node:
            case Literal():
                return literal_sql(node)
            case Root() | Variable() | Select():
                return path_sql(node)
            case Present():
                return self._present(node)
            case Not():
                return f"(NOT {self.compile(node.operand)})"
            case And() | Or():
                return self._joined(node)
            case Conditional():
                return self._conditional(node)
            case Compare():
                return self._compare(node)
            case Arithmetic():
                return self._arithmetic(node)
            case Member():
                return self._member(node)
            case AskText():
                return f"{_QUESTIONS[node.question]}({self.compile(node.text)}, {self.compile(node.part)})"
            case AskInstant():
                return self._clock(node)
            case Size():
                return self._size(node)
            case Quantifier():
                return self._quantifier(node)
            case Filter():
                raise TypeError("a filter stands only under size() or another macro, and they compile it")
            case Texts():
                return "[" + ", ".join(quote_text(text) for text in node.values) + "]::VARCHAR[]"
            case ListOf():
                return "[" + ", ".join(self.compile(item) for item in node.items) + "]"

    def _present(self, node: Present) -> str:
        there = f"({witness_sql(node.operand)} IS {'' if node.negated else 'NOT '}NULL)"
        return unless(self._unreachable(node.operand), there)

    def _unreachable(self, node: Expr) -> list[str]:
        """Return the condition, never NULL, that reading a leaf is an error, though null itself would not be one."""
        return [] if self._null_safe else [f"{witness_sql(base)} IS NULL" for base in breakable_way(node)]

    def _may_be_null(self, node: Expr) -> bool:
        return not self._null_safe and isinstance(node, Root | Select) and node.nullable

    def _joined(self, node: And | Or) -> str:
        every = isinstance(node, And)
        lazy = self._lazy(list(conjuncts(node, truth=every)))
        if lazy is None:
            return f"({self.compile(node.left)} {'AND' if every else 'OR'} {self.compile(node.right)})"
        return lazy if every else f"(NOT {lazy})"

    def _all_of(self, conditions: Sequence[Expr]) -> str:
        return self._lazy(conditions) or f"({' AND '.join(map(self.compile, conditions))})"

    def _lazy(self, conditions: Sequence[Expr]) -> str | None:
        """Return SQL that asks macros only where plain conditions hold, if there are both."""
        plain = [each for each in conditions if not has_macro(each) and not self._may_err(each)]
        others = [each for each in conditions if each not in plain]
        if not (self._null_safe and plain and any(map(has_macro, others))):
            return None
        # A plain condition is NULL only if another one is false then, or a guard around all of this decides.
        return f"(CASE WHEN {self._all_of(plain)} THEN {self._all_of(others)} ELSE false END)"

    def _conditional(self, node: Conditional) -> str:
        condition, then, otherwise = (self.compile(part) for part in (node.condition, node.then, node.otherwise))
        if not self._may_err(node.condition):
            return f"(CASE WHEN {condition} THEN {then} ELSE {otherwise} END)"
        return f"(CASE WHEN {condition} THEN {then} WHEN NOT {condition} THEN {otherwise} END)"

    def _compare(self, node: Compare) -> str:
        left, right = self.compile(node.left), self.compile(node.right)
        double = type_of(node.left) == ScalarType.DOUBLE
        equality = node.operator in {Comparison.EQUAL, Comparison.NOT_EQUAL}
        if equality and (self._may_be_null(node.left) or self._may_be_null(node.right)):
            same = f"{left} IS NOT DISTINCT FROM {right}"
            if double:  # CEL's NaN differs from itself, DuckDB's does not.
                same = f"({same} AND NOT coalesce(isnan({left}), false))"
            errs = [*self._errs(node.left, left), *self._errs(node.right, right)]
            return unless(errs, f"({same})" if node.operator == Comparison.EQUAL else f"(NOT ({same}))")
        plain = f"({left} {_OPERATORS[node.operator]} {right})"
        return self._doubles(node, plain, left, right) if double else plain

    def _doubles(self, node: Compare, plain: str, left: str, right: str) -> str:
        """Compare as CEL does: NaN differs from everything and is neither more nor less; DuckDB puts it at the end."""
        sides = [sql for part, sql in ((node.left, left), (node.right, right)) if not isinstance(part, Literal)]
        nan = " OR ".join(f"isnan({sql})" for sql in sides) or "false"
        answer = f"({plain} OR {nan})" if node.operator == Comparison.NOT_EQUAL else f"({plain} AND NOT ({nan}))"
        return answer if self._null_safe else unless([f"{sql} IS NULL" for sql in sides], answer)

    def _errs(self, node: Expr, sql: str) -> list[str]:
        match node:
            case Literal():
                return []
            case Root() | Variable() | Select():
                return self._unreachable(node)
            case _:
                return [f"{sql} IS NULL"]

    def _clock(self, node: AskInstant) -> str:
        instant = self.compile(node.instant)
        match node.question:
            case Clock.HOURS:
                return f"({_modulo(instant, _DAY)} // {_HOUR})"
            case Clock.DAY_OF_WEEK:
                return f"(({_modulo(instant, 7 * _DAY)} // {_DAY} + {_THURSDAY}) % 7)"

    def _arithmetic(self, node: Arithmetic) -> str:
        if node.type == ScalarType.STRING:
            return f"({self.compile(node.left)} || {self.compile(node.right)})"
        total = f"{self.compile(node.left)} {'-' if node.minus else '+'} {self.compile(node.right)}"
        if node.type not in _RANGES:
            return f"TRY({total})"
        first, last = _RANGES[node.type]
        above, below = INT64_MAX - last, first - INT64_MIN
        # Beyond the last value the first sum overflows, before the first value the second difference does.
        return f"TRY({total} + {above} - {above} - {below} + {below})"

    def _member(self, node: Member) -> str:
        item = self.compile(node.item)
        maybe = self._may_be_null(node.item)
        errs = [] if self._null_safe else self._errs(node.item, item)
        match node.collection:
            case Texts():
                found = f"({item} IN ({', '.join(map(quote_text, node.collection.values))}))"
                if not node.collection.values:
                    found, errs = (
                        "false",
                        [*errs, *([] if maybe or isinstance(node.item, Literal) else [f"{item} IS NULL"])],
                    )
                return unless(errs, f"coalesce({found}, false)" if maybe else found)
            case ListOf():
                return self._written_list(node.item, item, node.collection)
            case _:
                within = self.compile(node.collection)
                found = f"list_contains({within}, {item})"
                return unless([*errs, f"{within} IS NULL"], f"coalesce({found}, false)") if maybe else found

    def _written_list(self, node: Expr, item: str, collection: ListOf) -> str:
        elements = [self.compile(element) for element in collection.items]
        errs = [] if self._null_safe else self._errs(node, item)
        errs += [err for leaf in collection.items for err in self._unreachable(leaf)]
        if any(self._may_be_null(leaf) for leaf in (node, *collection.items)):
            found = " OR ".join(f"{item} IS NOT DISTINCT FROM {element}" for element in elements)
            return unless(errs, f"({found})")
        return unless(errs, f"({item} IN ({', '.join(elements)}))")

    def _size(self, node: Size) -> str:
        match node.operand:
            case Texts():
                return f"{len(node.operand.values)}::BIGINT"
            case Filter() | Root() | Variable() | Select() if type_of(node.operand) != ScalarType.STRING:
                source, errs = self._list(node.operand, frozenset(), once=False)
                return unless(errs, f"len({source})")
            case _:
                return f"length({self.compile(node.operand)})"

    def _quantifier(self, node: Quantifier) -> str:
        asked = _Asked(node.source, node.variable, list(conjuncts(node.condition, truth=not node.every)))
        among = self._among(asked)
        if among is not None:
            return f"(NOT {among})" if node.every else among
        source, errs, rest = self._narrowed(asked, frozenset(), once=True)
        hits = f"len({self._filtered(source, node.variable, rest)})"
        quick = f"({hits} {'=' if node.every else '>'} 0)"
        if not any(map(self._may_err, rest)):
            return unless(errs, quick)
        decided, otherwise = ("false", "true") if node.every else ("true", "false")
        unclear = f"len({self._unclear(source, node.variable, rest)})"
        exact = f"WHEN {hits} > 0 THEN {decided} WHEN {unclear} = 0 THEN {otherwise}"
        calm = self._cannot_overflow(source, node.variable, rest)
        return unless(errs, f"(CASE {f'WHEN {calm} THEN {quick} ' if calm else ''}{exact} END)")

    def _list(self, node: Path | Filter, ways: frozenset[Way], *, once: bool) -> tuple[str, list[str]]:
        """Return the SQL of a list, and the conditions under which a filter that made it erred.

        Args:
            node: the list.
            ways: what is read of its elements.
            once: nobody counts how often an element is there.
        """
        if not isinstance(node, Filter):
            return self.compile(node), []
        asked = _Asked(node.source, node.variable, list(conjuncts(node.condition)))
        source, errs, rest = self._narrowed(asked, ways, once=once)
        if any(map(self._may_err, rest)):
            unclear = f"len({self._unclear(source, node.variable, rest)}) > 0"
            calm = self._cannot_overflow(source, node.variable, rest)
            errs = [*errs, f"(CASE WHEN {calm} THEN false ELSE {unclear} END)" if calm else unclear]
        return self._filtered(source, node.variable, rest), errs

    def _filtered(self, source: str, variable: Variable, conditions: Sequence[Expr]) -> str:
        return f"list_filter({source}, lambda {variable.key}: {self._inside(conditions)})" if conditions else source

    def _unclear(self, source: str, variable: Variable, conditions: Sequence[Expr]) -> str:
        return f"list_filter({source}, lambda {variable.key}: {self._inside(conditions)} IS NULL)"

    def _inside(self, conditions: Sequence[Expr]) -> str:
        self._depth += 1
        sql = self._all_of(conditions)
        self._depth -= 1
        return sql

    def _narrowed(self, asked: "_Asked", ways: frozenset[Way], *, once: bool) -> tuple[str, list[str], list[Expr]]:
        """Return the SQL of a list, the conditions under which it erred, and what is still to be asked of elements."""
        own, rest = self._split(asked)
        if not self._is_fixed(asked.source):
            read = ways | ways_from(asked.variable.key, asked.conditions)
            return (*self._list(asked.source, read, once=once), asked.conditions)
        key = asked.variable.key
        read = ways | ways_from(key, rest)
        taken = packed(key, read) if isinstance(asked.variable.type, ViewType) else key
        return self._fixed(asked, own, taken, once=once), [], rest

    def _among(self, asked: "_Asked") -> str | None:
        """Return SQL that asks whether a value is one of those that a field has, if that is the whole question."""
        own, rest = self._split(asked)
        match rest:
            case [Compare(operator=Comparison.EQUAL) as same]:
                pass
            case [Not(operand=Compare(operator=Comparison.NOT_EQUAL) as same)]:
                pass
            case _:
                return None
        key = asked.variable.key
        field, value = (same.left, same.right) if key in free_variables(same.left) else (same.right, same.left)
        is_one_side = key in free_variables(field) and key not in free_variables(value)
        if (
            not is_one_side
            or not isinstance(field, Select | Variable)
            or type_of(field) == ScalarType.DOUBLE
            or not self._is_fixed(asked.source)
        ):
            return None
        values = self._fixed(asked, own, self.compile(field), once=True)
        # Of no values none is asked, so it does not matter if the one that is looked for is missing, or overflows.
        return f"(len({values}) > 0 AND list_contains({values}, {self.compile(value)}))"

    def _split(self, asked: "_Asked") -> tuple[list[Expr], list[Expr]]:
        """Return the conditions that depend on an element and the row only and cannot err, and the others."""
        key = asked.variable.key
        is_own = [free_variables(each) <= {key} and not self._may_err(each) for each in asked.conditions]
        pairs = list(zip(asked.conditions, is_own, strict=True))
        return [each for each, own in pairs if own], [each for each, own in pairs if not own]

    def _is_fixed(self, source: Path | Filter) -> bool:
        """Tell whether a list is worth a column: inside a macro, and the same for each element of the outer list."""
        shares = self._shared is not None and self._depth > 0
        return shares and not free_variables(source) and not self._may_err(source)

    def _fixed(self, asked: "_Asked", own: Sequence[Expr], taken: str, *, once: bool) -> str:
        """Return the column with what is taken of the elements that meet their own conditions."""
        assert self._shared is not None  # noqa: S101 - As _is_fixed found.
        plain = Compiler(null_safe=True)
        key = asked.variable.key
        source, _ = plain._list(asked.source, frozenset(), once=once)
        sql = plain._filtered(source, asked.variable, own)
        if taken != key:
            sql = f"list_transform({sql}, lambda {key}: {taken})"
        return self._shared.column(f"list_distinct({sql})" if once else sql)

    def _cannot_overflow(self, source: str, variable: Variable, conditions: Sequence[Expr]) -> str | None:
        """Return SQL under which conditions cannot err for any element of a list, if asking that is worth it.

        A sum from outside is looked at once; one with a field of the element for each, before macros would be.
        """
        sums = [total for each in conditions for total in _arithmetic(each)]
        known = frozenset().union(*map(free_variables, conditions)) | {variable.key}
        own = [total for total in sums if variable.key in free_variables(total)]
        is_worth_it = not own or any(map(has_macro, conditions))
        if not (self._null_safe and is_worth_it and all(free_variables(total) <= known for total in sums)):
            return None
        calm = [self._calm(total) for total in sums if total not in own]
        if own:
            each = " AND ".join(dict.fromkeys(map(self._calm, own)))
            calm.append(f"len(list_filter({source}, lambda {variable.key}: NOT ({each}))) = 0")
        return " AND ".join(dict.fromkeys(calm))

    def _calm(self, total: Arithmetic) -> str:
        # Where null safety is proved, a sum of something missing is behind a guard, and its value does not matter.
        missing = [
            f" OR {path_sql(part)} IS NULL"
            for part in _below(total)
            if isinstance(part, Root | Select) and (part.nullable or breakable_way(part))
        ]
        return f"({self.compile(total)} IS NOT NULL{''.join(dict.fromkeys(missing))})"

    def _may_err(self, node: Expr) -> bool:
        if isinstance(node, Arithmetic) and node.type != ScalarType.STRING:
            return True
        if self._may_be_null(node) or self._unreachable(node):
            return True
        return any(self._may_err(child) for child in children(node))


def _arithmetic(node: Expr) -> Iterator[Arithmetic]:
    """Yield the outermost sums and differences below a node."""
    if isinstance(node, Arithmetic) and node.type != ScalarType.STRING:
        yield node
        return
    for child in children(node):
        yield from _arithmetic(child)


def _modulo(sql: str, divisor: int) -> str:
    """Return the remainder that is never negative, also of an instant before 1970."""
    return f"((({sql}) % {divisor} + {divisor}) % {divisor})"


def _below(node: Expr) -> Iterator[Expr]:
    """Yield a node and all below it."""
    yield node
    for child in children(node):
        yield from _below(child)
