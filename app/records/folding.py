# SPDX-License-Identifier: Apache-2.0

"""Fold what many source records say about one access record into what is known of it.

In:  observations, in any order.
Out: one folded record per source, type and id, with the ledger entries that speak of it.
Never mixes sources: two sources that use the same id talk of two things until a link says otherwise. No I/O.
"""

from collections.abc import Iterable
from functools import cache
from typing import Generic, TypeVar, cast

import msgspec

from app.records.model import AccessRecord, Observation

RecordT_co = TypeVar("RecordT_co", bound=AccessRecord, covariant=True)
RecordT = TypeVar("RecordT", bound=AccessRecord)


class FoldedRecord(msgspec.Struct, Generic[RecordT_co], frozen=True, kw_only=True):
    """One access record as all its observations together tell it.

    Attributes:
        source: the source that speaks of it.
        record: for every field, the latest value that any observation states.
        ledger: indices of the ledger entries behind it, ascending.
        versions: number of different statements that were folded.
        first_observed_at, last_observed_at: instants of the earliest and latest observation, epoch milliseconds.
    """

    source: str
    record: RecordT_co
    ledger: tuple[int, ...]
    versions: int
    first_observed_at: int
    last_observed_at: int

    @property
    def item_id(self) -> str:
        """Return ``source/type/id``, which is unique among all folded records."""
        return f"{self.source}/{self.record.__struct_config__.tag}/{self.record.id}"


def fold(observations: Iterable[Observation]) -> list[FoldedRecord[AccessRecord]]:
    """Fold observations; the result, sorted by source, type and id, does not depend on their order.

    Observations of one record are ordered by ``observed_at``, then by their canonical bytes, so that two statements of
    one instant are told apart by what they say and never by which came first. A later one wins field by field where it
    says something; a field left at its default says nothing.
    """
    groups: dict[tuple[str, str, str], list[Observation]] = {}
    for observation in observations:
        record = observation.record
        key = (observation.source, str(record.__struct_config__.tag), record.id)
        groups.setdefault(key, []).append(observation)
    return [_fold_one(groups[key]) for key in sorted(groups)]


def select(folded: Iterable[FoldedRecord[AccessRecord]], record_class: type[RecordT]) -> list[FoldedRecord[RecordT]]:
    """Return the folded records of one class, in the order given."""
    return [cast("FoldedRecord[RecordT]", each) for each in folded if type(each.record) is record_class]


def _fold_one(observations: list[Observation]) -> FoldedRecord[AccessRecord]:
    first = observations[0]
    if len(observations) == 1:
        records, versions = [first.record], 1
        earliest = latest = first.observed_at
    else:
        ordered = sorted((each.observed_at, msgspec.json.encode(each.record)) for each in observations)
        records = [msgspec.json.decode(body, type=type(first.record)) for body in _without_repeats(ordered)]
        versions = len({body for _, body in ordered})
        earliest, latest = ordered[0][0], ordered[-1][0]
    return FoldedRecord(
        source=first.source,
        record=_merge(records),
        ledger=tuple(sorted({each.ledger_index for each in observations})),
        versions=versions,
        first_observed_at=earliest,
        last_observed_at=latest,
    )


def _without_repeats(ordered: list[tuple[int, bytes]]) -> list[bytes]:
    bodies = [body for _, body in ordered]
    return [body for place, body in enumerate(bodies) if place == 0 or body != bodies[place - 1]]


def _merge(records: list[AccessRecord]) -> AccessRecord:
    if len(records) == 1:
        return records[0]
    said: dict[str, object] = {}
    for record in records:
        for name, silent in _silences(type(record)):
            value = getattr(record, name)
            if value is not None and value != silent:
                said[name] = value
    return msgspec.structs.replace(records[0], **said)


@cache
def _silences(record_class: type[AccessRecord]) -> tuple[tuple[str, object], ...]:
    """Return each field that may stay silent with the value it then has; the id never does."""
    return tuple((field.name, field.default) for field in msgspec.structs.fields(record_class) if field.name != "id")
