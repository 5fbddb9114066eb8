# SPDX-License-Identifier: Apache-2.0

"""Find the numbers that are missing from many interleaved sequences.

In:  numbers seen, each in a sequence, in any order. Out: the holes that prove that records are missing.
Remembers only sequences that are open or have holes, so a log with millions of whole sessions takes no memory.
"""

from itertools import pairwise

from app.connectors.base import SequenceGap

_FEW = 8
_REPORTED = 1000
"""More holes than this add nothing but memory; the last gap then says that there are more."""


class Sequences:
    """Sequences that each count from one without a hole.

    Args:
        what: what the numbers are, for the report, such as ``line_num of session``.
    """

    def __init__(self, what: str) -> None:
        self._what = what
        self._seen: dict[str, list[tuple[int, int]]] = {}
        self._from_one: set[str] = set()

    def see(self, sequence: str, number: int, *, began_here: bool) -> None:
        """Note a number. ``began_here``: the sequence began within what is read, so its first number is due too."""
        ranges = self._seen.setdefault(sequence, [])
        if began_here:
            self._from_one.add(sequence)
        if ranges and ranges[-1][1] + 1 == number:
            ranges[-1] = (ranges[-1][0], number)
        else:
            ranges.append((number, number))

    def close(self, sequence: str) -> None:
        """Note that a sequence ends here; a whole one is forgotten."""
        ranges = self._seen.get(sequence, [])
        if len(ranges) <= _FEW and [first for first, _ in _union(ranges)] == [1]:
            del self._seen[sequence]
            self._from_one.discard(sequence)

    def gaps(self) -> tuple[SequenceGap, ...]:
        """Return the holes, by sequence and number."""
        found: list[SequenceGap] = []
        for sequence in sorted(self._seen):
            ranges = _union(self._seen[sequence])
            due = [(0, 0), *ranges] if sequence in self._from_one else ranges
            for (_, last), (first, _) in pairwise(due):
                more = len(found) == _REPORTED
                if first > last + 1:
                    what = f"{self._what} {sequence}" + (", and more" if more else "")
                    gap = SequenceGap(what=what, first_missing=last + 1, last_missing=first - 1)
                    if more:
                        return (*found[:-1], gap)
                    found.append(gap)
        return tuple(found)


def _union(ranges: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """Return the ranges as disjoint, ascending ones."""
    union: list[tuple[int, int]] = []
    for first, last in sorted(ranges):
        if union and first <= union[-1][1] + 1:
            union[-1] = (union[-1][0], max(last, union[-1][1]))
        else:
            union.append((first, last))
    return union
