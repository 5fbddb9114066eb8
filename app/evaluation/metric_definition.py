# SPDX-License-Identifier: Apache-2.0

"""A metric made ready to be computed: its expressions checked, its digest taken."""

import hashlib
from functools import lru_cache

import msgspec

from app.cel.check import check, check_value
from app.cel.expression import CheckedExpression
from app.controls.metrics import Measure, Metric, row_with_each
from app.errors import InvalidInput
from app.trails.populations import POPULATIONS

ONE = "1"
"""What an item adds to a count."""


class MetricDefinition(msgspec.Struct, frozen=True, kw_only=True):
    """A metric that can be computed.

    Attributes:
        row: what an item looks like: the population's row, with ``each`` if its elements are the items.
        where: which items it speaks of.
        of: what it takes of each; for ``distinct`` and ``outcome_ratio`` the number 1, which is not looked at.
        out_of: what a quotient divides by; else the number 1.
        path: the path of ``distinct``.
        fields: what must be there, the path of ``distinct`` included.
    """

    metric: Metric
    population: str
    measure: Measure
    row: type[msgspec.Struct]
    where: CheckedExpression
    of: CheckedExpression
    out_of: CheckedExpression
    path: str | None
    records: tuple[str, ...]
    fields: tuple[str, ...]


def define_metric(metric: Metric) -> MetricDefinition:
    """Check a metric's expressions.

    Raises:
        InvalidInput: it is one that cannot be computed, or there is no such population.
        CelError: an expression cannot be used.
    """
    return _define(msgspec.json.encode(metric, order="sorted"))


def metric_sha256(metric: Metric) -> str:
    """Return the digest of a metric's definition."""
    return hashlib.sha256(msgspec.json.encode(metric, order="sorted")).hexdigest()


@lru_cache(maxsize=1024)
def _define(canonical: bytes) -> MetricDefinition:
    metric = msgspec.json.decode(canonical, type=Metric)
    whole = POPULATIONS.get(metric.population or "")
    if metric.population is None or metric.measure is None or whole is None:
        raise InvalidInput("the metric cannot be computed", where=metric.id)
    row = whole if metric.each is None else row_with_each(whole, metric.each)
    where = check(metric.where, row=row, parameters=metric.parameters)
    is_path = metric.measure == "distinct"

    def value(expression: str | None) -> CheckedExpression:
        return check_value(
            expression or ONE,
            row=row,
            parameters=metric.parameters,
            required=metric.requires.fields,
            where=where,
        )

    path = metric.of if is_path else None
    return MetricDefinition(
        metric=metric,
        population=metric.population,
        measure=metric.measure,
        row=row,
        where=where,
        of=value(None if is_path else metric.of),
        out_of=value(metric.out_of),
        path=path,
        records=metric.requires.records,
        fields=(*metric.requires.fields, *([path] if path else [])),
    )
