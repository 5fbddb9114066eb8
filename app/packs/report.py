# SPDX-License-Identifier: Apache-2.0

"""Derive everything a pack says from what it rests on; the verifier calls the same functions and compares.

In:  frozen populations, result vectors, the controls, the evaluation, and the facts that come from elsewhere.
Out: the report, and the files derived with it: gaps, metrics, deviations, samples, listings, guides.
Nothing here knows a clock, a key or a database, so equal inputs give equal bytes.
"""

from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractContextManager
from importlib.metadata import version
from pathlib import Path

import msgspec
import pyarrow.parquet as pq

from app import __version__
from app.collection.model import CollectionRun
from app.controls.loader import Controls
from app.controls.model import ControlTest
from app.evaluation.metric_model import MetricResult
from app.evaluation.metrics import measure
from app.evaluation.model import DeviationTable, Evaluation
from app.gaps.items import gaps_of
from app.packs import guide, layout
from app.packs.deviations import Deviations, deviates
from app.packs.frames import draw_samples
from app.packs.listings import Listing, Sink
from app.packs.model import ChosenItem, ReportData, SampleDraw, SignerInfo, TestNarrative, Withholding
from app.packs.rows import BATCH, KeptRows, Selection
from app.packs.samples import Samples, choose
from app.packs.times import TimeRecord
from app.packs.withholding.reads import without_withheld
from app.packs.withholding.words import limits_of_withholding
from app.signing.canonical import canonical_json
from app.trails.populations import POPULATIONS, Row
from app.trails.segments import read_period, rows_of, segment_files

OpenListing = Callable[[str], AbstractContextManager[Sink]]
_SOFTWARE = ("cel-expr-python", "duckdb", "pyarrow", "pyhanko", "weasyprint")


class Facts(msgspec.Struct, frozen=True, kw_only=True):
    """What a report says that does not follow from populations and controls.

    Attributes:
        collections: the completeness boxes. checkpoint: the ledger's signed note.
        previous_size: tree size of the previous pack of this framework; None without one.
        software: name to version of what made the pack. times: what time-stamp authorities answered.
        engagement: the auditor's name for the work. also: ids of items that somebody chose to look at.
        withheld: what the populations do not show; None if nothing was withheld.
    """

    organisation: str
    collections: tuple[CollectionRun, ...]
    signer: SignerInfo
    checkpoint: str
    previous_size: int | None
    software: dict[str, str]
    times: tuple[TimeRecord, ...] = ()
    engagement: str = ""
    also: tuple[str, ...] = ()
    withheld: Withholding | None = None


class Folders(msgspec.Struct, frozen=True, kw_only=True):
    """Where the frozen populations and the result vectors are."""

    populations: Path
    results: Path


class _Evaluated(msgspec.Struct, frozen=True, kw_only=True):
    evaluation: Evaluation
    controls: Controls
    segments: Path
    results: Path


def software_versions() -> dict[str, str]:
    """Return the versions of what judges, renders and signs here."""
    return {"proofroom": __version__} | {name: version(name) for name in _SOFTWARE}


def facts_of(report: ReportData) -> Facts:
    """Return the facts a report states, to derive it again from them."""
    return Facts(
        organisation=report.organisation,
        collections=report.collections,
        signer=report.signer,
        checkpoint=report.checkpoint,
        previous_size=report.previous_size,
        software=report.software,
        times=report.times,
        engagement=report.engagement,
        also=tuple(sorted({item.item_id for item in report.judgemental})),
        withheld=report.withheld,
    )


def derive_content(
    facts: Facts,
    evaluation: Evaluation,
    controls: Controls,
    folders: Folders,
    output: Path,
    measured: tuple[MetricResult, ...] | None = None,
    kept: KeptRows | None = None,
    open_listing: OpenListing | None = None,
) -> ReportData:
    """Write every derived file of a pack below ``output`` and return the report.

    Args:
        facts: what does not follow from the rest.
        evaluation: what was concluded.
        controls: what was loaded.
        folders: the frozen populations and the result vectors.
        output: an existing folder.
        measured: what ``measure`` gives for exactly these, if somebody has asked already.
        kept: rows of these populations that were picked out before.
        open_listing: opens what the listing of that name is written to, instead of a file below ``output``.
    """
    for folder in (layout.DEVIATIONS, layout.FRAMES, layout.POPULATIONS):
        (output / folder).mkdir(parents=True, exist_ok=True)
    draws = draw_samples(
        evaluation,
        controls.sampling,
        facts.engagement,
        (folders.populations, folders.results),
        output / layout.FRAMES,
    )
    chosen = choose(facts.also, folders.populations)
    opened = open_listing or (lambda name: (output / name).open("wb"))
    tables = _write_rows(evaluation, controls, (draws, chosen), folders, output, kept or KeptRows(), opened)
    evaluated = _Evaluated(
        evaluation=evaluation, controls=controls, segments=folders.populations, results=folders.results
    )
    report = ReportData(
        organisation=facts.organisation,
        evaluation=evaluation,
        narratives=tuple(narrative(controls.tests[result.test_id]) for result in evaluation.tests),
        deviations=tuple(tables[result.test_id] for result in evaluation.tests if result.test_id in tables),
        gaps=gaps_of(evaluated),
        metrics=_metrics(facts, controls, evaluation, folders, measured),
        collections=facts.collections,
        samples=draws,
        judgemental=chosen,
        engagement=facts.engagement,
        signer=facts.signer,
        checkpoint=facts.checkpoint,
        previous_size=facts.previous_size,
        software=facts.software,
        limits=limits_of(facts),
        times=facts.times,
        withheld=facts.withheld,
    )
    (output / layout.REPORT_JSON).write_bytes(canonical_json(msgspec.to_builtins(report)))
    (output / layout.GAPS_JSON).write_bytes(canonical_json(msgspec.to_builtins(report.gaps)))
    (output / layout.METRICS_JSON).write_bytes(canonical_json(msgspec.to_builtins(report.metrics)))
    (output / layout.README).write_bytes(guide.readme(report))
    (output / layout.VERIFY).write_bytes(guide.verify_guide(report))
    return report


