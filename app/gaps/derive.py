# SPDX-License-Identifier: Apache-2.0

"""Derive the gaps of an evaluation: what deviates, and what cannot be told, kept apart.

In:  an evaluation, the controls it was made with, the frozen source rows, and the ids of the items concerned.
Out: gaps, worst first within each kind. Pure: the verifier derives them again and compares.

One gap per test with deviations, per test with items without evidence, per test with errors, per source that is not
whole, and per control that no test bears on. A test may have several; nobody adds them up.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Protocol

from app.controls.model import Catalog, ControlTest
from app.evaluation.conclude import incompleteness
from app.evaluation.model import ControlStatus, Evaluation
from app.gaps import findings
from app.gaps.model import Gap, GapKind
from app.trails.populations import SourceRow


class ControlsLike(Protocol):
    """The part of the loaded controls that findings quote."""

    @property
    def tests(self) -> Mapping[str, ControlTest]:
        """Return test id to test."""
        ...

    @property
    def catalogs(self) -> Mapping[str, Catalog]:
        """Return framework id to catalogue."""
        ...


class ItemTable(Protocol):
    """Items of one test, such as a deviation table; a row begins with the item's id and its outcome word."""

    @property
    def test_id(self) -> str:
        """Return the test."""
        ...

    @property
    def rows(self) -> Sequence[Sequence[str]]:
        """Return the rows."""
        ...


def derive_gaps(
    evaluation: Evaluation, controls: ControlsLike, sources: Sequence[SourceRow], tables: Iterable[ItemTable]
) -> tuple[Gap, ...]:
    """Return the gaps of an evaluation: equal inputs give an equal value.

    Args:
        evaluation: what was concluded.
        controls: the definitions it was made with.
        sources: the rows of the population ``source``.
        tables: items to name, of any outcome; at most the first 100 of a gap, in order of id, are kept.
    """
    subjects = _subjects(evaluation, controls, tables)
    reasons = {row.collected.id: _reasons(row) for row in sources}
    incomplete = {source: found for source, found in reasons.items() if found}
    gaps = [gap for subject in subjects for gap in _of_subject(subject, incomplete)]
    for source, found in incomplete.items():
        affected = [result for result in evaluation.tests if _mentions(result.incomplete, source)]
        gaps.append(findings.incomplete_collection(evaluation, source, found, affected))
    gaps += _untested(evaluation, controls)
    return tuple(sorted(gaps, key=_rank))


def _subjects(
    evaluation: Evaluation, controls: ControlsLike, tables: Iterable[ItemTable]
) -> Iterable[findings.Subject]:
    items: dict[str, dict[str, list[str]]] = defaultdict(lambda: defaultdict(list))
    for table in tables:
        for item, outcome, *_ in table.rows:
            items[table.test_id][outcome].append(item)
    for result in evaluation.tests:
        yield findings.Subject(
            evaluation=evaluation,
            result=result,
            test=controls.tests[result.test_id],
            controls=tuple(control for control in evaluation.controls if result.test_id in control.test_ids),
            items={outcome: tuple(found) for outcome, found in items[result.test_id].items()},
        )


def _of_subject(subject: findings.Subject, incomplete: Mapping[str, Sequence[str]]) -> Iterable[Gap]:
    counts = subject.result.counts
    if counts["fail"] or counts["waived"]:
        yield findings.control_deviation(subject)
    unexplained = [
        reason for reason in subject.result.incomplete if not any(_mentions((reason,), source) for source in incomplete)
    ]
    if counts["no_evidence"] or unexplained:
        yield findings.missing_evidence(subject, unexplained)
    if counts["error"]:
        yield findings.test_error(subject)


def _reasons(row: SourceRow) -> list[str]:
    """Return why a source is not whole, as ``incompleteness`` says it, without the source's name in front."""
    prefix = f"{row.collected.id}: "
    kinds = sorted(row.collected.record_types)
    found = incompleteness(kinds[0], (), [row]) if kinds else ()
    return [reason.removeprefix(prefix) for reason in found]


def _mentions(reasons: Iterable[str], source: str) -> bool:
    return any(reason.startswith(f"{source}: ") for reason in reasons)


def _untested(evaluation: Evaluation, controls: ControlsLike) -> Iterable[Gap]:
    catalog = controls.catalogs.get(evaluation.framework)
    entries = {entry.id: entry for entry in catalog.controls} if catalog else {}
    for control in evaluation.controls:
        if control.status is ControlStatus.NOT_TESTED:
            yield findings.untested_control(evaluation, control, entries.get(control.control_id))


def _rank(gap: Gap) -> tuple[int, int, int, str]:
    """Return a sort key; untested controls keep the order of their catalogue."""
    name = "" if gap.kind is GapKind.UNTESTED_CONTROL else gap.id
    return list(GapKind).index(gap.kind), findings.SEVERITIES.index(gap.severity), -gap.item_count, name
