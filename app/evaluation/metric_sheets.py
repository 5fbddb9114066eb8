# SPDX-License-Identifier: Apache-2.0

"""Compute the figures of many metrics, reading each population as seldom as memory allows.

In:  definitions, an evaluation, its frozen populations and its result vectors. Out: the figures of each metric.
Metrics of one kind of item share a scan: it writes a narrow table, and what adds up is read from that. Where the table
would be large, a scan takes some of the files, instants or metrics at a time, and the parts are added.
"""

from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from pathlib import Path
from typing import TypeVar

import duckdb
import msgspec

from app.evaluation.engine import checked_files, open_engine
from app.evaluation.metric_definition import MetricDefinition
from app.evaluation.metric_model import Figures
from app.evaluation.metric_scan import Instant, scan_sql, with_each, with_instants
from app.evaluation.metric_sql import MONTH, metric_sql
from app.evaluation.model import Evaluation
from app.evaluation.months import months_of
from app.evaluation.questions import rows_sql
from app.trails.populations import POPULATIONS
from app.trails.segments import read_period

MOST_ANSWERS = 4_000_000
"""Items times metrics of one scan; each takes about 20 bytes."""
Cell = tuple[str, int | str | None]
"""What figures are of: ``("all", None)``, ``("month", index)`` or ``("group0", value)``."""
Sheet = dict[Cell, Figures]
_Part = TypeVar("_Part")
_TABLE = "answers"
_ADDS_UP = frozenset({"count", "sum", "ratio", "quotient", "outcome_ratio"})


class _Scan(msgspec.Struct, frozen=True):
    """What is read at once: some metrics, some files, and for snapshots some instants."""

    definitions: Sequence[MetricDefinition]
    files: Sequence[Path]
    instants: Sequence[Instant]


def measured(
    definitions: Sequence[MetricDefinition],
    evaluation: Evaluation,
    segments: Path,
    results: Path,
    most: int = MOST_ANSWERS,
) -> dict[str, Sheet]:
    """Return the figures of metrics, by id.

    Args:
        definitions: the metrics.
        evaluation: whose period and sizes of populations count.
        segments: folder of the frozen populations.
        results: folder of the result vectors.
        most: items times metrics that are kept at once; the figures do not depend on it.

    Raises:
        NotFound: a population was not frozen.
        InvalidInput: a segment cannot be used.
        CelError: an expression is too complex.
    """
    sheets: dict[str, Sheet] = {definition.metric.id: {} for definition in definitions}
    with open_engine([segments, results]) as engine:
        for group in _groups(definitions):
            files = checked_files(segments, group[0].population)
            size = evaluation.population_sizes.get(group[0].population, 0)
            for scan in _scans(group, files, _instants(group[0], evaluation, segments), size, most):
                _run(engine, scan, evaluation, segments, results, sheets)
    return sheets


def _groups(definitions: Sequence[MetricDefinition]) -> Iterator[list[MetricDefinition]]:
    """Yield metrics of one kind of item: rows, or elements of one list; asked once, or as of each month's end."""

    def kind(definition: MetricDefinition) -> tuple[int, str, bool]:
        population = list(POPULATIONS).index(definition.population)
        return population, definition.metric.each or "", definition.metric.trend == "snapshot"

    for _, group in groupby(sorted(definitions, key=kind), kind):
        yield list(group)


def _instants(definition: MetricDefinition, evaluation: Evaluation, segments: Path) -> list[Instant]:
    if definition.metric.trend != "snapshot":
        return []
    months = months_of(evaluation.period, evaluation.as_of)
    return [(None, read_period(segments).end), *((number, month.end) for number, month in enumerate(months))]


def _scans(
    group: Sequence[MetricDefinition], files: Sequence[Path], instants: Sequence[Instant], size: int, most: int
) -> Iterator[_Scan]:
    """Say what to read at once, so that no more answers are kept than may be; what does not add up reads all files."""
    if size * len(group) * max(1, len(instants)) <= most:
        yield _Scan(group, files, instants)
    elif instants:
        for definition in group:
            yield from (_Scan([definition], files, few) for few in _parts(instants, size * len(instants), most))
    else:
        sums = [definition for definition in group if definition.measure in _ADDS_UP]
        yield from (_Scan(sums, few, ()) for few in _parts(files, size * len(sums), most))
        yield from (_Scan([definition], files, ()) for definition in group if definition not in sums)


def _parts(whole: Sequence[_Part], answers: int, most: int) -> list[Sequence[_Part]]:
    count = min(len(whole), -(-answers // most))
    return [whole[first::count] for first in range(count)]


def _run(
    engine: duckdb.DuckDBPyConnection,
    scan: _Scan,
    evaluation: Evaluation,
    segments: Path,
    results: Path,
    sheets: dict[str, Sheet],
) -> None:
    first = scan.definitions[0]
    source = rows_sql(scan.files, read_period(segments))
    if first.metric.each is not None:
        source = with_each(source, first.metric.each)
    if scan.instants:
        source = with_instants(source, scan.instants)
    months = None if scan.instants else months_of(evaluation.period, evaluation.as_of)
    vector = (results / f"{first.population}.parquet").resolve()
    sql, asked = scan_sql(scan.definitions, source, months, vector)
    engine.execute(f"CREATE OR REPLACE TEMP TABLE {_TABLE} AS {sql}")
    for definition, columns in zip(scan.definitions, asked, strict=True):
        sheet = sheets[definition.metric.id]
        for cell, figures in _lines(engine.execute(metric_sql(definition, columns, _TABLE)).fetchall()):
            sheet[cell] = _sum(sheet[cell], figures) if cell in sheet else figures


def _sum(one: Figures, other: Figures) -> Figures:
    """Add figures of different items; quantiles of one cell are never in two parts."""
    added = {}
    for name in Figures.__struct_fields__:
        mine, theirs = getattr(one, name), getattr(other, name)
        added[name] = theirs if mine is None else mine if theirs is None else mine + theirs
    return Figures(**added)


def _lines(rows: Iterable[tuple[object, ...]]) -> Iterable[tuple[Cell, Figures]]:
    for part, month, value, *numbers in rows:
        yield (
            (str(part), month if part == MONTH else value),
            Figures(  # type: ignore[misc]  # As the query says.
                **dict(zip(Figures.__struct_fields__, numbers, strict=True))  # type: ignore[arg-type]
            ),
        )
