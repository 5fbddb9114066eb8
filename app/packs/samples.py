# SPDX-License-Identifier: Apache-2.0

"""Write the drawn and the chosen items of a pack, whole, for people and for programs.

In:  draws, items that the auditor chose, the rows of frozen populations.
Out: ``samples/<population>.json``: which test drew which item, which items are judgemental, and each of them once.
"""

from collections.abc import Sequence
from pathlib import Path

import msgspec

from app.errors import InvalidInput
from app.packs.model import ChosenItem, SampleDraw
from app.packs.rows import present
from app.trails.populations import POPULATIONS, Row

JUDGEMENTAL = "judgemental"
"""What an item is called that somebody chose; it says nothing about the items that nobody chose."""


def choose(item_ids: Sequence[str], populations: Path) -> tuple[ChosenItem, ...]:
    """Return the items that the auditor named, once for each population that holds them.

    Raises:
        InvalidInput: one of them is in no population.
    """
    wanted = sorted(set(item_ids))
    found = [
        ChosenItem(population=population, item_id=item)
        for population in POPULATIONS
        for item in present(populations, population, wanted)
    ]
    for item in wanted:
        if all(chosen.item_id != item for chosen in found):
            raise InvalidInput(
                f"no population of this period has the item '{item[:100]}'",
                where="--also",
                hint="Ids read source/type/id; 'proofroom results' and the listings show them",
            )
    return tuple(found)


class Samples:
    """Collects the drawn and the chosen items of one population while its rows go by.

    Attributes:
        wanted: ids of the items to be added.
    """

    def __init__(self, draws: Sequence[SampleDraw], chosen: Sequence[ChosenItem], population: str) -> None:
        self._population = population
        self._draws = [draw for draw in draws if draw.population == population]
        self._chosen = [item.item_id for item in chosen if item.population == population]
        self.wanted = {item for draw in self._draws for item in draw.items} | set(self._chosen)
        self._rows: list[Row] = []

    def add(self, row: Row) -> None:
        """Add an item, if it was drawn or chosen."""
        if row.item_id in self.wanted:
            self._rows.append(row)

    def write(self, output: Path) -> None:
        """Write the population's file below an existing folder, if any item was drawn or chosen."""
        if not self.wanted:
            return
        value = {
            "population": self._population,
            "draws": [
                {"test": draw.test_id, "seed": draw.seed, "size": draw.size, "items": draw.items}
                for draw in self._draws
            ],
            JUDGEMENTAL: self._chosen,
            "items": sorted(self._rows, key=lambda row: row.item_id),
        }
        data = msgspec.json.format(msgspec.json.encode(value), indent=1) + b"\n"
        (output / f"{self._population}.json").write_bytes(data)
