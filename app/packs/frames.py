# SPDX-License-Identifier: Apache-2.0

"""Write what samples are drawn from, and draw them: one frame a population, one sample a test.

In:  frozen populations, result vectors, the evaluation, the sampling plan.
Out: ``samples/frames/<population>.jsonl`` and the draws. A frame has one line an item, in order of id:

    ["item id", "2026-07", "risky", "1201"]

that is its id, its stratum in time and in risk, and one digit a test, the code of its outcome, in the order of the
tests' ids. Whoever has no reader for Parquet draws from this file; ``verify`` writes it again and compares.
"""

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import duckdb
import msgspec

from app.cel.check import check
from app.cel.sql import to_sql
from app.cel.sqltext import quote_name
from app.controls.sampling import SamplingPlan, Time
from app.evaluation.engine import checked_files, open_engine
from app.evaluation.model import ControlTestResult, Evaluation, ItemOutcome
from app.evaluation.questions import rows_sql, segments_sql
from app.packs.model import SampleDraw
from app.packs.sampling import RISKY, USUAL, Drawing, Place, make_seed, population_sha256
from app.trails.populations import POPULATIONS
from app.trails.segments import read_period

NOT_SAMPLED = frozenset({"source"})
"""Sources are few, and all of them stand in the report."""
_BATCH = 10_000
_OUTSIDE = str(int(ItemOutcome.NOT_APPLICABLE))
Line = tuple[str, str, str, str]


def draw_samples(
    evaluation: Evaluation, plan: SamplingPlan, engagement: str, folders: tuple[Path, Path], output: Path
) -> tuple[SampleDraw, ...]:
    """Write the frame of every population that has tests with occurrences, and draw a sample for each such test.

    Args:
        evaluation: what was concluded.
        plan: sizes and strata.
        engagement: the auditor's name for the work; part of the seed.
        folders: the populations and the result vectors.
        output: an existing folder for the frames.

    Raises:
        InvalidInput: a segment cannot be used.
        CelError: an expression of the plan is too complex.
    """
    draws: list[SampleDraw] = []
    with open_engine(folders) as engine:
        for population in sorted(set(POPULATIONS) - NOT_SAMPLED):
            tests = sorted(
                (test for test in evaluation.tests if test.population == population), key=lambda test: test.test_id
            )
            drawings = _drawings(evaluation, plan, engagement, tests)
            if drawings:
                lines = _lines(engine, plan, tests, folders)
                draws += _drawn(drawings, lines, plan, output / f"{population}.jsonl")
    return tuple(sorted(draws, key=lambda draw: draw.test_id))


def _drawings(
    evaluation: Evaluation, plan: SamplingPlan, engagement: str, tests: Sequence[ControlTestResult]
) -> list[tuple[SampleDraw, Drawing]]:
    """Return what will be drawn for each test of a population that has occurrences."""
    population = tests[0].population if tests else ""
    segments = {name: sha for name, sha in evaluation.segments.items() if name.startswith(f"{population}/")}
    digest, period = population_sha256(segments), (evaluation.period.start, evaluation.period.end)
    drawings: list[tuple[SampleDraw, Drawing]] = []
    for place, test in enumerate(tests):
        column, size = plan.size_for(_occurrences(test), test.severity)
        seed = make_seed(engagement, evaluation.framework, period, test.test_id, population, digest)
        told = SampleDraw(
            test_id=test.test_id,
            population=population,
            place=place,
            seed=seed,
            table=plan.table,
            column=column,
            frame=_occurrences(test),
            size=size,
            strata=(),
            items=(),
        )
        if size:
            drawings.append((told, Drawing(seed, size)))
    return drawings


def _drawn(
    drawings: Sequence[tuple[SampleDraw, Drawing]], batches: Iterable[Sequence[Line]], plan: SamplingPlan, path: Path
) -> Iterator[SampleDraw]:
    """Write the frame and draw while its lines go by."""
    encoder = msgspec.json.Encoder()
    with path.open("wb") as file:
        for batch in batches:
            file.write(encoder.encode_lines(batch))
            places: dict[Place, list[tuple[bytes, str]]] = {}
            for item, time, risk, codes in batch:
                places.setdefault((time, risk), []).append((item.encode(), codes))
            for place, members in places.items():
                for told, drawing in drawings:
                    drawing.offer(place, [item for item, codes in members if codes[told.place] != _OUTSIDE])
    for told, drawing in drawings:
        strata, items = drawing.drawn(plan.minimum)
        yield msgspec.structs.replace(told, strata=strata, items=items)


def _lines(
    engine: duckdb.DuckDBPyConnection,
    plan: SamplingPlan,
    tests: Sequence[ControlTestResult],
    folders: tuple[Path, Path],
) -> Iterator[Sequence[Line]]:
    """Yield the frame's lines, in order of item id, some at a time."""
    (segments, results), population = folders, tests[0].population
    expression = plan.risky.get(population, "false")
    checked = check(expression, row=POPULATIONS[population], parameters={}, required=())
    codes = " || ".join(f"r.{quote_name(test.test_id)}::VARCHAR" for test in tests)
    vector = segments_sql([(results / f"{population}.parquet").resolve()])
    rows = rows_sql(checked_files(segments, population), read_period(segments))
    asked = f'SELECT item_id AS id, "at", coalesce({to_sql(checked)}, true) AS risky FROM {rows}'  # noqa: S608 - Quoted.
    sql = (
        f"SELECT s.id, {_time_sql(plan.time)}, CASE WHEN s.risky THEN '{RISKY}' ELSE '{USUAL}' END, {codes} "  # noqa: S608
        f"FROM ({asked}) AS s JOIN {vector} AS r ON r.item_id = s.id ORDER BY s.id"
    )
    cursor = engine.execute(sql)
    while batch := cursor.fetchmany(_BATCH):
        yield batch


def _time_sql(time: Time) -> str:
    moment = 'epoch_ms(s."at")'
    match time:
        case "month":
            text = f"strftime({moment}, '%Y-%m')"
        case "quarter":
            text = f"strftime({moment}, '%Y') || '-Q' || quarter({moment})::VARCHAR"
    return f"CASE WHEN s.\"at\" IS NULL THEN 'undated' ELSE {text} END"


def _occurrences(test: ControlTestResult) -> int:
    return sum(test.counts.values()) - test.counts[ItemOutcome.NOT_APPLICABLE.word]
