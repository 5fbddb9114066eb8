# SPDX-License-Identifier: Apache-2.0

"""What moved between two evaluations of one framework and period. Pure."""

from collections.abc import Iterable, Iterator, Mapping

from app.evaluation.model import ControlTestResult, Evaluation
from app.watching.model import BASELINE, Counts, Move, Snapshot, Standing, SubjectKind


def snapshot_of(evaluation: Evaluation) -> Snapshot:
    """Return what is kept of an evaluation."""
    tests = {test.test_id: Standing(word=test.outcome, counts=_counts(test)) for test in evaluation.tests}
    return Snapshot(
        controls={
            control.control_id: Standing(
                word=control.status, counts=total(tests[test_id].counts for test_id in control.test_ids)
            )
            for control in evaluation.controls
        },
        tests=dict(sorted(tests.items())),
    )


def total(counts: Iterable[Counts]) -> Counts:
    """Return the sums."""
    listed = list(counts)
    return Counts(
        deviations=sum(each.deviations for each in listed),
        waived=sum(each.waived for each in listed),
        evidence_gaps=sum(each.evidence_gaps for each in listed),
    )


def baseline(snapshot: Snapshot) -> Move:
    """Return the one line that is written of a first look: the totals over all tests."""
    after = total(test.counts for test in snapshot.tests.values())
    return Move(kind=SubjectKind.PERIOD, subject="", old=None, new=BASELINE, before=None, after=after)


def moves(old: Snapshot, new: Snapshot) -> tuple[Move, ...]:
    """Return what stands otherwise: controls first, then tests.

    A control moves with its status. A test moves with its outcome and with its counts: one more deviation of a test
    that had failed before is news.
    """
    words = {name: standing.word for name, standing in old.controls.items()}
    controls = [
        move
        for move in _differences(SubjectKind.CONTROL, old.controls, new.controls)
        if move.new != words.get(move.subject)
    ]
    return (*controls, *_differences(SubjectKind.TEST, old.tests, new.tests))


def _differences(kind: SubjectKind, old: Mapping[str, Standing], new: Mapping[str, Standing]) -> Iterator[Move]:
    for subject in dict.fromkeys((*new, *old)):
        before, after = old.get(subject), new.get(subject)
        if before != after:
            yield Move(
                kind=kind,
                subject=subject,
                old=before.word if before else None,
                new=after.word if after else None,
                before=before.counts if before else None,
                after=after.counts if after else None,
            )


def _counts(test: ControlTestResult) -> Counts:
    return Counts(
        deviations=test.counts["fail"],
        waived=test.counts["waived"],
        evidence_gaps=test.counts["no_evidence"] + test.counts["error"],
    )
