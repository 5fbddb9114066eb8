# SPDX-License-Identifier: Apache-2.0

"""Find the windows that hold an instant, without looking at all of them.

In:  windows under a key, half open, epoch milliseconds. Out: those that hold an instant.
Windows are kept in classes of doubling length, so a search touches at most about twice as many windows as it returns,
whether a person has three grants or thirty thousand. No I/O, no judgment.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Hashable, Iterable
from typing import Generic, TypeVar

KeyT = TypeVar("KeyT", bound=Hashable)
ItemT = TypeVar("ItemT")

GRANT_TOLERANCE_MS = 0
"""Clock skew allowed when a session is joined to a grant by window: none. A session that starts a second before its
right did is what a test must see, and a tolerance here would hide it."""

ACCESS_EVENT_TOLERANCE_MS = 120_000
"""Clock skew allowed when a login seen by a target is joined to a brokered session: two minutes on either side. Broker
and target are two machines, and a broker may log the session after the login. A wrong join is shown as ``window``."""

_OPEN = 2**63
_SHORTEST_CLASS = 20  # All windows shorter than about 17 minutes share a class.


class WindowIndex(Generic[KeyT, ItemT]):
    """Windows by key. An end of None is open; a start of None has always been."""

    def __init__(self, windows: Iterable[tuple[KeyT, int | None, int | None, ItemT]]) -> None:
        self._classes: dict[KeyT, dict[int, list[tuple[int, int, ItemT]]]] = {}
        for key, start, end, item in windows:
            first, last = -_OPEN if start is None else start, _OPEN if end is None else end
            if last > first:
                size = max(_SHORTEST_CLASS, (last - first).bit_length())
                self._classes.setdefault(key, {}).setdefault(size, []).append((first, last, item))
        for classes in self._classes.values():
            for entries in classes.values():
                entries.sort(key=_start)

    def find(self, key: KeyT, instant: int) -> list[ItemT]:
        """Return the items whose window holds the instant: ``start <= instant < end``."""
        return [
            item
            for size, entries in self._classes.get(key, {}).items()
            for _, last, item in entries[
                bisect_left(entries, instant - (1 << size), key=_start) : bisect_right(entries, instant, key=_start)
            ]
            if instant < last
        ]


def merged(windows: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    """Return the union of half open windows as disjoint, ascending windows."""
    union: list[tuple[int, int]] = []
    for start, end in sorted(windows):
        if end <= start:
            continue
        if union and start <= union[-1][1]:
            union[-1] = (union[-1][0], max(end, union[-1][1]))
        else:
            union.append((start, end))
    return union


def longest_hole(covered: list[tuple[int, int]], start: int, end: int) -> int:
    """Return the length of the longest stretch of ``start`` to ``end`` outside disjoint, ascending windows."""
    longest, reached = 0, start
    for first, last in covered:
        longest = max(longest, min(first, end) - reached)
        reached = max(reached, min(last, end))
    return max(longest, end - reached)


def _start(entry: tuple[int, int, ItemT]) -> int:
    return entry[0]
