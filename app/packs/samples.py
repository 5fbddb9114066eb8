# SPDX-License-Identifier: Apache-2.0

"""Write the drawn and the chosen items of a pack, whole, for people and for programs.

In:  draws, items that the auditor chose, frozen populations.
Out: ``samples/<population>.json``: which test drew which item, which items are judgemental, and each of them once.
"""

from collections.abc import Sequence
from pathlib import Path

import msgspec

from app.errors import InvalidInput
from app.packs.model import ChosenItem, SampleDraw
from app.packs.rows import present, select_rows
from app.trails.populations import POPULATIONS

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


def write_samples(draws: Sequence[SampleDraw], chosen: Sequence[ChosenItem], populations: Path, output: Path) -> None:
    """Write one file for each population of which an item was drawn or chosen."""
    for population in POPULATIONS:
        mine = [draw for draw in draws if draw.population == population]
        named = [item.item_id for item in chosen if item.population == population]
        wanted = {item for draw in mine for item in draw.items} | set(named)
        if wanted:
            rows = sorted(select_rows(populations, population, wanted), key=lambda row: row.item_id)
            value = {
                "population": population,
                "draws": [
                    {"test": draw.test_id, "seed": draw.seed, "size": draw.size, "items": draw.items} for draw in mine
                ],
                JUDGEMENTAL: named,
                "items": rows,
            }
            data = msgspec.json.format(msgspec.json.encode(value), indent=1) + b"\n"
            (output / f"{population}.json").write_bytes(data)
