# SPDX-License-Identifier: Apache-2.0

"""For which instants the collections can speak: what lies outside is unknown, not absent.

In:  the completeness boxes of all collections, and the record types each connector declares.
Out: per instant, which record types are evidenced; per source, its row of the population ``source``.
Never counts an inferred window without bounds, a future that had not happened, or a window that a failed run was only
meant to cover.
"""

from bisect import bisect_right
from collections.abc import Collection, Iterable, Mapping

import msgspec

from app.collection.model import CollectionRun
from app.records.model import RecordType
from app.trails.model import PeriodLike
from app.trails.populations import EvidenceView, SourceView
from app.trails.windows import longest_hole, merged

STATES = frozenset(
    {
        RecordType.IDENTITY,
        RecordType.ACCOUNT,
        RecordType.TARGET,
        RecordType.WORKFLOW,
        RecordType.WAIVER,
        RecordType.CREDENTIAL,
        RecordType.LEGAL_HOLD,
        RecordType.TICKET,
        RecordType.REVIEW,
        RecordType.ALERT,
    }
)
"""Record types that an inventory tells all at once: a collection that covers the period's end speaks for all of it."""

_ALWAYS = -(2**63)

Declared = Mapping[str, Collection[str]]
"""Connector name to the record types it declares. A connector that can tell anything, as ``records`` can, declares
nothing here: only what it did produce is evidence that it would have."""


class SourceCoverage(msgspec.Struct, frozen=True, kw_only=True):
    """What one source can speak for: record types, and disjoint windows, ascending, epoch milliseconds."""

    source: str
    runs: tuple[CollectionRun, ...]
    record_types: frozenset[str]
    covered: tuple[tuple[int, int], ...]


def coverages(runs: Iterable[CollectionRun], declared: Declared) -> list[SourceCoverage]:
    """Return the coverage of every source, sorted by name; the order of runs does not matter."""
    by_source: dict[str, list[CollectionRun]] = {}
    for run in runs:
        by_source.setdefault(run.source, []).append(run)
    return [
        SourceCoverage(
            source=source,
            runs=tuple(sorted(by_source[source], key=lambda run: (run.started_at, run.id))),
            record_types=frozenset(_record_types(by_source[source], declared)),
            covered=tuple(merged(window for run in by_source[source] for window in covered_window(run))),
        )
        for source in sorted(by_source)
    ]


def covered_window(run: CollectionRun) -> list[tuple[int, int]]:
    """Return the window a run speaks for, half open, or nothing.

    A run cannot speak for what happened after it ended. A declared window may be open at its start; an inferred one
    without bounds is empty. A run that stopped early speaks only for what it inferred from the records it got.
    """
    start, end = run.covered.start, run.covered.end
    latest = run.finished_at + 1
    if run.covered_basis == "observed":
        return [] if start is None or end is None else [(start, min(end, latest))]
    if run.problem is not None:
        return []
    return [(_ALWAYS if start is None else start, latest if end is None else min(end, latest))]


class Evidence:
    """Answers what is evidenced at an instant; equal answers are the same object, so a million rows stay small."""

    def __init__(self, sources: Iterable[SourceCoverage], period_end: int) -> None:
        windows: dict[str, list[tuple[int, int]]] = {kind: [] for kind in RecordType}
        for source in sources:
            for kind in source.record_types & windows.keys():
                windows[kind].extend(source.covered)
        self._windows = {kind: merged(spans) for kind, spans in windows.items()}
        self._at_end = frozenset(
            kind for kind in STATES if any(first <= period_end <= last for first, last in self._windows[kind])
        )
        self._bounds = sorted({bound for spans in self._windows.values() for span in spans for bound in span})
        self._views: dict[tuple[int, int], EvidenceView] = {}

    @property
    def bounds(self) -> list[int]:
        """Return the instants from each of which on, up to the next, the answers are the same; first the beginning."""
        return [_ALWAYS, *self._bounds]

    def at(self, instant: int, *, decided: int | None = None) -> EvidenceView:
        """Return what is evidenced at an instant.

        Args:
            instant: epoch milliseconds.
            decided: instant for approvals, where they are due at another one: a right that started before the period
                was approved before it too.
        """
        approved = instant if decided is None else decided
        key = (bisect_right(self._bounds, instant), bisect_right(self._bounds, approved))
        if key not in self._views:
            self._views[key] = EvidenceView(
                **{
                    kind: self._covers(kind, approved if kind is RecordType.APPROVAL else instant)
                    for kind in RecordType
                }
            )
        return self._views[key]

    def _covers(self, kind: RecordType, instant: int) -> bool:
        return kind in self._at_end or any(first <= instant < last for first, last in self._windows[kind])


def source_view(source: SourceCoverage, period: PeriodLike) -> SourceView:
    """Sum up the completeness boxes of one source over the period."""
    runs = source.runs
    counted = [run for run in runs if run.source_count is not None]
    covered = source.covered
    return SourceView(
        id=source.source,
        connector=", ".join(sorted({run.connector for run in runs})),
        record_types=sorted(source.record_types),
        runs=len(runs),
        received=sum(run.received for run in runs),
        accepted=sum(run.accepted for run in runs),
        duplicates=sum(run.duplicates for run in runs),
        rejected=sum(run.rejected for run in runs),
        sequence_gaps=sum(len(run.gaps) for run in runs),
        source_count=sum(run.source_count or 0 for run in counted) if counted else None,
        counted_received=sum(run.received for run in counted) if counted else None,
        covered_from=covered[0][0] if covered and covered[0][0] != _ALWAYS else None,
        covered_until=covered[-1][1] if covered else None,
        longest_hole=longest_hole(list(covered), period.start, period.end),
        declared=all(run.covered_basis == "declared" for run in runs),
        last_success_at=max((run.finished_at for run in runs if run.problem is None), default=None),
        problems=sum(run.problem is not None for run in runs),
    )


def _record_types(runs: list[CollectionRun], declared: Declared) -> set[str]:
    produced = {kind for run in runs for kind, count in run.produced.items() if count > 0}
    return produced | {str(kind) for run in runs for kind in declared.get(run.connector, ())}
