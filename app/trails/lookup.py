# SPDX-License-Identifier: Apache-2.0

"""Find the record that another record names, and say so when a name fits several.

In:  folded records of one type. Out: the one that is named, or the candidates.
Inside one source a bare id is exact. Across sources only a whole item id is; where a relation allows it, a bare id that
exactly one source knows is taken too.
"""

from collections.abc import Callable, Iterable, Iterator
from typing import Generic, TypeVar

import msgspec

from app.records.folding import FoldedRecord
from app.records.model import AccessRecord
from app.trails.model import Link

RecordT = TypeVar("RecordT", bound=AccessRecord)
ChildT = TypeVar("ChildT", bound=AccessRecord)


class Lookup(Generic[RecordT]):
    """Folded records of one type, by source and id.

    Args:
        records: all of one type.
        kind: the type's name, which is the middle of an item id.
    """

    def __init__(self, records: Iterable[FoldedRecord[RecordT]], kind: str) -> None:
        self.kind = kind
        self._by_source: dict[tuple[str, str], FoldedRecord[RecordT]] = {}
        self._bare: dict[str, list[FoldedRecord[RecordT]]] = {}
        for each in records:
            self._by_source[each.source, each.record.id] = each
            self._bare.setdefault(each.record.id, []).append(each)

    def __iter__(self) -> Iterator[FoldedRecord[RecordT]]:
        return iter(self._by_source.values())

    def exact(self, source: str, reference: str | None) -> FoldedRecord[RecordT] | None:
        """Return the record of the same source with this id, or of any source with this whole item id."""
        if reference is None:
            return None
        found = self._by_source.get((source, reference))
        return found or self.item(reference)

    def item(self, item_id: str) -> FoldedRecord[RecordT] | None:
        """Return the record with this item id, ``source/type/id``."""
        source, middle, bare = item_id.partition(f"/{self.kind}/")
        return self._by_source.get((source, bare)) if middle else None

    def anywhere(self, source: str, reference: str | None) -> list[FoldedRecord[RecordT]]:
        """Return the records that a reference may mean: one if it is exact or unique, several if it is ambiguous."""
        found = self.exact(source, reference)
        if found is not None:
            return [found]
        return self._bare.get(reference, []) if reference is not None else []


class Attached(msgspec.Struct, Generic[ChildT], frozen=True):
    """Children by the item id of their parent, and the links that could not be made, by each candidate's item id."""

    children: dict[str, list[FoldedRecord[ChildT]]]
    doubts: dict[str, list[Link]]

    def of(self, item_id: str) -> list[FoldedRecord[ChildT]]:
        """Return the children of a parent, in the order they were given."""
        return self.children.get(item_id, [])


def attach(
    children: Iterable[FoldedRecord[ChildT]],
    parents: Lookup[RecordT],
    reference: Callable[[ChildT], str | None],
    *,
    relation: str,
    across_sources: bool,
) -> Attached[ChildT]:
    """Put every child to the one parent it names.

    A bare id that several sources know is not settled: the child stays off all of them, and each of them is told.
    """
    attached: Attached[ChildT] = Attached({}, {})
    for child in children:
        name = reference(child.record)
        if name is None:
            continue
        if across_sources:
            found = parents.anywhere(child.source, name)
        else:
            same = parents.exact(child.source, name)
            found = [] if same is None else [same]
        if len(found) == 1:
            attached.children.setdefault(found[0].item_id, []).append(child)
        elif found:
            _doubt(attached, child, found, relation)
    return attached


def _doubt(
    attached: Attached[ChildT], child: FoldedRecord[ChildT], found: list[FoldedRecord[RecordT]], relation: str
) -> None:
    candidates = tuple(sorted(each.item_id for each in found))
    for candidate in candidates:
        attached.doubts.setdefault(candidate, []).append(
            Link(
                from_id=candidate,
                to_id=None,
                relation=relation,
                basis="ambiguous",
                explanation=f"{child.item_id} names an id that {len(found)} sources know, so it is linked to none",
                candidates=candidates,
            )
        )
