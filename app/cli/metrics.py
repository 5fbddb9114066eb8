# SPDX-License-Identifier: Apache-2.0

"""``proofroom metrics``: how much privileged access there is, what was done with it, how it is governed."""

from typing import Annotated

import msgspec
import typer
from rich.table import Table
from rich.text import Text

from app.cli.options import (
    DirOption,
    FrameworkOption,
    FromOption,
    JsonOption,
    ToOption,
    columns,
    out,
    period,
    progress_bar,
    services,
)
from app.errors import NotFound
from app.evaluation.metric_model import MetricResult, MetricState
from app.evaluation.model import Period
from app.evaluation.months import previous_period
from app.rendering.figures import by_month, detail, headline, short_figure
from app.rendering.texts import as_json
from app.rendering.words import METRIC_FAMILY

_SPACES = {"\u202f": " ", "\u00a0": " "}
"""How a terminal is shown the spaces of a printed number."""


class Measured(msgspec.Struct, frozen=True, kw_only=True):
    """The metrics of a period, and those of the period before where they were asked for."""

    framework: str
    period: Period
    metrics: tuple[MetricResult, ...]
    previous_period: Period | None
    previous: tuple[MetricResult, ...]


def register(app: typer.Typer) -> None:
    """Add the commands of this module."""
    app.command()(metrics)


def metrics(
    framework: FrameworkOption,
    first: FromOption,
    last: ToOption,
    *,
    names: Annotated[
        list[str] | None,
        typer.Option("--metric", help="Show this metric only, with its breakdowns; may be repeated."),
    ] = None,
    compare: Annotated[bool, typer.Option("--compare", help="Also show the period of the same length before.")] = False,
    directory: DirOption = None,
    as_json_: JsonOption = False,
) -> None:
    """Show the metrics of a period: each number, what it is made of, its months, and what is missing.

    The framework decides which tests were run; a metric that counts the outcomes of another test says so.
    """
    proofroom, asked = services(directory), period(first, last)
    before = previous_period(asked) if compare else None
    with progress_bar("Measuring") as update:
        evaluated = proofroom.evaluator.evaluate(framework, asked, progress=update)
        earlier = proofroom.evaluator.evaluate(framework, before, progress=update).metrics if before else ()
    measured = Measured(
        framework=evaluated.catalog.id,
        period=asked,
        metrics=_chosen(evaluated.metrics, names or []),
        previous_period=before,
        previous=_chosen(earlier, names or []) if before else (),
    )
    if as_json_:
        out.print(as_json(measured), markup=False)
    else:
        _show(measured, with_breakdowns=bool(names))


def _chosen(found: tuple[MetricResult, ...], names: list[str]) -> tuple[MetricResult, ...]:
    known = {metric.metric_id for metric in found}
    for name in names:
        if name not in known:
            raise NotFound(
                f"there is no metric '{name[:20]}'", where="--metric", hint="Leave it out to see all of them"
            )
    return tuple(metric for metric in found if not names or metric.metric_id in names)


def _show(measured: Measured, *, with_breakdowns: bool) -> None:
    earlier = {metric.metric_id: metric for metric in measured.previous}
    if measured.previous_period is not None:
        out.print(f"before: {' to '.join(measured.previous_period.days)}", markup=False)
    for family, word in METRIC_FAMILY.items():
        mine = [metric for metric in measured.metrics if metric.family == family]
        if mine:
            out.print(f"\n{word.label}", markup=False)
            out.print(_table(mine, earlier))
    notes = [(metric, reason) for metric in measured.metrics for reason in (*metric.reasons, *metric.warnings)]
    notes = [(metric, reason) for metric, reason in notes if metric.state != MetricState.NO_OCCURRENCES]
    if notes:
        out.print("\nWhat is missing:")
    for metric, reason in notes:
        out.print(f"  {metric.metric_id}: {reason}", markup=False)
    for metric in measured.metrics if with_breakdowns else ():
        _show_breakdowns(metric)


def _table(found: list[MetricResult], earlier: dict[str, MetricResult]) -> Table:
    table = columns("metric", "title", "number", *(["before"] if earlier else []), "made of", "by month")
    for metric in found:
        plain = msgspec.to_builtins(metric)
        before = earlier.get(metric.metric_id)
        marked = f"{headline(plain)}{' (?)' if metric.warnings else ''}"
        shown = [metric.metric_id, metric.title, marked]
        shown += [headline(msgspec.to_builtins(before))] if before else []
        table.add_row(*map(_text, [*shown, detail(plain), by_month(plain)]))
    return table


def _show_breakdowns(metric: MetricResult) -> None:
    plain = msgspec.to_builtins(metric)
    for breakdown in metric.breakdowns:
        out.print(f"\n{metric.metric_id} by {breakdown.path}", markup=False)
        table = columns("value", "number", "items")
        for group in breakdown.groups:
            value = "(not told)" if group.value is None else group.value
            figure = short_figure(plain, msgspec.to_builtins(group.figures))
            table.add_row(_text(value), _text(figure), _text(f"{group.figures.items:,}"))
        out.print(table)
        if breakdown.left_out:
            out.print(f"… and {breakdown.left_out:,} more values")


def _text(cell: str) -> Text:
    """Return text that is no markup, and in which a terminal finds nothing to obey."""
    return Text("".join(char if char.isprintable() else _SPACES.get(char, "?") for char in cell))
