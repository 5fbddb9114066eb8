# SPDX-License-Identifier: Apache-2.0

"""The oracle: Google's own evaluator, one row at a time, independent of the SQL compiler.

In:  a checked expression and a row. Out: true, false, or ``CelRuntimeError``; never an exception for a row's content.
Rows become plain maps: a missing value is null, instants and spans are protobuf timestamps and durations. Rows are not
made protobuf messages, because an unset timestamp field would compare as 1970.
"""

import datetime
from collections.abc import Iterable, Mapping
from typing import Any

import msgspec
from cel_expr_python import cel
from google.protobuf.duration_pb2 import Duration
from google.protobuf.timestamp_pb2 import Timestamp

from app.cel.environment import PARAMETERS
from app.cel.errors import BeyondLimit, CelRuntimeError
from app.cel.expression import CheckedExpression, words_of
from app.cel.schema import ListType, Parameter, ScalarType, Type, ViewType, view_type

MOST_STEPS = 10_000
"""Elements of lists that the evaluator looks at in one expression; its own limit, which its binding cannot set."""
_GAVE_UP = "Iteration budget exceeded"
_MILLISECOND = datetime.timedelta(milliseconds=1)


class Interpreter:
    """Asks expressions of rows of one population; programs are kept, so that many rows are cheap.

    Args:
        row: struct class of the rows.
    """

    def __init__(self, row: type[msgspec.Struct]) -> None:
        self._view = view_type(row)
        names = [*self._view.fields, PARAMETERS]
        self._environment = cel.NewEnv(variables=dict.fromkeys(names, cel.Type.DYN))
        self._programs: dict[bytes, Any] = {}

    def values(self, row: msgspec.Struct, asked: Iterable[CheckedExpression] | None = None) -> dict[str, object]:
        """Return a row as CEL values, to be asked many questions; only what ``asked`` may read, if that is given."""
        if asked is None:
            return _view_value(row, self._view)
        words = frozenset().union(*(words_of(each.source) for each in asked))
        fields = self._view.fields
        return {name: _value(getattr(row, name), field.type) for name, field in fields.items() if name in words}

    def evaluate(self, checked: CheckedExpression, values: Mapping[str, object]) -> bool | CelRuntimeError:
        """Ask an expression of a row.

        Args:
            checked: an expression over this population's row.
            values: what ``values()`` gave.

        Raises:
            BeyondLimit: there is no answer, because it would take more than ``MOST_STEPS``.
        """
        answer = self.value(checked, values)
        return answer if isinstance(answer, bool | CelRuntimeError) else CelRuntimeError("this is no yes or no")

    def value(self, checked: CheckedExpression, values: Mapping[str, object]) -> bool | int | CelRuntimeError:
        """Return what an expression comes to for a row: true or false, a whole number, or a duration in ms.

        Raises:
            BeyondLimit: there is no answer, because it would take more than ``MOST_STEPS``.
        """
        program = self._programs.get(checked.program)
        if program is None:
            program = self._programs[checked.program] = self._environment.deserialize(checked.program)
        try:
            answer = program.eval(data={**values, PARAMETERS: _parameter_values(checked.parameters)})
        except RuntimeError as error:  # The binding raises some errors and returns others as values.
            return _erred(str(error))
        if answer.type() == cel.Type.BOOL:
            return bool(answer.plain_value())
        if answer.type() == cel.Type.INT:
            return int(answer.plain_value())
        if answer.type() == cel.Type.DURATION:
            return int(answer.plain_value() // _MILLISECOND)
        return _erred(str(answer.value()))


def _erred(message: str) -> CelRuntimeError:
    if _GAVE_UP in message:
        raise BeyondLimit(message[:200])
    return CelRuntimeError(message[:200])


def evaluate(checked: CheckedExpression, row: msgspec.Struct) -> bool | CelRuntimeError:
    """Ask an expression of one row."""
    interpreter = Interpreter(checked.row)
    return interpreter.evaluate(checked, interpreter.values(row))


def _parameter_values(parameters: Mapping[str, Parameter]) -> dict[str, object]:
    return {
        name: list(parameter.value) if isinstance(parameter.value, tuple) else _value(parameter.value, parameter.type)
        for name, parameter in parameters.items()
    }


def _view_value(view: object, kind: ViewType) -> dict[str, object]:
    return {name: _value(getattr(view, name), field.type) for name, field in kind.fields.items()}


def _value(value: Any, kind: Type) -> object:  # noqa: ANN401, PLR0911 - what a row holds, told apart by its type.
    if value is None:
        return None
    match kind:
        case ViewType():
            return _view_value(value, kind)
        case ListType():
            return [_value(element, kind.element) for element in value]
        case ScalarType.INSTANT:
            return Timestamp(seconds=value // 1000, nanos=value % 1000 * 1_000_000)
        case ScalarType.SPAN:
            seconds = int(value / 1000)  # Toward zero: seconds and nanos must have one sign.
            return Duration(seconds=seconds, nanos=(value - seconds * 1000) * 1_000_000)
        case ScalarType.STRING:
            # The binding cuts a text at NUL, so "admin<NUL>x" would equal "admin". Connectors refuse NUL; should one
            # slip through, it must not be cut here.
            return value.replace("\x00", "\ufffd")
        case ScalarType.BOOL | ScalarType.INT | ScalarType.DOUBLE:
            return value
