# SPDX-License-Identifier: Apache-2.0

"""Where the bites are kept: for each control test, one deviation that it must report, and that nothing else may.

A bite takes an organisation in which everything is in order, takes one thing of it out of order, and returns the item
that deviates. Where one fact necessarily breaks several claims, it returns the other pairs too, and its docstring says
why: a list that begins with the item, followed by ``(test id, item)``.
"""

from collections.abc import Callable
from dataclasses import dataclass

from tests.bites.in_order import InOrder
from tests.bites.organisation import Told, Verdict

Item = Told | str
Deviation = Item | list[Item | tuple[str, Item]]


@dataclass(frozen=True)
class Bite:
    """One deviation of one test."""

    test_id: str
    change: Callable[[InOrder], Deviation]

    @property
    def name(self) -> str:
        """Return what is out of order, in words."""
        return self.change.__name__.removeprefix("_").replace("_", " ")

    def apply(self, organisation: InOrder) -> set[Verdict]:
        """Take the thing out of order and return what must be found."""
        found = self.change(organisation)
        first, *others = found if isinstance(found, list) else [found]
        pairs = [(self.test_id, first), *others]
        return {(test_id, item if isinstance(item, str) else item.id, "fail") for test_id, item in pairs}


BITES: list[Bite] = []


def bite(test_id: str) -> Callable[[Callable[[InOrder], Deviation]], Callable[[InOrder], Deviation]]:
    """Register a bite of a test."""

    def register(change: Callable[[InOrder], Deviation]) -> Callable[[InOrder], Deviation]:
        BITES.append(Bite(test_id=test_id, change=change))
        return change

    return register
