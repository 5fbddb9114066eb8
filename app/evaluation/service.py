# SPDX-License-Identifier: Apache-2.0

"""Evaluate a framework over frozen populations: judge every item, count, conclude.

In:  controls, segments, the period. Out: result vectors on disk and an ``Evaluation``. Equal inputs give equal values:
no clock, no database, no network. The command line, the API, packs and the verifier all come through here.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path

from app.controls.loader import Controls
from app.controls.model import Catalog, CatalogControl, ControlTest, MappingEntry, ParameterValue
from app.controls.overlays import Slice
from app.controls.statements import Applicability
from app.evaluation.claims import Claims, adopt
from app.evaluation.conclude import conclude_control, conclude_test, incompleteness
from app.evaluation.definition import Definition, define
from app.evaluation.engine import MEMORY_LIMIT, checked_files, counts, judge, sizes
from app.evaluation.model import (
    ControlResult,
    ControlTestResult,
    Evaluation,
    ItemOutcome,
    ParameterSlice,
    Period,
    StatedApplicability,
    TestOutcomeWord,
)
from app.evaluation.reuse import Earlier
from app.records.times import format_instant
from app.trails.populations import POPULATIONS, SourceRow
from app.trails.segments import read_rows

TESTED_ALL_THE_SAME = "excluded, but tests bear on it: what they found stands"


def evaluate(
    *,
    controls: Controls,
    catalog: Catalog,
    period: Period,
    as_of: int,
    ledger_size: int,
    segments: Path,
    results: Path,
    claims: Claims | None = None,
    earlier: Earlier | None = None,
    memory_limit: str = MEMORY_LIMIT,
) -> Evaluation:
    """Evaluate the tests that loaded controls map to a framework; see ``evaluate_tests``."""
    mapping = controls.mappings.get(catalog.id)
    return evaluate_tests(
        tests=controls.tests,
        catalog=catalog,
        entries=mapping.entries if mapping else (),
        controls_sha256=controls.sha256,
        slices={test_id: controls.slices_in(test_id, period.start, period.end) for test_id in controls.slices},
        applicability=controls.applicability.get(catalog.id),
        period=period,
        as_of=as_of,
        ledger_size=ledger_size,
        segments=segments,
        results=results,
        claims=claims,
        earlier=earlier,
        memory_limit=memory_limit,
    )


def evaluate_tests(
    *,
    tests: Mapping[str, ControlTest],
    catalog: Catalog,
    entries: Sequence[MappingEntry],
    controls_sha256: str,
    period: Period,
    as_of: int,
    ledger_size: int,
    segments: Path,
    results: Path,
    slices: Mapping[str, Sequence[Slice]] | None = None,
    applicability: Mapping[str, Applicability] | None = None,
    claims: Claims | None = None,
    earlier: Earlier | None = None,
    memory_limit: str = MEMORY_LIMIT,
) -> Evaluation:
    """Evaluate the tests that are mapped to a framework.

    Args:
        tests: test id to test; it holds at least those that ``entries`` name.
        catalog: the framework.
        entries: which tests bear on which controls.
        controls_sha256: digest over all controls that were loaded.
        period: the audit period that the populations were frozen for.
        as_of: instant of the judgment, epoch ms.
        ledger_size: number of ledger entries that the populations rest on.
        segments: folder of the frozen populations.
        results: folder that gets the result vectors.
        slices: test id to what overlays change of it in the period.
        applicability: control to what the organisation states of it; it changes no status.
        claims: outcomes to be taken as somebody recorded them, because the rows do not show what they rest on.
        earlier: answers that may be taken over where nothing has changed; the value is the same with and without.
        memory_limit: what the engine may take, as DuckDB spells it; what does not fit goes to the disk.

    Raises:
        NotFound: a population was not frozen.
        InvalidInput: a segment cannot be used.
        CelError: an expression cannot be used.
    """
    mapped = [tests[test_id] for test_id in sorted({entry.test for entry in entries})]
    changed = slices or {}
    definitions = {test.id: define(test, changed.get(test.id, ())) for test in mapped}
    for population in POPULATIONS:
        checked_files(segments, population)
    digests = judge(list(definitions.values()), segments, results, earlier, memory_limit)
    if claims is not None:
        adopt(claims, results)
    concluded = _test_results(mapped, definitions, changed, segments, results)
    outcomes = {result.test_id: result.outcome for result in concluded}
    return Evaluation(
        framework=catalog.id,
        framework_title=catalog.title,
        period=period,
        as_of=as_of,
        ledger_size=ledger_size,
        segments=digests,
        controls_sha256=controls_sha256,
        population_sizes=sizes(segments),
        tests=concluded,
        controls=tuple(
            _control_result(control, entries, outcomes, (applicability or {}).get(control.id))
            for control in catalog.controls
        ),
    )


def _test_results(
    tests: Sequence[ControlTest],
    definitions: Mapping[str, Definition],
    slices: Mapping[str, Sequence[Slice]],
    segments: Path,
    results: Path,
) -> tuple[ControlTestResult, ...]:
    sources = [row for row in read_rows(segments, "source") if isinstance(row, SourceRow)]
    counted: dict[str, dict[ItemOutcome, int]] = {}
    for population in POPULATIONS:
        counted |= counts(results, population, [test.id for test in tests if test.population == population])
    return tuple(
        _test_result(test, definitions[test.id], slices.get(test.id, ()), counted[test.id], sources) for test in tests
    )


def _test_result(
    test: ControlTest,
    definition: Definition,
    slices: Sequence[Slice],
    counted: Mapping[ItemOutcome, int],
    sources: Sequence[SourceRow],
) -> ControlTestResult:
    incomplete = incompleteness(test.population, test.requires.complete, sources)
    return ControlTestResult(
        test_id=test.id,
        title=test.title,
        severity=test.severity,
        population=test.population,
        outcome=conclude_test(counted, incomplete=incomplete),
        counts={outcome.word: counted[outcome] for outcome in ItemOutcome},
        incomplete=incomplete,
        parameters={name: _parameter_text(value) for name, value in sorted(test.parameters.items())},
        definition_sha256=definition.sha256,
        slices=tuple(_slice_result(each) for each in slices),
    )


def _slice_result(said: Slice) -> ParameterSlice:
    return ParameterSlice(
        parameters={name: _parameter_text(value) for name, value in sorted(said.parameters.items())},
        where=said.where,
        first_day=format_instant(said.start)[:10],
        last_day=None if said.end is None else format_instant(said.end - 1)[:10],
        overlay=said.overlay,
        bundle=said.bundle,
        looser=said.looser,
        reason=said.reason,
        requested_by=said.requested_by,
        approved_by=said.approved_by,
        approved_on=said.approved_on,
    )


def _control_result(
    control: CatalogControl,
    entries: Sequence[MappingEntry],
    outcomes: Mapping[str, TestOutcomeWord],
    stated: Applicability | None,
) -> ControlResult:
    test_ids = tuple(sorted({entry.test for entry in entries if entry.control == control.id}))
    status, reason = conclude_control(
        {test_id: outcomes[test_id] for test_id in test_ids}, not_tested_because=control.not_tested_because
    )
    return ControlResult(
        control_id=control.id,
        label=control.label,
        status=status,
        test_ids=test_ids,
        reason=reason,
        applicability=stated_applicability(stated, tested=bool(test_ids)),
    )


def stated_applicability(stated: Applicability | None, *, tested: bool) -> StatedApplicability:
    """Return what is stated of a control, with a note where it is excluded although tests bear on it."""
    if stated is None:
        return StatedApplicability()
    return StatedApplicability(
        stated="applicable" if stated.applicable else "excluded",
        reason=stated.reason,
        implemented=stated.implemented,
        owner=stated.owner,
        approved_by=stated.approved_by,
        approved_on=stated.approved_on.isoformat() if stated.approved_on else None,
        note=TESTED_ALL_THE_SAME if tested and not stated.applicable else "",
    )


def _parameter_text(value: ParameterValue) -> str:
    match value:
        case bool():
            return "true" if value else "false"
        case tuple():
            return ", ".join(value)
        case _:
            return str(value)
