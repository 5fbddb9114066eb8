# SPDX-License-Identifier: Apache-2.0

"""Write frozen populations again without the values of some fields, and find where these values still stand.

In:  a folder of frozen populations.
Out: another folder, equal but for these values; counts, and what opens each commitment.
Every row stays, and so do their order, their files and all other fields. Memory is bounded by a row group.
"""

import shutil
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from app.errors import InvalidInput
from app.packs.model import WithheldPart
from app.packs.withholding.columns import Change, change_texts, texts_at
from app.packs.withholding.commitments import Place, mark, salt_of
from app.packs.withholding.disclosures import Disclosure
from app.packs.withholding.fields import paths_of, text_paths
from app.trails.populations import POPULATIONS
from app.trails.segments import ROW_GROUP_ROWS, segment_files, segment_writer

Tell = Callable[[Disclosure], None]
SHORT = 6
"""Shorter values are met by chance, such as ``root``; they are not looked for elsewhere."""
_KEY = "^[^/]*/[^/]*/"


def conceal(populations: Path, output: Path, fields: Sequence[str], key: bytes, tell: Tell) -> tuple[WithheldPart, ...]:
    """Write populations to ``output`` with each value of these fields replaced by its commitment.

    Args:
        populations: the frozen populations.
        output: a folder; it is created.
        fields: names of fields.
        key: what salts come from.
        tell: told what opens each commitment, in order of population, file, field and row.
    """
    parts: list[WithheldPart] = []
    for population in POPULATIONS:
        counted: Counter[str] = Counter()
        named = {path: field for field in fields for path in paths_of(field, population)}
        changes = {path: _hide(population, field, path, key, tell, counted) for path, field in named.items()}
        rewrite(populations, output, population, changes)
        parts += [
            WithheldPart(field=field, population=population, path=path, values=counted[path])
            for path, field in named.items()
        ]
    copy_others(populations, output)
    return tuple(parts)


def _hide(population: str, field: str, path: str, key: bytes, tell: Tell, counted: Counter[str]) -> Change:
    def hide(item_id: str, where: str, value: str | None) -> str:
        salt = salt_of(key, Place(population, item_id, where), value)
        opened = Disclosure(field, population, item_id, where, salt, value)
        tell(opened)
        counted[path] += 1
        return mark(salt, opened.place, value)

    return hide


def rewrite(populations: Path, output: Path, population: str, changes: Mapping[str, Change]) -> None:
    """Write the segments of a population again with the texts at some paths changed; written as any segment is.

    Raises:
        InvalidInput: a file is no segment of the population, or a text that must be there was taken away.
    """
    (output / population).mkdir(parents=True, exist_ok=True)
    for source in segment_files(populations, population):
        target = output / population / source.name
        if not changes:
            shutil.copyfile(source, target)
            continue
        try:
            with pq.ParquetFile(source) as file, segment_writer(target, population) as writer:
                for batch in file.iter_batches(batch_size=ROW_GROUP_ROWS):
                    changed = change_texts(batch, changes)
                    writer.write_table(pa.Table.from_batches([changed]), ROW_GROUP_ROWS)
        except (pa.ArrowException, KeyError, ValueError) as error:
            raise InvalidInput("this is no segment of the population", where=f"{population}/{source.name}") from error


def copy_others(populations: Path, output: Path) -> None:
    """Copy what lies beside the segments."""
    for path in populations.iterdir():
        if path.is_file():
            shutil.copyfile(path, output / path.name)


def elsewhere(populations: Path, values: Sequence[str]) -> dict[str, int]:
    """Return where values that were withheld still stand as a whole: ``population path`` to how many cells.

    The key in an item's id counts as well. A value within a longer text is not found, and neither is a short one.
    """
    wanted = pa.array(sorted({value for value in values if len(value) >= SHORT}), pa.string())
    found: Counter[str] = Counter()
    for population in POPULATIONS if len(wanted) else ():
        for batch in _batches(populations, population):
            for path in text_paths(population):
                texts = texts_at(batch, path)
                texts = pc.replace_substring_regex(texts, _KEY, "") if path == "item_id" else texts
                if number := pc.sum(pc.is_in(texts, value_set=wanted)).as_py():
                    found[f"{population} {path}"] += number
    return dict(found)


def _batches(populations: Path, population: str) -> Iterator[pa.RecordBatch]:
    for path in segment_files(populations, population):
        with pq.ParquetFile(path) as file:
            yield from file.iter_batches(batch_size=ROW_GROUP_ROWS)