def _metrics(
    facts: Facts,
    controls: Controls,
    evaluation: Evaluation,
    folders: Folders,
    measured: tuple[MetricResult, ...] | None,
) -> tuple[MetricResult, ...]:
    found = measure(controls, evaluation, folders.populations, folders.results) if measured is None else measured
    return without_withheld(found, controls, facts.withheld.fields) if facts.withheld else found


def narrative(test: ControlTest) -> TestNarrative:
    """Return the words of a test that a report prints."""
    wanted = {"records": test.requires.records, "fields": test.requires.fields, "complete": test.requires.complete}
    return TestNarrative(
        test_id=test.id,
        intent=test.intent,
        passes=test.meaning.passes,
        fails=test.meaning.fails,
        no_evidence=test.meaning.no_evidence,
        not_applicable=test.meaning.not_applicable,
        assertion=test.assertion,
        applies_when=test.applies_when,
        requires="; ".join(f"{kind}: {', '.join(names)}" for kind, names in wanted.items() if names),
        remediation=test.remediation,
        no_evidence_when=test.no_evidence_when,
    )


def limits_of(facts: Facts) -> tuple[str, ...]:
    """Say, in sentences, what nobody verified."""
    limits = [
        "The pack holds digests of the source records, not the records themselves.",
        "That an item says what its source records say can be checked only where the ledger is: 'proofroom rebuild'.",
        "That no item was left out of a population can be checked only there too; the pack proves the items it has.",
        "Whether a source told the truth, and whether there are sources that were never connected, was not verified.",
        "The times in the records are those of the sources' own clocks.",
        *_limits_of_time(facts),
        "Whether the signer's certificate was revoked was not checked.",
    ]
    if facts.withheld is not None:
        limits += limits_of_withholding(facts.withheld)
    if facts.signer.is_development:
        limits.append(
            "The signer is a development identity that Proofroom made for itself; nobody vouches for it. Compare its "
            "fingerprint with the one the organisation gives you by another way."
        )
    if facts.previous_size is None:
        limits.append("There is no earlier pack of this framework whose ledger this one could be compared with.")
    observed = sorted({run.source for run in facts.collections if run.covered_basis == "observed"})
    if observed:
        limits.append(
            "What time these sources cover was taken from their records and not stated by anybody, so records missing "
            f"at either end would not be noticed: {', '.join(observed)}."
        )
    return tuple(limits)


def _limits_of_time(facts: Facts) -> list[str]:
    if not any(record.state == "granted" for record in facts.times):
        limits = ["The time of signing is the signer's own claim; no time stamp authority confirmed it."]
    else:
        limits = ["The time of signing is confirmed by time-stamp authorities; whether you trust them is yours to say."]
    failed = [record for record in facts.times if record.state == "failed"]
    return limits + [f"The time-stamp authority {record.authority} failed: {record.reason}." for record in failed]


def _write_rows(
    evaluation: Evaluation,
    controls: Controls,
    drawn: tuple[Sequence[SampleDraw], Sequence[ChosenItem]],
    folders: Folders,
    output: Path,
    kept: KeptRows,
    open_listing: OpenListing,
) -> dict[str, DeviationTable]:
    """Read each population once, and write what shows its rows: the listing, its deviations, its samples."""
    tables: dict[str, DeviationTable] = {}
    period = read_period(folders.populations)
    for population, row_class in POPULATIONS.items():
        tests = [
            controls.tests[each.test_id]
            for each in evaluation.tests
            if each.population == population and deviates(each)
        ]
        samples = Samples(*drawn, population)
        with (
            open_listing(f"{layout.POPULATIONS}/{population}.csv") as file,
            Listing(row_class, file) as listing,
            Deviations(tests, population, folders.results, output / layout.DEVIATIONS) as deviations,
        ):
            wanted = samples.wanted | deviations.wanted
            selection, known = Selection(wanted), kept.of(population, wanted)
            for segment in segment_files(folders.populations, population):
                with pq.ParquetFile(segment) as rows_of_day:
                    columns = listing.leaves(rows_of_day.schema_arrow) if known is not None or not wanted else None
                    for batch in rows_of_day.iter_batches(batch_size=BATCH, columns=columns):
                        listing.add(batch)
                        rows = [] if columns else rows_of(selection.of(batch), population, period)
                        _add(rows, deviations, samples)
            for batch in known or []:
                _add(rows_of(selection.of(batch), population, period), deviations, samples)
        samples.write(output / layout.SAMPLES)
        tables |= deviations.tables()
    return tables


def _add(rows: Iterable[Row], deviations: Deviations, samples: Samples) -> None:
    for row in rows:
        deviations.add(row)
        samples.add(row)
