# SPDX-License-Identifier: Apache-2.0

"""Write what samples are drawn from, and draw them: one frame a population, one sample a test.

In:  frozen populations, result vectors, the evaluation, the sampling plan.
Out: ``samples/frames/<population>.jsonl`` and the draws. A frame has one line an item, in order of id:

    ["item id", "2026-07", "risky", "1201"]

that is its id, its stratum in time and in risk, and one digit a test, the code of its outcome, in the order of the
tests' ids. Whoever has no reader for Parquet draws from this file; ``verify`` writes it again and compares. The SQL
engine makes the lines and ranks the items, for there may be millions.
"""

# ruff: noqa: S608 - Names are quoted; a seed is hex and a place a number.

import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

import duckdb
import msgspec

from app.cel.check import check
from app.cel.sql import to_sql
from app.cel.sqltext import quote_name
from app.controls.sampling import SamplingPlan, Time
from app.evaluation.engine import MEMORY_LIMIT, checked_files, open_engine
from app.evaluation.model import ControlTestResult, Evaluation, ItemOutcome
from app.evaluation.questions import rows_sql, segments_sql
from app.packs.model import SampleDraw
from app.packs.sampling import RISKY, USUAL, draw, make_seed, population_sha256
from app.trails.populations import POPULATIONS
from app.trails.segments import read_period

NOT_SAMPLED = frozenset({"source"})
"""Sources are few, and all of them stand in the report."""
_BATCH = 10_000
_OUTSIDE = str(int(ItemOutcome.NOT_APPLICABLE))
_FRAME = "frame"


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
    with (
        tempfile.TemporaryDirectory(prefix="proofroom-") as scratch,
        open_engine(folders, MEMORY_LIMIT, Path(scratch)) as engine,
    ):
        for population in sorted(set(POPULATIONS) - NOT_SAMPLED):
            tests = sorted(
                (test for test in evaluation.tests if test.population == population), key=lambda test: test.test_id
            )
            drawings = _drawings(evaluation, plan, engagement, tests)
            if drawings:
                _make_frame(engine, plan, tests, folders)
                _write_frame(engine, output / f"{population}.jsonl")
                draws += _drawn(engine, drawings, plan.minimum)
    return tuple(sorted(draws, key=lambda draw: draw.test_id))


def _drawings(
    evaluation: Evaluation, plan: SamplingPlan, engagement: str, tests: Sequence[ControlTestResult]
) -> list[SampleDraw]:
    """Return what will be drawn for each test of a population that has occurrences; the items are not known yet."""
    population = tests[0].population if tests else ""
    segments = {name: sha for name, sha in evaluation.segments.items() if name.startswith(f"{population}/")}
    digest, period = population_sha256(segments), (evaluation.period.start, evaluation.period.end)
    drawings: list[SampleDraw] = []
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
            drawings.append(told)
    return drawings


def _make_frame(
    engine: duckdb.DuckDBPyConnection,
    plan: SamplingPlan,
    tests: Sequence[ControlTestResult],
    folders: tuple[Path, Path],
) -> None:
    """Make a table of the frame's lines."""
    (segments, results), population = folders, tests[0].population
    expression = plan.risky.get(population, "false")
    checked = check(expression, row=POPULATIONS[population], parameters={}, required=())
    codes = " || ".join(f"r.{quote_name(test.test_id)}::VARCHAR" for test in tests)
    vector = segments_sql([(results / f"{population}.parquet").resolve()])
    rows = rows_sql(checked_files(segments, population), read_period(segments))
    asked = f'SELECT item_id AS id, "at", coalesce({to_sql(checked)}, true) AS risky FROM {rows}'
    engine.execute(
        f"CREATE OR REPLACE TEMP TABLE {_FRAME} AS SELECT s.id AS id, {_time_sql(plan.time)} AS time,"
        f" CASE WHEN s.risky THEN '{RISKY}' ELSE '{USUAL}' END AS risk, {codes} AS codes"
        f" FROM ({asked}) AS s JOIN {vector} AS r ON r.item_id = s.id"
    )


def _write_frame(engine: duckdb.DuckDBPyConnection, path: Path) -> None:
    encoder = msgspec.json.Encoder()
    with path.open("wb") as file:
        lines = engine.sql(f"SELECT id, time, risk, codes FROM {_FRAME} ORDER BY id")
        for batch in lines.to_arrow_reader(_BATCH):
            columns = (column.to_pylist() for column in batch.columns)
            file.write(encoder.encode_lines(list(zip(*columns, strict=True))))


def _drawn(engine: duckdb.DuckDBPyConnection, drawings: Sequence[SampleDraw], minimum: int) -> Iterator[SampleDraw]:
    """Rank the items for each test that they occur to, and draw."""
    asked = ", ".join(_ranked_sql(told) for told in drawings)
    found = engine.execute(f"SELECT time, risk, {asked} FROM {_FRAME} GROUP BY time, risk").fetchall()
    for number, told in enumerate(drawings):
        ranked = {(time, risk): (each[2 * number], each[2 * number + 1] or ()) for time, risk, *each in found}
        strata, items = draw(ranked, told.size, minimum)
        yield msgspec.structs.replace(told, strata=strata, items=items)


def _ranked_sql(told: SampleDraw) -> str:
    """Return SQL of how many items a stratum has, and which of them ``sampling.rank`` puts first."""
    occurs = f"FILTER (codes[{told.place + 1}] <> '{_OUTSIDE}')"
    return f"count(*) {occurs}, arg_min(id, sha256('{told.seed}' || chr(10) || id), {told.size}) {occurs}"


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
