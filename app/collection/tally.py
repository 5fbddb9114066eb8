# SPDX-License-Identifier: Apache-2.0

"""Count a run: every item received ends in exactly one of accepted, duplicate, rejected.

In:  what happened to each item.
Out: the figures of a CollectionRun.
Texts from the source are cut, cleaned and limited in number here: the box must stay readable and canonical whatever a
source writes into its kinds and a connector into its reasons. No I/O.
"""

import hashlib
from collections.abc import Sequence

from app.collection.reading import Statement
from app.connectors.base import Page, Reject, SequenceGap, SourceRecord, Window

MAX_REJECTS = 100
MAX_GAPS = 1_000
MAX_NAMES = 200
MAX_TEXT = 300
OTHER = "(others)"
"""Counts the kinds and reasons beyond the first ``MAX_NAMES`` different ones."""

_MAX_INT = (1 << 53) - 1


class Tally:
    """The figures of one run while it goes on."""

    def __init__(self) -> None:
        self.received = self.accepted = self.duplicates = self.rejected = 0
        self.rejects: list[Reject] = []
        self.reject_reasons: dict[str, int] = {}
        self.unused: dict[str, int] = {}
        self.produced: dict[str, int] = {}
        self.gaps: list[SequenceGap] = []
        self.source_count: int | None = None
        self.ledger_first: int | None = None
        self.ledger_last: int | None = None
        self._earliest: int | None = None
        self._latest: int | None = None

    def page(self, page: Page) -> None:
        """Count what a page says besides its records."""
        for reject in page.rejects:
            self.reject(reject)
        for gap in page.gaps[: MAX_GAPS - len(self.gaps)]:
            self.gaps.append(
                SequenceGap(
                    what=clean(gap.what), first_missing=_clip(gap.first_missing), last_missing=_clip(gap.last_missing)
                )
            )
        if page.source_count is not None:
            self.source_count = _clip(page.source_count)

    def reject(self, reject: Reject) -> None:
        """Count one item that was set aside."""
        self.received += 1
        self.rejected += 1
        _count(self.reject_reasons, reject.reason)
        if len(self.rejects) < MAX_REJECTS:
            self.rejects.append(
                Reject(
                    locator=clean(reject.locator),
                    reason=clean(reject.reason),
                    raw_sha256=clean(reject.raw_sha256),
                    length=_clip(reject.length),
                )
            )

    def entered(self, index: int) -> None:
        """Note that the run has made a ledger entry, whether or not its record could be read."""
        if self.ledger_first is None:
            self.ledger_first = index
        self.ledger_last = index

    def usable(self, record: SourceRecord, index: int | None, statements: Sequence[Statement]) -> None:
        """Count one record that could be read; ``index`` is None for a duplicate."""
        self.received += 1
        if record.occurred_at is not None:
            at = record.occurred_at
            self._earliest = at if self._earliest is None else min(self._earliest, at)
            self._latest = at if self._latest is None else max(self._latest, at)
        if index is None:
            self.duplicates += 1
            return
        self.accepted += 1
        if not statements:
            _count(self.unused, record.kind)
        for statement in statements:
            self.produced[statement.record_type] = self.produced.get(statement.record_type, 0) + 1

    def observed(self, otherwise: int) -> Window:
        """Return the span of the records' own times; without any, the empty window at ``otherwise``.

        Duplicates count: what is seen again speaks for its time as well as what is new.
        """
        if self._earliest is None or self._latest is None:
            return Window(start=otherwise, end=otherwise)
        return Window(start=self._earliest, end=self._latest + 1)


def rejection(record: SourceRecord, reason: str) -> Reject:
    """Return the reject of a record that a connector handed over."""
    digest = hashlib.sha256(record.raw).hexdigest()
    return Reject(locator=record.locator, reason=reason, raw_sha256=digest, length=len(record.raw))


def clean(text: str) -> str:
    """Return a text as valid Unicode without control characters, at most ``MAX_TEXT`` long."""
    valid = text[:MAX_TEXT].encode(errors="backslashreplace").decode()
    return "".join(character if character.isprintable() else " " for character in valid)[:MAX_TEXT]


def _count(counts: dict[str, int], text: str) -> None:
    # Canonical JSON takes ASCII keys only.
    name = clean(text).encode("ascii", errors="backslashreplace").decode()[:MAX_TEXT]
    name = name if name in counts or len(counts) < MAX_NAMES else OTHER
    counts[name] = counts.get(name, 0) + 1


def _clip(number: int) -> int:
    return max(-_MAX_INT, min(number, _MAX_INT))
