# SPDX-License-Identifier: Apache-2.0

"""Translate Google's checked tree into ours, and refuse what is not in the language of control tests.

In: a ``cel.expr.CheckedExpr`` (see ``wire``), the row's type, the parameters. Out: our tree. The expression is well
typed when it comes here; what is refused here is valid CEL that an engine could not do exactly, or that would mislead.
"""

from collections.abc import Callable, Mapping
from typing import Any

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
    spelling,
    type_of,
)
from app.cel.complaints import LANGUAGE, MACROS, REFUSED
from app.cel.environment import PARAMETERS
from app.cel.errors import CelError
from app.cel.schema import LONGEST_SPAN, STRINGS, ListType, Parameter, ScalarType, ViewType
from app.cel.source import (
    duration_literal,
    line_and_column,
    macro_condition,
    macro_kind,
    timestamp_literal,
)

_COMPARISONS = {f"_{operator}_": operator for operator in Comparison}
_TEXT_TESTS = {str(question): question for question in TextTest}
_CLOCKS = {str(question): question for question in Clock}
_SUMS = {
    ("_+_", ScalarType.STRING, ScalarType.STRING): ScalarType.STRING,
    ("_+_", ScalarType.INT, ScalarType.INT): ScalarType.INT,
    ("_-_", ScalarType.INT, ScalarType.INT): ScalarType.INT,
    ("_+_", ScalarType.SPAN, ScalarType.SPAN): ScalarType.SPAN,
    ("_-_", ScalarType.SPAN, ScalarType.SPAN): ScalarType.SPAN,
    ("_+_", ScalarType.INSTANT, ScalarType.SPAN): ScalarType.INSTANT,
    ("_+_", ScalarType.SPAN, ScalarType.INSTANT): ScalarType.INSTANT,
    ("_-_", ScalarType.INSTANT, ScalarType.SPAN): ScalarType.INSTANT,
    ("_-_", ScalarType.INSTANT, ScalarType.INSTANT): ScalarType.SPAN,
}


