# SPDX-License-Identifier: Apache-2.0

"""The shapes of ``controls/metrics/*.yaml``: what is counted, over which items, in which unit.

A metric is a number about a population, not a claim that could fail. It says which items it speaks of (``where``), what
it takes of each (``of``), and what must be there for that (``requires``); an item that lacks it is counted as unknown,
never left out silently.
"""

from functools import cache
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from app.controls.model import ParameterValue, Requires
from app.controls.paths import fields, unwrap
from app.trails.populations import Row

Family = Literal["access_volume", "risk_actions", "governance"]
Measure = Literal["count", "distinct", "sum", "ratio", "quotient", "quantiles", "outcome_ratio"]
Unit = Literal["items", "ratio", "per_100", "duration"]
Direction = Literal["higher", "lower", "none"]
Trend = Literal["at", "snapshot", "none"]
OutcomeWord = Literal["pass", "fail", "no_evidence", "not_applicable", "waived", "error"]


class Metric(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One number about the items of a population.

    Attributes:
        question: what a reader learns from it.
        population: whose items; absent only where ``not_measured_because`` says why.
        each: a list of the row, such as ``approvals``: then each of its elements is an item of its own, called ``each``
            in expressions and paths, beside the fields of its row.
        where: CEL; the items the metric speaks of.
        requires: ``records`` that were collected at the item's instant and ``fields`` that are there, or the item is
            unknown; ``complete`` names further record types that must be whole, or the number carries a warning.
        measure: ``count`` of items; ``distinct`` values of the path ``of``; ``sum`` of ``of``; ``ratio`` of items for
            which ``of`` is true; ``quotient``: the sum of ``of`` over the sum of ``out_of``; ``quantiles`` p50, p95
            and maximum of ``of`` by nearest rank; ``outcome_ratio``: of the items that ``test`` gives one of the
            outcomes ``among``, those with one of ``counted``.
        by: dotted paths; each breaks the number down once, by the values found there.
        trend: ``at`` by calendar month of the item's instant; ``snapshot`` asks every item again as of each month's
            end, with ``period.end`` standing for it; ``none`` where neither would mean anything.
        direction: which way is better.
        limits: what the number does not say.
        not_measured_because: why it cannot be computed yet.
    """

    id: Annotated[str, Meta(pattern="^[A-Z][A-Z0-9]{1,9}-[0-9]{2,3}$")]
    title: str
    family: Family
    question: str
    population: str | None = None
    each: str | None = None
    where: str = "true"
    requires: Requires = Requires()
    measure: Measure | None = None
    of: str | None = None
    out_of: str | None = None
    test: str | None = None
    counted: tuple[OutcomeWord, ...] = ()
    among: tuple[OutcomeWord, ...] = ()
    parameters: dict[str, ParameterValue] = {}
    by: tuple[str, ...] = ()
    trend: Trend = "at"
    unit: Unit = "items"
    direction: Direction = "none"
    limits: str = ""
    not_measured_because: str | None = None


class Metrics(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag_field="kind", tag="Metrics"):
    """A file of metrics on one subject."""

    title: str
    metrics: tuple[Metric, ...]


EACH = "each"
"""What the element of a list is called that is an item of its own."""


@cache
def row_with_each(row: type[Row], name: str) -> type[msgspec.Struct]:
    """Return a row struct with one more field, ``each``: an element of the list ``name`` of the row.

    Raises:
        KeyError: the row has no such list of views.
    """
    known = fields(row)
    element, _, is_list = unwrap(known[name])
    if not is_list or not fields(element):
        raise KeyError(name)
    every: list[tuple[str, Any]] = [*known.items(), (EACH, element)]
    return msgspec.defstruct(f"{row.__name__}With{element.__name__}", every, frozen=True, kw_only=True)
