# SPDX-License-Identifier: Apache-2.0

"""The calendar months of a period, UTC. Pure."""

import datetime

import msgspec

from app.evaluation.model import Period
from app.records.times import first_instant, format_instant

MOST_MONTHS = 60
"""A longer period has no trend: nobody reads so many columns."""


class Month(msgspec.Struct, frozen=True, kw_only=True):
    """The part of a calendar month that lies in the period: ``start`` inclusive, ``end`` exclusive, epoch ms."""

    name: str
    start: int
    end: int
    partial: bool


def months_of(period: Period, as_of: int) -> tuple[Month, ...]:
    """Return the months that a period touches, in order; none if they are too many.

    Args:
        period: the audit period.
        as_of: nothing is known of what came later, so a month that it cuts is partial.
    """
    months: list[Month] = []
    start = period.start
    while start < period.end and len(months) <= MOST_MONTHS:
        first, after = _bounds(start)
        end = min(after, period.end)
        whole = first == start and after == end and after <= as_of
        months.append(Month(name=format_instant(start)[:7], start=start, end=end, partial=not whole))
        start = end
    return tuple(months) if len(months) <= MOST_MONTHS else ()


def previous_period(period: Period) -> Period:
    """Return the period of the same length just before: as many calendar months if it is made of whole ones."""
    first, last = (datetime.date.fromisoformat(day) for day in period.days)
    count = (last.year - first.year) * 12 + last.month - first.month + 1
    if first.day == 1 and (last + datetime.timedelta(days=1)).day == 1:
        month = first.year * 12 + first.month - 1 - count
        start = first_instant(datetime.date(month // 12, month % 12 + 1, 1))
    else:
        start = period.start - (period.end - period.start)
    return Period(start=start, end=period.start)


def _bounds(instant: int) -> tuple[int, int]:
    day = datetime.date.fromisoformat(format_instant(instant)[:10])
    first = day.replace(day=1)
    after = (first + datetime.timedelta(days=31)).replace(day=1)
    return first_instant(first), first_instant(after)