class Translator:
    """Translates one checked expression.

    Args:
        columns: parameters that are read from a column, because their value differs from row to row.
    """

    def __init__(
        self,
        checked: Any,  # noqa: ANN401
        row: ViewType,
        parameters: Mapping[str, Parameter],
        source: str,
        columns: Mapping[str, str],
    ) -> None:
        self._root = checked.expr
        self._positions = {entry.key: entry.value for entry in checked.source_info.positions}
        self._row = row
        self._parameters = parameters
        self._source = source
        self._columns = columns
        self._scope: dict[str, Variable] = {}
        self._count = 0

    def translate(self) -> Expr:
        """Return the tree.

        Raises:
            CelError: something is not in the language.
        """
        return self._expr(self._root)

    def _at(self, node: Any) -> int:  # noqa: ANN401
        return int(self._positions.get(node.id, 0))

    def _refusal(self, at: int, message: str, hint: str = LANGUAGE) -> CelError:
        return CelError(message, *line_and_column(self._source, at), hint)

    def _expr(self, node: Any) -> Expr:  # noqa: ANN401
        match node.WhichOneof("kind"):
            case "const_expr":
                return self._constant(node)
            case "ident_expr":
                return self._identifier(node)
            case "select_expr":
                return self._select(node)
            case "call_expr":
                return self._call(node)
            case "comprehension_expr":
                return self._macro(node)
            case "list_expr":
                hint = "Write x in [a, b], or join conditions with ||."
                raise self._refusal(self._at(node), "a list can only stand on the right of 'in'", hint)
            case _:
                raise self._refusal(self._at(node), "maps and messages are not part of the language")

    def _constant(self, node: Any) -> Literal:  # noqa: ANN401
        at, constant = self._at(node), node.const_expr
        match constant.WhichOneof("kind"):
            case "bool_value":
                return Literal(at=at, value=constant.bool_value, type=ScalarType.BOOL)
            case "int64_value":
                return Literal(at=at, value=constant.int64_value, type=ScalarType.INT)
            case "double_value" if abs(constant.double_value) < float("inf"):
                return Literal(at=at, value=constant.double_value, type=ScalarType.DOUBLE)
            case "string_value":
                return Literal(at=at, value=self._plain(at, constant.string_value), type=ScalarType.STRING)
            case "null_value" | None:
                raise self._refusal(at, "null can only be compared with a field", "Write x.y == null or x.y != null.")
            case _:
                raise self._refusal(at, "this kind of literal is not part of the language")

    def _plain(self, at: int, text: str) -> str:
        if "\x00" in text:
            raise self._refusal(at, "a text may not hold the character NUL", "Remove it.")
        return text

    def _identifier(self, node: Any) -> Root | Variable:  # noqa: ANN401
        at, name = self._at(node), node.ident_expr.name
        if name in self._scope:
            known = self._scope[name]
            return Variable(at=at, name=name, key=known.key, type=known.type)
        if name == PARAMETERS:
            raise self._refusal(at, "'p' stands only before a parameter's name", "Write p.name.")
        field = self._row.fields.get(name)
        if field is None:
            raise self._refusal(at, f"'{name}' is not part of the language")
        return Root(at=at, name=name, type=field.type, nullable=field.nullable)

    def _select(self, node: Any) -> Expr:  # noqa: ANN401
        at, select = self._at(node), node.select_expr
        if self._is_parameters(select.operand):
            return self._parameter(at, select)
        path = self._field(at, self._expr(select.operand), select.field)
        if not select.test_only:
            return path
        if not path.nullable:
            hint = f"Write size({spelling(path)}) > 0." if isinstance(path.type, ListType) else "Leave has() out."
            raise self._refusal(at, f"'{spelling(path)}' is never missing", hint)
        return Present(at=at, operand=path, negated=False)

    def _is_parameters(self, node: Any) -> bool:  # noqa: ANN401
        return bool(node.ident_expr.name == PARAMETERS and PARAMETERS not in self._scope)

    def _parameter(self, at: int, select: Any) -> Literal | Texts | Root:  # noqa: ANN401
        if select.test_only:
            raise self._refusal(at, f"parameter '{select.field}' is never missing", "Leave has() out.")
        parameter = self._parameters[select.field]
        if select.field in self._columns:
            return Root(at=at, name=self._columns[select.field], type=parameter.type, nullable=False)
        if isinstance(parameter.value, tuple):
            return Texts(at=at, values=parameter.value, type=STRINGS)
        assert isinstance(parameter.type, ScalarType)  # noqa: S101 - Only tuples have a list type.
        return Literal(at=at, value=parameter.value, type=parameter.type)

    def _field(self, at: int, base: Expr, name: str) -> Select:
        if not isinstance(base, Path) or not isinstance(base.type, ViewType):
            raise self._refusal(at, f"'.{name}' can only follow a field or the variable of a macro")
        field = base.type.fields[name]
        return Select(at=at, base=base, name=name, type=field.type, nullable=field.nullable)

    def _call(self, node: Any) -> Expr:  # noqa: ANN401
        at, call = self._at(node), node.call_expr
        arguments = [*([call.target] if call.HasField("target") else []), *call.args]
        name = call.function
        if name in _COMPARISONS:
            return self._comparison(at, _COMPARISONS[name], arguments)
        if name in _TEXT_TESTS:
            text, part = (self._expr(argument) for argument in arguments)
            return AskText(at=at, question=_TEXT_TESTS[name], text=text, part=part)
        if name in _CLOCKS:
            return self._clock(at, _CLOCKS[name], arguments)
        if name in {"_+_", "_-_"}:
            return self._arithmetic(at, name, arguments)
        special: dict[str, Callable[[int, list[Any]], Expr]] = {
            "_&&_": lambda at, args: And(at=at, left=self._expr(args[0]), right=self._expr(args[1])),
            "_||_": lambda at, args: Or(at=at, left=self._expr(args[0]), right=self._expr(args[1])),
            "!_": lambda at, args: Not(at=at, operand=self._expr(args[0])),
            "_?_:_": self._conditional,
            "@in": self._member,
            "size": self._size,
            "duration": self._duration,
            "timestamp": self._timestamp,
        }
        if name not in special:
            shown = name.replace("_", "").strip("@") if name.startswith(("_", "@", "-")) else f"{name}()"
            raise self._refusal(at, f"'{shown}' is not part of the language", REFUSED.get(name, LANGUAGE))
        return special[name](at, arguments)

    def _comparison(self, at: int, operator: Comparison, arguments: list[Any]) -> Compare | Present:
        equality = operator in {Comparison.EQUAL, Comparison.NOT_EQUAL}
        nulls = [argument.const_expr.WhichOneof("kind") == "null_value" for argument in arguments]
        if equality and any(nulls):
            return self._presence(at, arguments[0] if nulls[1] else arguments[1], negated=operator == Comparison.EQUAL)
        left, right = (self._expr(argument) for argument in arguments)
        kind = type_of(left)
        if kind != type_of(right):
            raise self._refusal(
                at, f"'{operator}' compares two different types", "Write 1.0 for a number with a fraction."
            )
        if kind == ScalarType.BOOL and not (equality and _is_leaf(left) and _is_leaf(right)):
            raise self._refusal(at, f"'{operator}' does not compare conditions", "Use &&, || and !.")
        if not isinstance(kind, ScalarType):
            raise self._refusal(
                at, f"'{operator}' does not compare views or lists", "Compare their fields, such as their ids."
            )
        return Compare(at=at, operator=operator, left=left, right=right)

    def _presence(self, at: int, node: Any, *, negated: bool) -> Present:  # noqa: ANN401
        if node.const_expr.WhichOneof("kind") == "null_value":
            raise self._refusal(at, "null is compared with null")
        operand = self._expr(node)
        if not isinstance(operand, Root | Select):
            raise self._refusal(at, "only a field can be compared with null")
        if not operand.nullable:
            hint = (
                "Compare what it belongs to with null." if isinstance(operand, Select) else "Leave the comparison out."
            )
            raise self._refusal(at, f"'{spelling(operand)}' is never missing itself", hint)
        return Present(at=at, operand=operand, negated=negated)

    def _arithmetic(self, at: int, name: str, arguments: list[Any]) -> Arithmetic:
        left, right = (self._expr(argument) for argument in arguments)
        operands = (type_of(left), type_of(right))
        kind = next((result for (sign, *pair), result in _SUMS.items() if sign == name and (*pair,) == operands), None)
        if kind is None:
            hint = "Instants, durations and whole numbers can be added and subtracted, texts be joined by +."
            raise self._refusal(at, f"'{name.strip('_')}' is not available for these types", hint)
        return Arithmetic(at=at, minus=name == "_-_", left=left, right=right, type=kind)

    def _clock(self, at: int, question: Clock, arguments: list[Any]) -> AskInstant:
        instant = self._expr(arguments[0])
        if type_of(instant) != ScalarType.INSTANT:
            raise self._refusal(at, f"{question}() asks an instant", "Write x.started_at.getHours() with such a field.")
        if len(arguments) > 1:
            raise self._refusal(at, f"{question}() answers in UTC only", "Leave the time zone out.")
        return AskInstant(at=at, question=question, instant=instant)

    def _conditional(self, at: int, arguments: list[Any]) -> Conditional:
        condition, then, otherwise = (self._expr(argument) for argument in arguments)
        kind = type_of(then)
        if not isinstance(kind, ScalarType) or kind != type_of(otherwise):
            raise self._refusal(at, "both branches of '? :' must be single values of one type")
        return Conditional(at=at, condition=condition, then=then, otherwise=otherwise, type=kind)

    def _member(self, at: int, arguments: list[Any]) -> Member:
        item, collection = self._expr(arguments[0]), self._collection(arguments[1])
        if not _is_leaf(item) and not (isinstance(item, Arithmetic) and item.type == ScalarType.STRING):
            raise self._refusal(at, "on the left of 'in' stands a field, a parameter, a literal or a sum of texts")
        assert isinstance(collection.type, ListType)  # noqa: S101 - _collection gives lists only.
        if type_of(item) != collection.type.element:
            raise self._refusal(at, "'in' compares two different types")
        if type_of(item) == ScalarType.DOUBLE:
            raise self._refusal(at, "'in' does not compare numbers with a fraction", "Use <= and >=.")
        return Member(at=at, item=item, collection=collection)

    def _collection(self, node: Any) -> Path | Texts | ListOf:  # noqa: ANN401
        at = self._at(node)
        if node.WhichOneof("kind") == "list_expr":
            return self._list(at, [self._expr(element) for element in node.list_expr.elements])
        collection = self._expr(node)
        if isinstance(collection, Texts):
            return collection
        if not isinstance(collection, Path) or not isinstance(collection.type, ListType):
            raise self._refusal(at, "on the right of 'in' stands a list: a field, a parameter or [a, b]")
        return collection

    def _list(self, at: int, items: list[Expr]) -> ListOf:
        if not items:
            raise self._refusal(at, "the list is empty, so nothing is in it", "Write false, or name an element.")
        kind = type_of(items[0])
        alike = all(type_of(item) == kind and _is_leaf(item) for item in items)
        if not alike or not isinstance(kind, ScalarType):
            raise self._refusal(at, "a list holds fields, parameters and literals of one type")
        return ListOf(at=at, items=tuple(items), type=ListType(kind))

    def _size(self, at: int, arguments: list[Any]) -> Size:
        operand = self._expr(arguments[0])
        kind = type_of(operand)
        if kind != ScalarType.STRING and not isinstance(kind, ListType):
            raise self._refusal(at, "size() counts the elements of a list or the characters of a text")
        return Size(at=at, operand=operand)

    def _duration(self, at: int, arguments: list[Any]) -> Literal:
        span = duration_literal(arguments[0].const_expr.string_value)
        if span is None:
            hint = "Write duration(\"8h\") with h, m, s or ms; a parameter such as '90d' is a duration already: p.name."
            raise self._refusal(at, 'duration() takes a literal such as "8h"', hint)
        if span > LONGEST_SPAN:
            raise self._refusal(at, "the duration is longer than 100 years", "Write a shorter one.")
        return Literal(at=at, value=span, type=ScalarType.SPAN)

    def _timestamp(self, at: int, arguments: list[Any]) -> Literal:
        instant = timestamp_literal(arguments[0].const_expr.string_value)
        if instant is None:
            hint = 'Write timestamp("2026-01-01T00:00:00Z"), from 1970 on, with at most milliseconds.'
            raise self._refusal(at, "timestamp() takes a literal in RFC 3339", hint)
        return Literal(at=at, value=instant, type=ScalarType.INSTANT)

    def _macro(self, node: Any) -> Filter | Quantifier:  # noqa: ANN401
        at, loop = self._at(node), node.comprehension_expr
        kind = macro_kind(loop)
        if kind is None:
            raise self._refusal(at, "this macro is not part of the language", MACROS)
        source = self._expr(loop.iter_range)
        if not isinstance(source, Path | Filter) or not isinstance(source.type, ListType):
            hint = "A parameter is asked with 'in': x in p.name."
            raise self._refusal(at, "a macro goes over a list of the row, or over what a filter left of it", hint)
        variable = self._variable(at, loop.iter_var, source.type)
        self._scope[variable.name] = variable
        condition = self._expr(macro_condition(loop))
        del self._scope[variable.name]
        if type_of(condition) != ScalarType.BOOL:
            raise self._refusal(at, "a macro needs a condition")
        if kind == "filter":
            return Filter(at=at, source=source, variable=variable, condition=condition, type=source.type)
        return Quantifier(at=at, every=kind == "all", source=source, variable=variable, condition=condition)

    def _variable(self, at: int, name: str, source: ListType) -> Variable:
        if name == PARAMETERS or name in self._row.fields or name in self._scope:
            raise self._refusal(at, f"the name '{name}' is already taken", "Call the variable something else.")
        self._count += 1
        return Variable(at=at, name=name, key=f"_v{self._count}", type=source.element)


def _is_leaf(node: Expr) -> bool:
    return isinstance(node, Path | Literal)
