# SPDX-License-Identifier: Apache-2.0

"""What is to be watched, as the operator wrote it, and which days that means at an instant. Pure.

In:  texts such as ``soc2 quarter`` or ``hipaa 2026-07-01..2026-09-30``. Out: frameworks and periods, UTC.
"""

import datetime
from collections.abc import Callable, Iterable
from typing import Literal, get_args

import msgspec

from app.errors import NotFound, UsageError
from app.evaluation.model import DAY_MS, Period
from app.records.times import format_instant, parse_day

SETTING = "watched"
CLOSING = 7 * DAY_MS
"""For so long after a calendar period has ended it is still looked at: its last days are collected after them."""

Calendar = Literal["month", "quarter", "year"]
_MONTHS: dict[Calendar, int] = {"month": 1, "quarter": 3, "year": 12}
_HINT = 'Write a framework and month, quarter, year or FIRST..LAST: "soc2 quarter", "hipaa 2026-07-01..2026-09-30"'
_SHOWN = 60


class Watch(msgspec.Struct, frozen=True, kw_only=True):
    """A framework (its id), and a kind of calendar period or one fixed period."""

    framework: str
    span: Calendar | Period


def read_watched(texts: Iterable[str], framework_id: Callable[[str], str]) -> tuple[Watch, ...]:
    """Read the setting ``watched``.

    Args:
        texts: what the operator wrote.
        framework_id: gives the id for an id or short name; raises NotFound.

    Raises:
        UsageError: a text is not of this form, names no framework of ours, or says the same as another.
    """
    found: list[Watch] = []
    for text in texts:
        watch = _read(text, framework_id)
        if watch in found:
            raise _refusal(text, "is there twice")
        found.append(watch)
    return tuple(found)


def periods_at(watch: Watch, instant: int) -> tuple[Period, ...]:
    """Return the period to look at, and before it the one that ended less than ``CLOSING`` ago, if there is one."""
    if isinstance(watch.span, Period):
        return (watch.span,)
    current = _calendar(watch.span, instant)
    if instant - current.start < CLOSING and current.start > 0:
        return _calendar(watch.span, current.start - 1), current
    return (current,)


def _read(text: str, framework_id: Callable[[str], str]) -> Watch:
    words = text.split()
    if len(words) != 2:  # noqa: PLR2004 -- a framework and a span
        raise _refusal(text, "is not a framework and a period")
    try:
        framework = framework_id(words[0])
    except NotFound as error:
        raise _refusal(text, error.what) from None
    return Watch(framework=framework, span=_span(text, words[1]))


def _span(text: str, word: str) -> Calendar | Period:
    for calendar in get_args(Calendar):
        if word == calendar:
            known: Calendar = calendar
            return known
    first, dots, last = word.partition("..")
    if not dots:
        raise _refusal(text, f"'{_printable(word)}' is no period")
    try:
        return Period.of_days(parse_day(first), parse_day(last))
    except UsageError as error:
        raise _refusal(text, error.what) from None


def _calendar(kind: Calendar, instant: int) -> Period:
    """Return the calendar period (UTC) that holds an instant."""
    length = _MONTHS[kind]
    year, month = map(int, format_instant(instant)[:7].split("-"))
    first = (year * 12 + month - 1) // length * length
    after = first + length
    last = datetime.date(after // 12, after % 12 + 1, 1) - datetime.timedelta(days=1)
    return Period.of_days(datetime.date(first // 12, first % 12 + 1, 1), last)


def _refusal(text: str, why: str) -> UsageError:
    return UsageError(f"'{_printable(text)}': {why}", where=f"setting '{SETTING}'", hint=_HINT)


def _printable(text: str) -> str:
    return "".join(letter if letter.isprintable() else "?" for letter in text[:_SHOWN])
