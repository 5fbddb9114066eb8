# SPDX-License-Identifier: Apache-2.0

"""What can go wrong with an expression: when it is checked, and when it is asked of a row."""

import msgspec

from app.errors import InvalidInput


class CelError(InvalidInput):
    """An expression cannot be used.

    Attributes:
        message: one sentence, without a final stop.
        line, column: where in the expression, both from 1, counted in code points.
        hint: what to write instead.
    """

    code = "expression-invalid"

    def __init__(self, message: str, line: int = 1, column: int = 1, hint: str = "") -> None:
        super().__init__(message, where=f"{line}:{column}", hint=hint or None)
        self.message = message
        self.line = line
        self.column = column
        self.hint = hint


class BeyondLimit(Exception):
    """The interpreter gave up on a row: its lists are too long for it, so there is no answer, not even an error."""


class CelRuntimeError(msgspec.Struct, frozen=True):
    """The answer of an expression that erred on a row, such as an overflow; it is neither true nor false."""

    message: str
