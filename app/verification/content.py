# SPDX-License-Identifier: Apache-2.0

"""Steps about content: the controls, the populations, and everything that is derived from them."""

import datetime as dt
import re
from collections.abc import Mapping
from pathlib import Path

import msgspec
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from app.controls.loader import load_bytes
from app.evaluation.definition import define
from app.evaluation.model import Evaluation
from app.packs import layout
from app.packs.model import ReportData
from app.packs.report import derive_content, facts_of
from app.records.times import format_instant
from app.trails.evidence import coverages, source_view
from app.trails.populations import DAILY, POPULATIONS, PeriodView, SourceRow
from app.trails.segments import PERIOD, period_bytes, read_rows, segment_files, segment_schema
from app.verification.case import MAX_ROWS, Case, need
from app.verification.outcome import NotDone, fail_if_any
from app.verification.rewritten import Rewritten

_DAY = 86_400_000
_SEGMENT = re.compile(r"([a-z_]+)/(\d{4}-\d{2}-\d{2}|period|empty|undated)\.parquet", re.ASCII)


def controls(case: Case) -> str:
    """Load the controls of the pack, which checks every expression, and compare digests with the report."""
    prefix = f"{layout.CONTROLS}/"
    loaded = load_bytes({name.removeprefix(prefix): case.read(name) for name in case.below(layout.CONTROLS)})
    evaluation = case.report().evaluation
    period = evaluation.period
    problems = [] if loaded.sha256 == evaluation.controls_sha256 else ["the report was made with other controls"]
    for result in evaluation.tests:
        test = loaded.tests.get(result.test_id)
        if test is None:
            problems.append(f"test {result.test_id} is not among the controls")
        elif define(test, loaded.slices_in(test.id, period.start, period.end)).sha256 != result.definition_sha256:
            problems.append(f"test {result.test_id} is not defined as it was when it was run")
    fail_if_any(problems)
    case.controls = loaded
    return f"{len(evaluation.tests)} tests, {len(loaded.files)} files"


def populations(case: Case) -> str:
    """Check the segments' names, digests, schema, rows and period against the report."""
    evaluation = case.report().evaluation
    folder = case.folders_of_pack().populations
    prefix = f"{layout.POPULATIONS}/"
    names = [name for name in case.below(layout.POPULATIONS) if name.endswith(".parquet")]
    found = {name.removeprefix(prefix): case.digests[name] for name in names}
    problems = [] if found == evaluation.segments else ["the segments are not those the report was made from"]
    problems += [f"{name} has a name that no segment has" for name in found if not _is_segment(name)]
    if case.read(f"{prefix}{PERIOD}") != period_bytes(_period(evaluation)):
        problems.append("the segments are of another period than the report")
    if set(evaluation.population_sizes) != set(POPULATIONS):
        problems.append("the report is about other populations than this version knows")
    fail_if_any(problems)
    for population in POPULATIONS:
        problems += _population_problems(folder, population, evaluation)
    problems += _source_problems(folder, case.report())
    fail_if_any(problems)
    return f"{sum(evaluation.population_sizes.values()):,} items in {len(found):,} segments"


def _period(evaluation: Evaluation) -> PeriodView:
    return PeriodView(start=evaluation.period.start, end=evaluation.period.end, as_of=evaluation.as_of)


def report(case: Case) -> str:
    """Derive the report, its findings, samples and guides again, and compare every byte."""
    derived = case.work / "derived"
    derived.mkdir()
    stated = case.report()
    folders = need(case.reperformed, 15)
    facts, loaded = facts_of(stated), need(case.controls, 13)
    listed = Rewritten(case)
    derive_content(facts, stated.evaluation, loaded, folders, derived, case.measured(), case.kept, listed.open)
    case.derived, case.listings = derived, listed.same
    names = [layout.REPORT_JSON, layout.GAPS_JSON, layout.METRICS_JSON, layout.README, layout.VERIFY]
    compared = [*names, *_tree(derived, layout.SAMPLES)]
    extra = set(case.below(layout.SAMPLES)) - set(compared)
    problems = _agreement_problems(stated, need(case.predicate, 2))
    problems += _differences(case, derived, compared)
    problems += [f"{name} should not be there" for name in sorted(extra)]
    fail_if_any(problems)
    drawn = sum(sample.size for sample in stated.samples)
    return f"{len(stated.gaps)} findings, {drawn} items in {len(stated.samples)} samples"


def listings(case: Case) -> str:
    """Write the CSV files again and compare every byte; and no file may be there that has no place in a pack."""
    derived, listed = need(case.derived, 17), need(case.listings, 17)
    compared = [*_tree(derived, layout.DEVIATIONS), *listed]
    problems = _differences(case, derived, compared, listed)
    expected = {*compared, *_tree(derived, ""), *layout.OUTSIDE_CONTENT, *_LEDGER}
    expected |= {f"{layout.POPULATIONS}/{name}" for name in [*case.report().evaluation.segments, PERIOD]}
    expected |= {f"{layout.RESULTS}/{population}.parquet" for population in POPULATIONS}
    expected |= {layout.checkpoint_token(place) for place in range(_granted(case.report()))}
    expected |= {f"{layout.CONTROLS}/{name}" for name in need(case.controls, 13).files}
    problems += [f"{name} has no place in a pack" for name in case.names() if name not in expected]
    fail_if_any(problems)
    return f"{len(compared)} files"


