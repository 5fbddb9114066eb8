# SPDX-License-Identifier: Apache-2.0

"""What a metric came to. Whole numbers only: a ratio is its two sides, a duration is milliseconds.

So equal inputs have one spelling, and nobody has to agree on how a fraction is rounded.
"""

from enum import StrEnum

import msgspec

from app.controls.metrics import Direction, Family, Measure, Unit


class MetricState(StrEnum):
    """Whether there is a number, and why not."""

    MEASURED = "measured"
    NO_EVIDENCE = "no_evidence"
    NO_OCCURRENCES = "no_occurrences"
    ERROR = "error"
    NOT_MEASURED = "not_measured"


class Figures(msgspec.Struct, frozen=True, kw_only=True):
    """The numbers of a metric over some of its items.

    Attributes:
        items: items that could be measured.
        unknown: items that the metric speaks of, but where something it needs is missing.
        errors: items where an expression erred, such as by overflow.
        numerator: the count, the sum, or the upper side of a ratio; None for quantiles.
        denominator: the lower side of a ratio; None for other measures.
        p50, p95, maximum: quantiles by nearest rank; None for other measures, or without items.
    """

    items: int
    unknown: int
    errors: int
    numerator: int | None = None
    denominator: int | None = None
    p50: int | None = None
    p95: int | None = None
    maximum: int | None = None


class MonthFigures(msgspec.Struct, frozen=True, kw_only=True):
    """The numbers of one calendar month (UTC), ``2026-07``; ``partial`` if the period or the evidence ends within."""

    month: str
    partial: bool
    figures: Figures


class GroupFigures(msgspec.Struct, frozen=True, kw_only=True):
    """The numbers of the items with one value; ``value`` is None where the record does not tell."""

    value: str | None
    figures: Figures


class Breakdown(msgspec.Struct, frozen=True, kw_only=True):
    """A metric by the values at one path, most items first; ``left_out`` counts values that are not shown.

    An item with several values at the path, such as several flags, counts once for each.
    """

    path: str
    groups: tuple[GroupFigures, ...]
    left_out: int


class MetricResult(msgspec.Struct, frozen=True, kw_only=True):
    """One metric for one period.

    Attributes:
        population, measure: None for a metric that cannot be computed yet.
        reasons: why there is no number; empty when there is one.
        warnings: why the number may be of fewer items than there were.
        milliseconds: the figures are durations; a ratio of durations has two such sides.
        figures: None without a number.
        definition_sha256: digest of the metric's definition.
    """

    metric_id: str
    title: str
    family: Family
    question: str
    population: str | None
    measure: Measure | None
    test_id: str | None
    unit: Unit
    direction: Direction
    milliseconds: bool
    state: MetricState
    reasons: tuple[str, ...]
    warnings: tuple[str, ...]
    figures: Figures | None
    trend: tuple[MonthFigures, ...]
    breakdowns: tuple[Breakdown, ...]
    limits: str
    definition_sha256: str
