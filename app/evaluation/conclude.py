# SPDX-License-Identifier: Apache-2.0

"""Conclude: from item outcomes to a test's outcome, from tests to a control's status.

Pure. What could not be seen is never a pass; and a known deviation decides, because nothing that is yet to be seen can
undo it. A waived deviation is still a deviation.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence

from app.evaluation.model import ControlStatus, ItemOutcome, TestOutcomeWord
from app.records.times import format_span
from app.trails.populations import SourceRow

NO_OCCURRENCES = "no occurrences in the period"
_SOURCE = "source"


def conclude_test(counts: Mapping[ItemOutcome, int], *, incomplete: Collection[str]) -> TestOutcomeWord:
    """Return what a test says of its whole population.

    Args:
        counts: item outcome to number of items; what is absent counts zero.
        incomplete: reasons why the population is not known to be whole.
    """
    if counts.get(ItemOutcome.FAIL) or counts.get(ItemOutcome.WAIVED):
        return TestOutcomeWord.FAILED
    if counts.get(ItemOutcome.ERROR):
        return TestOutcomeWord.ERROR
    if counts.get(ItemOutcome.NO_EVIDENCE) or incomplete:
        return TestOutcomeWord.INCONCLUSIVE
    return TestOutcomeWord.PASSED if counts.get(ItemOutcome.PASS) else TestOutcomeWord.NO_OCCURRENCES


def conclude_control(
    outcomes: Mapping[str, TestOutcomeWord], *, not_tested_because: str | None = None
) -> tuple[ControlStatus, str]:
    """Return a control's status, and the reason in one sentence without a final stop.

    Args:
        outcomes: the outcome of every test that is mapped to the control.
        not_tested_because: what the catalogue says of a control without tests.
    """
    if not outcomes:
        return ControlStatus.NOT_TESTED, not_tested_because or "no test is mapped to this control"

    def having(*words: TestOutcomeWord) -> str:
        return ", ".join(test_id for test_id, outcome in sorted(outcomes.items()) if outcome in words)

    if failed := having(TestOutcomeWord.FAILED):
        return ControlStatus.DEVIATIONS, f"deviations were found by {failed}"
    if unclear := having(TestOutcomeWord.ERROR, TestOutcomeWord.INCONCLUSIVE):
        return ControlStatus.INSUFFICIENT_EVIDENCE, f"the evidence does not suffice for {unclear}"
    if passed := having(TestOutcomeWord.PASSED):
        return ControlStatus.NO_DEVIATIONS, f"no deviation was found by {passed}"
    return ControlStatus.NO_DEVIATIONS, NO_OCCURRENCES


def incompleteness(population: str, complete: Iterable[str], sources: Sequence[SourceRow]) -> tuple[str, ...]:
    """Return why a test's population is not known to be whole; empty when nothing is known to be missing.

    Args:
        population: the test's population.
        complete: further record types that must be whole for the test (``requires.complete``).
        sources: the rows of the population ``source``.
    """
    if population == _SOURCE and not sources:
        return ("no source was ever collected",)
    reasons = [
        reason
        for kind in dict.fromkeys((population, *complete))
        if kind != _SOURCE
        for reason in _of_record_type(kind, sources)
    ]
    return tuple(dict.fromkeys(reasons))


def _of_record_type(kind: str, sources: Sequence[SourceRow]) -> list[str]:
    yielding = sorted((row for row in sources if kind in row.collected.record_types), key=lambda row: row.item_id)
    if not yielding:
        return [f"no collected source yields records of type {kind}"]
    return [f"{row.collected.id}: {reason}" for row in yielding for reason in _of_source(row)]


def _of_source(row: SourceRow) -> list[str]:
    source = row.collected
    reasons = []
    if source.rejected:
        reasons.append(f"{source.rejected} record(s) could not be used")
    if source.sequence_gaps:
        reasons.append(f"{source.sequence_gaps} gap(s) in the source's own numbering")
    if source.problems:
        reasons.append(f"{source.problems} collection run(s) ended with a problem")
    if source.source_count is not None and source.source_count != source.counted_received:
        received = "an unknown number" if source.counted_received is None else source.counted_received
        reasons.append(f"the source counted {source.source_count} records, received were {received}")
    if source.longest_hole > 0:
        reasons.append(f"up to {format_span(source.longest_hole)} of the period were not covered by any collection")
    return reasons
