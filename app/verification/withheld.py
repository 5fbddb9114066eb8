# SPDX-License-Identifier: Apache-2.0

"""The step about what a pack withholds: it is what the report says, and nothing else looks like it.

In:  the populations, the report, the controls.
Out: how much is withheld, by whom and why; or which cell shows a value that should not be there, or hides one.
"""

from collections import Counter
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from app.packs.model import Withholding
from app.packs.withholding.columns import change_texts, column_of, texts_at
from app.packs.withholding.commitments import BEGINNING, MARK
from app.packs.withholding.fields import FIELDS, all_paths, paths_of
from app.packs.withholding.reads import metrics_reading, tests_reading
from app.packs.withholding.words import told
from app.trails.populations import POPULATIONS
from app.trails.segments import segment_files
from app.verification.case import Case, need
from app.verification.outcome import Failed, fail_if_any

_ROWS = 10_000
_MAX_PROBLEMS = 20
_WHOLE = f"^{MARK.pattern}$"
Part = tuple[str, str, str]
"""A field's name, a population, a path in it."""


def as_stated(case: Case) -> str:
    """Check that exactly what the report says is withheld, and that it names the tests and metrics concerned."""
    controls, report, stated = need(case.controls, 13), case.report(), case.withheld
    folder = case.folders_of_pack().populations
    fields = stated.fields if stated else ()
    unknown = [name for name in fields if name not in FIELDS]
    fail_if_any([f"{name} is no field that can be withheld" for name in unknown])
    if stated is not None:
        _check_words(stated)
        problems = [*_part_problems(stated, folder)]
        if stated.tests != tests_reading(controls, report.evaluation, fields):
            problems.append("the report names other tests than those that read what is withheld")
        if stated.metrics != metrics_reading(controls, fields):
            problems.append("the report names other metrics than those that read what is withheld")
        fail_if_any(problems)
    alike = _look_alikes(folder, fields)
    if alike:
        case.cautions.append(f"{sum(alike.values())} values look like withheld ones and are not: {', '.join(alike)}.")
    if stated is None:
        return "nothing is withheld"
    case.cautions.append(f"This pack withholds {told(stated)}.")
    return told(stated)


def _check_words(stated: Withholding) -> None:
    problems = [] if stated.fields == tuple(sorted({*stated.fields})) and stated.fields else ["no fields, or twice one"]
    problems += [] if stated.reason.strip() and stated.by.strip() else ["the report does not say why, or by whom"]
    fail_if_any(problems)


def _part_problems(stated: Withholding, folder: Path) -> list[str]:
    """Look at every cell that must be a commitment, and count them."""
    expected = [
        (field, population, path)
        for population in POPULATIONS
        for field in stated.fields
        for path in paths_of(field, population)
    ]
    if [(part.field, part.population, part.path) for part in stated.parts] != expected:
        return ["the report names other places than those where the withheld fields stand"]
    problems: list[str] = []
    counted: Counter[Part] = Counter()
    for population in POPULATIONS:
        mine = [part for part in expected if part[1] == population]
        for batch in _batches(folder, population, mine):
            problems += _shown(batch, mine, counted)
            if len(problems) >= _MAX_PROBLEMS:
                raise Failed(problems)
    problems += [
        f"{counted[part.field, part.population, part.path]:,} values of {part.field} are withheld at {part.path} of "
        f"{part.population}, and the report says {part.values:,}"
        for part in stated.parts
        if counted[part.field, part.population, part.path] != part.values
    ]
    return problems


def _shown(batch: pa.RecordBatch, parts: list[Part], counted: Counter[Part]) -> list[str]:
    """Return which cells show something that is no commitment."""
    problems: list[str] = []

    def look(part: Part, item_id: str, where: str, cell: str | None) -> str | None:
        counted[part] += 1
        if cell is None or not MARK.fullmatch(cell):
            problems.append(f"{item_id}: {where} is not withheld, though the report says that {part[0]} is")
        return cell

    change_texts(batch, {part[2]: partial(look, part) for part in parts})
    return problems


def _look_alikes(folder: Path, fields: tuple[str, ...]) -> dict[str, int]:
    """Return where some values look like commitments although their field is not withheld.

    Somebody may type such a text. A whole column of them is no chance.

    Raises:
        Failed: every value of a column looks like one.
    """
    found: dict[str, int] = {}
    problems = []
    for population in POPULATIONS:
        others = [(name, population, path) for path, name in all_paths(population).items() if name not in fields]
        alike: Counter[str] = Counter()
        there: Counter[str] = Counter()
        for batch in _texts(folder, population, others):
            for _, _, path in others:
                texts = texts_at(batch, path)
                there[path] += len(texts) - texts.null_count
                if pc.any(pc.starts_with(texts, BEGINNING)).as_py():
                    alike[path] += pc.sum(pc.match_substring_regex(texts, _WHOLE)).as_py() or 0
        found |= {f"{path} of {population}": number for path, number in alike.items() if number}
        problems += [
            f"{path} of {population} is withheld, and the report does not say so"
            for path, number in alike.items()
            if number and number == there[path]
        ]
    fail_if_any(problems)
    return found


def _batches(folder: Path, population: str, parts: list[Part]) -> Iterator[pa.RecordBatch]:
    columns = ["item_id", *sorted({path.split(".")[0] for _, _, path in parts})]
    for path in segment_files(folder, population) if parts else ():
        with pq.ParquetFile(path) as file:
            yield from file.iter_batches(_ROWS, columns=columns)


def _texts(folder: Path, population: str, parts: list[Part]) -> Iterator[pa.RecordBatch]:
    """Yield batches that have the texts at these places, and nothing else."""
    for path in segment_files(folder, population) if parts else ():
        with pq.ParquetFile(path) as file:
            columns = [column_of(file.schema_arrow, part[2]) for part in parts]
            yield from file.iter_batches(_ROWS, columns=columns)
