# SPDX-License-Identifier: Apache-2.0

"""CheckedExpression: what the checker hands to the engines."""

import re
from functools import lru_cache

import msgspec

from app.cel.ast import Expr
from app.cel.schema import Parameter


class CheckedExpression(msgspec.Struct, frozen=True):
    """An expression that may be asked of rows.

    Attributes:
        source: the text as it was written.
        row: the struct class it is asked of.
        parameters: the values of ``p``.
        tree: our syntax tree; the SQL compiler reads only this.
        program: the serialised ``cel.expr.CheckedExpr``; the interpreter reads only this and the parameters.
        null_safe: the null-safety pass accepted it, so no field is read while it is missing.
    """

    source: str
    row: type[msgspec.Struct]
    parameters: dict[str, Parameter]
    tree: Expr
    program: bytes
    null_safe: bool


_WORD = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


@lru_cache(maxsize=4096)
def words_of(source: str) -> frozenset[str]:
    """Return every word in the text of an expression: the variables it reads are among them."""
    return frozenset(_WORD.findall(source))
