# SPDX-License-Identifier: Apache-2.0

"""CollectionRun: one execution of a connector, with the box of figures that shows how complete it was.

Auditors test "information produced by the entity" for completeness and accuracy before they use it (AICPA AT-C 205,
PCAOB AS 1105.10). The box holds what they ask for: what was asked, the window, what the source counted, what we got.
"""

from typing import Literal

import msgspec

from app.connectors.base import InputFile, Reject, SequenceGap, Window


class CollectionRun(msgspec.Struct, frozen=True, kw_only=True):
    """The completeness box of one run of one connector against one source.

    Invariant: ``received == accepted + duplicates + rejected``.

    Attributes:
        id: ``<connector>-<32 hex digits>``, derived from what is asked of which source and from the ledger's size and
            root before; so the same import into an equal ledger has the same id, and into a grown one another.
        source: configured name of the source. connector: which connector read it.
        query: what was asked of the source, without secrets.
        asked: window that was asked for. covered: window the result speaks for.
        covered_basis: ``declared`` by the operator or source, or only ``observed`` from the records' own times.
        source_count: total that the source claims, if it claims one.
        received: items read; accepted: new ledger entries; duplicates: already there, byte for byte.
        rejected: items set aside; rejects: the first 100 of them; reject_reasons: reason to count, all of them. What
            a connector handed over and then could not read is in the ledger all the same, and counted here only; it
            is counted here again when it is imported again.
        unused: the source's own kinds that state no access record, with counts; kept in the ledger all the same.
        produced: access record type to number of observations.
        gaps: holes in the source's own numbering, the first 1,000.
        problem: why the run stopped early, when it did.
        ledger_first, ledger_last: first and last index of its new entries, when it has any; others may lie between.
    """

    id: str
    source: str
    connector: str
    query: str
    started_at: int
    finished_at: int
    asked: Window
    covered: Window
    covered_basis: Literal["declared", "observed"]
    inputs: tuple[InputFile, ...] = ()
    source_count: int | None = None
    received: int = 0
    accepted: int = 0
    duplicates: int = 0
    rejected: int = 0
    rejects: tuple[Reject, ...] = ()
    reject_reasons: dict[str, int] = {}
    unused: dict[str, int] = {}
    produced: dict[str, int] = {}
    gaps: tuple[SequenceGap, ...] = ()
    problem: str | None = None
    ledger_first: int | None = None
    ledger_last: int | None = None

    @property
    def is_complete(self) -> bool:
        """Tell whether nothing is known to be missing from what this run speaks for."""
        counted = self.source_count is None or self.source_count == self.received
        return counted and not self.rejected and not self.gaps and self.problem is None