_LEDGER = frozenset({layout.CHECKPOINT, layout.ENTRIES, layout.RUNS, layout.SUBSET_PROOF, layout.CONSISTENCY})


def _granted(stated: ReportData) -> int:
    return sum(record.state == "granted" for record in stated.times)


def _agreement_problems(stated: ReportData, predicate: layout.Predicate) -> list[str]:
    evaluation, signer = stated.evaluation, predicate.signer
    checks = (
        (evaluation.framework == predicate.framework, "framework"),
        (format_instant(evaluation.period.start) == predicate.period_start, "start of the period"),
        (format_instant(evaluation.period.end) == predicate.period_end, "end of the period"),
        (format_instant(evaluation.as_of) == predicate.as_of, "instant of the judgment"),
        (stated.software == predicate.software, "software"),
        (msgspec.structs.asdict(stated.signer) == msgspec.structs.asdict(signer), "signer"),
        (stated.times == predicate.times, "answers of time-stamp authorities"),
    )
    return [f"the report and the statement name another {what}" for holds, what in checks if not holds]


def _population_problems(folder: Path, population: str, evaluation: Evaluation) -> list[str]:
    schema = segment_schema(population)
    ids = [pa.array([], pa.string())]
    rows = 0
    for path in segment_files(folder, population):
        place = f"{population}/{path.name}"
        with pq.ParquetFile(path) as file:
            rows += file.metadata.num_rows
            if not file.schema_arrow.equals(schema):
                return [f"{place} has another schema than the population"]
            if rows > MAX_ROWS:
                raise NotDone(f"{population} claims more than {MAX_ROWS:,} rows")
            table = file.read(columns=["item_id", "at"]).combine_chunks()
        if problem := _segment_problem(table, path, population):
            return [f"{place} {problem}"]
        ids += table.column("item_id").chunks
    if pc.count_distinct(pa.chunked_array(ids), mode="all").as_py() != rows:
        return [f"population {population} has items twice"]
    if rows != evaluation.population_sizes[population]:
        return [f"population {population} has {rows:,} items, the report says another number"]
    return []


def _source_problems(folder: Path, stated: ReportData) -> list[str]:
    """Sum the completeness boxes again; what a source declares to yield is in its connector, not in the boxes."""
    period = stated.evaluation.period
    boxes = {source.source: source for source in coverages(stated.collections, {})}
    rows = {row.source: row.collected for row in read_rows(folder, "source") if isinstance(row, SourceRow)}
    problems = [f"source {name} has no completeness box, or is missing" for name in sorted(set(boxes) ^ set(rows))]
    for name in sorted(set(boxes) & set(rows)):
        view = source_view(boxes[name], period)
        if not set(view.record_types) <= set(rows[name].record_types):
            problems.append(f"source {name} yielded records of a kind that its item leaves out")
        elif msgspec.structs.replace(view, record_types=rows[name].record_types) != rows[name]:
            problems.append(f"the figures of source {name} are not the sums of its completeness boxes")
    return problems


def _segment_problem(table: pa.Table, path: Path, population: str) -> str | None:
    names = table.column("item_id")
    rising = pc.less(names.slice(0, max(len(names) - 1, 0)), names.slice(1))
    if names.null_count or pc.all(rising, min_count=0).as_py() is not True:
        return "has items twice or out of order"
    if population in DAILY and path.stem not in {"empty", "undated"}:
        day = int(dt.datetime.fromisoformat(f"{path.stem}T00:00:00+00:00").timestamp() * 1000)
        within = pc.and_(pc.greater_equal(table.column("at"), day), pc.less(table.column("at"), day + _DAY))
        if pc.all(within, min_count=0).as_py() is False:
            return "has items of another day"
    return None


def _is_segment(name: str) -> bool:
    match = _SEGMENT.fullmatch(name)
    return match is not None and match.group(1) in POPULATIONS


def _tree(folder: Path, below: str) -> list[str]:
    paths = sorted((folder / below).rglob("*"))
    return [path.relative_to(folder).as_posix() for path in paths if path.is_file()]


def _differences(case: Case, derived: Path, names: list[str], known: Mapping[str, bool] | None = None) -> list[str]:
    known = known or {}
    problems = []
    for name in names:
        if name not in case.digests:
            problems.append(f"{name} is missing")
            continue
        case.fit(name)
        if not (known[name] if name in known else _is_same(case, derived, name)):
            problems.append(f"{name} is not what follows from the populations, the controls and the ledger")
    return problems


def _is_same(case: Case, derived: Path, name: str) -> bool:
    with (derived / name).open("rb") as ours:
        return all(ours.read(len(chunk)) == chunk for chunk in case.chunks(name)) and not ours.read(1)
