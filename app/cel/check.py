# SPDX-License-Identifier: Apache-2.0

"""Check an expression: limits, types, language, null safety. What passes can be run by both engines.

In:  the text of an expression, the struct of a row, parameter values, the fields that are required.
Out: ``CheckedExpression``, or ``CelError`` with line, column and a hint.
The text is limited before the native parser sees it, because a control file may come from anybody.
"""

import re
from collections.abc import Collection, Mapping

import msgspec

from app.cel.ast import Expr, Root, children, spelling, type_of
from app.cel.complaints import complaint
from app.cel.environment import checking_environment
from app.cel.errors import CelError
from app.cel.expression import CheckedExpression
from app.cel.nullsafety import Unguarded, learned, prove
from app.cel.schema import Parameter, ParameterValue, ScalarType, ViewType, parameters_of, view_type
from app.cel.source import line_and_column
from app.cel.sql import to_sql
from app.cel.translate import Translator
from app.cel.wire import TooDeep, parse_checked, program_of

__all__ = ["CelError", "CheckedExpression", "check", "check_value"]

MAX_LENGTH = 4_000
MAX_DEPTH = 40
MAX_NODES = 500
_MEASURABLE = (ScalarType.BOOL, ScalarType.INT, ScalarType.SPAN)

_TEXT = re.compile(r"\"(?:\\.|[^\"\\])*\"|'(?:\\.|[^'\\])*'", re.DOTALL)
_UNARY = re.compile(r"(?:[!-]\s*){41,}")


def check(
    expression: str,
    *,
    row: type[msgspec.Struct],
    parameters: Mapping[str, ParameterValue],
    required: Collection[str] = (),
    columns: Mapping[str, str] | None = None,
) -> CheckedExpression:
    """Check an expression against a row.

    Args:
        expression: the text; it must come to true or false.
        row: the struct class of the population.
        parameters: values of ``p.name``; a string such as ``60s`` or ``90d`` is a duration.
        required: dotted paths that are there whenever the expression is asked (``requires.fields``); a path through a
            list speaks of every element.
        columns: parameters whose value differs from row to row, and the column that has it; for SQL only.

    Raises:
        CelError: the expression cannot be used.
    """
    return _proved(check_types(expression, row=row, parameters=parameters, columns=columns), required, None)


def check_value(
    expression: str,
    *,
    row: type[msgspec.Struct],
    parameters: Mapping[str, ParameterValue],
    required: Collection[str] = (),
    where: CheckedExpression | None = None,
) -> CheckedExpression:
    """Check an expression that comes to a whole number, a duration, or true or false, as a metric needs it.

    Args:
        expression: the text.
        row: the struct class of the population.
        parameters: values of ``p.name``.
        required: dotted paths that are there whenever the expression is asked.
        where: what is true of every row the expression is asked of; its guards hold here too.

    Raises:
        CelError: the expression cannot be used.
    """
    checked = _typed(expression, row, parameters)
    if type_of(checked.tree) not in _MEASURABLE:
        hint = "Count or subtract something, such as size(x) or a.ended_at - a.started_at."
        raise CelError("the expression comes to no whole number, duration, or true or false", hint=hint)
    return _proved(checked, required, where)


def _proved(
    checked: CheckedExpression, required: Collection[str], where: CheckedExpression | None
) -> CheckedExpression:
    try:
        prove(checked.tree, required, learned(where.tree, truth=True) if where else frozenset())
    except Unguarded as error:
        raise _unguarded(checked.source, error) from None
    safe = msgspec.structs.replace(checked, null_safe=True)
    to_sql(safe)
    return safe


def check_types(
    expression: str,
    *,
    row: type[msgspec.Struct],
    parameters: Mapping[str, ParameterValue],
    columns: Mapping[str, str] | None = None,
) -> CheckedExpression:
    """Check everything but null safety. Only for tests of the engines: the outcome of a missing field is not defined.

    Raises:
        CelError: the expression cannot be used.
    """
    checked = _typed(expression, row, parameters, columns)
    if type_of(checked.tree) != ScalarType.BOOL:
        raise CelError("the expression does not come to true or false", hint="Compare the value with something.")
    return checked


def _typed(
    expression: str,
    row: type[msgspec.Struct],
    parameters: Mapping[str, ParameterValue],
    columns: Mapping[str, str] | None = None,
) -> CheckedExpression:
    _limit_text(expression)
    view, given = view_type(row), parameters_of(parameters)
    native = _compile(expression, view, given)
    try:
        checked = parse_checked(native)
        tree = Translator(checked, view, given, expression, columns or {}).translate()
    except TooDeep:
        raise CelError("the expression is nested too deeply", hint=f"Stay below {MAX_DEPTH} levels.") from None
    _limit_tree(expression, tree)
    program = program_of(checked)
    return CheckedExpression(expression, row, given, tree, program, null_safe=False)


def _limit_text(expression: str) -> None:
    if not expression.strip():
        raise CelError("the expression is empty", hint='Write "true" if it always holds.')
    if len(expression) > MAX_LENGTH:
        raise CelError(f"the expression is longer than {MAX_LENGTH} characters", hint="Split the test.")
    for at, character in enumerate(expression):
        if (ord(character) < 32 and character not in "\n\t\r") or "\ud800" <= character <= "\udfff":  # noqa: PLR2004
            raise CelError("the expression holds a control character", *line_and_column(expression, at), "Remove it.")
    code = _TEXT.sub(lambda match: " " * len(match[0]), expression)
    deep = _first_too_deep(code)
    if deep is not None:
        hint = f"Stay below {MAX_DEPTH} levels."
        raise CelError("the expression is nested too deeply", *line_and_column(expression, deep), hint)


def _first_too_deep(code: str) -> int | None:
    run = _UNARY.search(code)
    depth = 0
    for at, character in enumerate(code):
        depth += (character in "([{?") - (character in ")]}:")
        if depth > MAX_DEPTH:
            return at
    return run.start() if run else None


def _limit_tree(expression: str, tree: Expr) -> None:
    nodes = 0
    stack = [(tree, 1)]
    while stack:
        node, depth = stack.pop()
        nodes += 1
        if depth > MAX_DEPTH or nodes > MAX_NODES:
            what = f"is nested deeper than {MAX_DEPTH} levels" if depth > MAX_DEPTH else f"has over {MAX_NODES} parts"
            raise CelError(f"the expression {what}", *line_and_column(expression, node.at), "Split the test.")
        stack.extend((child, depth + 1) for child in children(node))


def _compile(expression: str, view: ViewType, parameters: Mapping[str, Parameter]) -> bytes:
    try:
        return bytes(checking_environment(view, parameters).compile(expression).serialize())
    except RuntimeError as error:  # The binding raises nothing more precise.
        raise complaint(str(error), expression, view, parameters) from None


def _unguarded(expression: str, error: Unguarded) -> CelError:
    name = spelling(error.field)
    guard = f"{name} != null" if isinstance(error.field, Root) else f"has({name})"
    missing = f"'{name}' may be missing"
    what = missing if error.field is error.path else f"{missing}, so '{spelling(error.path)}' cannot be read"
    hint = f"Write {guard} && ... before it, or list it under requires.fields."
    return CelError(what, *line_and_column(expression, error.path.at), hint)
