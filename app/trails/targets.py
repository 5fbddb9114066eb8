# SPDX-License-Identifier: Apache-2.0

"""What system a source means: a target's id, name and aliases, matched whole.

In:  target records. Out: the target that a spelling names, and a key that is equal for equal targets.
"""

from collections.abc import Iterable

from app.records.folding import FoldedRecord
from app.records.model import Target

System = FoldedRecord[Target]


class TargetIndex:
    """All targets, by everything that may name one."""

    def __init__(self, targets: Iterable[System]) -> None:
        self._named: dict[str, dict[str, System]] = {}
        self._own: dict[tuple[str, str], System] = {}
        self._ids: dict[str, int] = {}
        for each in targets:
            record = each.record
            self._own[each.source, record.id] = each
            self._ids[record.id] = self._ids.get(record.id, 0) + 1
            for name in {record.id, *record.aliases} | ({record.name} if record.name else set()):
                self._named.setdefault(name, {})[each.item_id] = each

    def resolve(self, source: str, spelling: str | None) -> System | None:
        """Return the one target with this id, name or alias; None where none or several have it.

        A source's own target id is exact for that source, whatever other sources call by it.
        """
        if spelling is None:
            return None
        found = self._named.get(spelling, {})
        if len(found) == 1:
            return next(iter(found.values()))
        return self._own.get((source, spelling))

    def key(self, source: str, spelling: str | None) -> str | None:
        """Return a key for joining: equal spellings that no inventory knows count as the same system."""
        if spelling is None:
            return None
        found = self.resolve(source, spelling)
        if found is not None:
            return f"target:{found.item_id}"
        return f"ambiguous:{source}/{spelling}" if spelling in self._named else f"spelling:{spelling}"

    def id(self, source: str, spelling: str | None) -> str | None:
        """Return the id used in populations: the target's, or the source's own spelling where it is not known."""
        found = self.resolve(source, spelling)
        if found is None:
            return spelling
        return found.record.id if self._ids[found.record.id] == 1 else found.item_id
