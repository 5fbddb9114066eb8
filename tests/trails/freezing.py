# SPDX-License-Identifier: Apache-2.0

"""How tests freeze a small world, go on from an earlier freeze, and compare two freezes."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from unittest.mock import patch

import duckdb

from app.records.columns import batches_of
from app.trails.bulk import freeze as freezing
from app.trails.bulk.freeze import freeze_in_bulk
from app.trails.bulk.model import Keep, Sources
from app.trails.evidence import coverages
from app.trails.populations import FlagView, PeriodView
from app.trails.segments import read_rows


class Words:
    """Flags the texts that drop something."""

    def flags_of(self, texts: Sequence[str]) -> list[list[FlagView]]:
        """Return one flag or none for each."""
        flag = FlagView(rule="data.drop", family="data", severity="high")
        return [[flag] if "drop" in text else [] for text in texts]


def sources_of(world, as_of: int | None = None) -> Sources:
    """Return what a world has told so far, as a freeze reads it, by default for the instant of its own period."""
    return Sources(
        batches=world.batches,
        told_at=lambda indices: batches_of(world.observations_at(indices)),
        observations=world.observations,
        size=world.size(),
        root=world.root,
        coverages=coverages(world.runs(), {}),
        as_of=world.period.as_of if as_of is None else as_of,
    )


def differences(
    folder: Path, one: dict[str, str], sets: dict[str, str], names: tuple[str, str] = ("one", "sets")
) -> Iterator[str]:
    """Yield what differs, readably."""
    for population in sorted({name.split("/")[0] for name in one | sets if one.get(name) != sets.get(name)}):
        expected = {row.item_id: row for row in read_rows(folder / names[0], population)}
        found = {row.item_id: row for row in read_rows(folder / names[1], population)}
        for item_id in sorted(expected | found):
            if expected.get(item_id) != found.get(item_id):
                yield f"{item_id}\n  one:  {expected.get(item_id)}\n  sets: {found.get(item_id)}"


def freeze_continued(sources: Sources, period: PeriodView, folder: Path, keep: Keep) -> dict[str, str]:
    """Freeze, and see that it goes on from what was kept, if anything was."""
    was_kept = keep.file.is_file()
    with patch.object(freezing, "_from_the_beginning", wraps=freezing._from_the_beginning) as anew:
        digests = freeze_in_bulk(sources, period, folder, Words(), "500MB", keep)
    assert anew.called is not was_kept
    return digests


def other_tables(one: Path, other: Path) -> Iterator[str]:
    """Yield the tables that two kept files do not have alike, but for what they say of themselves."""
    with duckdb.connect() as both:
        both.execute(f"ATTACH '{one}' AS one (READ_ONLY); ATTACH '{other}' AS other (READ_ONLY)")
        tables = both.execute("SELECT DISTINCT table_name FROM duckdb_tables()").fetchall()
        for name in sorted(name for (name,) in tables if name not in ("state", "segment")):
            sides = [f'FROM {side}."{name}"' for side in ("one", "other")]
            for here, there in (sides, sides[::-1]):
                if found := both.execute(f"({here}) EXCEPT ALL ({there}) LIMIT 1").fetchall():
                    yield f"{name}: {found} is only in one"
