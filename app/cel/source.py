# SPDX-License-Identifier: Apache-2.0

"""Read back what an author wrote: places, literals of durations and instants, and macros from their expansion."""

import re
from typing import Any

from app.cel.schema import INT64_MAX
from app.errors import RecordRejected
from app.records.times import parse_instant

_DURATION = re.compile(r"(?:[0-9]{1,12}(?:ms|h|m|s))+")
_DURATION_PART = re.compile(r"([0-9]+)(ms|h|m|s)")
_UNIT_MS = {"ms": 1, "s": 1_000, "m": 60_000, "h": 3_600_000}
_TIMESTAMP = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-5][0-9](\.[0-9]{1,3})?(Z|[+-][0-9]{2}:[0-9]{2})"
)


def duration_literal(text: str) -> int | None:
    """Return the milliseconds of CEL's ``duration("1h30m")``; None if it is not that, or finer than a millisecond."""
    if not _DURATION.fullmatch(text):
        return None
    return sum(int(count) * _UNIT_MS[unit] for count, unit in _DURATION_PART.findall(text))


def timestamp_literal(text: str) -> int | None:
    """Return epoch milliseconds of an RFC 3339 text from 1970 on; None if it is not that, or finer than they are."""
    if not _TIMESTAMP.fullmatch(text):
        return None
    try:
        return parse_instant(text)
    except RecordRejected:
        return None


def line_and_column(source: str, at: int) -> tuple[int, int]:
    """Return line and column, both from 1, of an offset in code points."""
    before = source[: min(at, INT64_MAX)]
    return before.count("\n") + 1, len(before) - (before.rfind("\n") + 1) + 1


def macro_kind(loop: Any) -> str | None:  # noqa: ANN401
    """Tell which macro a comprehension came from; they are expanded as the CEL specification lays down."""
    start, step = loop.accu_init, loop.loop_step
    if loop.iter_var2:
        return None
    starts_with = start.const_expr.WhichOneof("kind")
    if starts_with == "bool_value" and step.call_expr.function == "_||_":
        return "exists"
    if starts_with == "bool_value" and step.call_expr.function == "_&&_":
        return "all"
    if start.WhichOneof("kind") == "list_expr" and step.call_expr.function == "_?_:_":
        added = step.call_expr.args[1].call_expr.args[1].list_expr.elements[0]
        return "filter" if added.ident_expr.name == loop.iter_var else None
    return None


def macro_condition(loop: Any) -> Any:  # noqa: ANN401
    """Return what the macro asks of each element."""
    step = loop.loop_step.call_expr
    return step.args[0] if step.function == "_?_:_" else step.args[1]
