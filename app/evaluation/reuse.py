# SPDX-License-Identifier: Apache-2.0

"""Ask only what was not answered: take outcomes over from an earlier evaluation, where nothing they rest on changed.

In:  definitions, segments with their digests, an earlier evaluation with its result vectors. Out: one query.
An outcome rests on its row, on its test with all parameters, and on what the test reads of the period. A row is that of
its segment, so equal digests are equal rows. What is taken over is what would be computed, to the byte.
"""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import msgspec

from app.cel.reads import reads
from app.cel.sqltext import quote_name
from app.evaluation.definition import Definition
from app.evaluation.model import Evaluation
from app.evaluation.questions import outcomes_sql, rows_sql, segments_sql
from app.trails.populations import PeriodView


class Earlier(msgspec.Struct, frozen=True, kw_only=True):
    """What was answered before: an evaluation, and the folder of its result vectors."""

    evaluation: Evaluation
    results: Path


class Question(msgspec.Struct, frozen=True, kw_only=True):
    """A population to be judged: its tests, its segments, and the digests of all segments by name."""

    population: str
    definitions: Sequence[Definition]
    files: Sequence[Path]
    digests: Mapping[str, str]
    period: PeriodView

    @property
    def in_full(self) -> str:
        """Return the query that asks everything."""
        return outcomes_sql(self.definitions, rows_sql(self.files, self.period))


def remaining_sql(asked: Question, earlier: Earlier) -> str | None:
    """Return a query that gives what ``asked.in_full`` gives and asks less, or None where nothing can be taken over.

    Raises:
        CelError: an expression is too complex.
    """
    same = [file for file in asked.files if _is_same(asked, file, earlier)]
    answered = [each for each in asked.definitions if _is_answered(each, asked.period, earlier)]
    if not same or not answered:
        return None
    changed = [file for file in asked.files if file not in same]
    columns = ", ".join(["item_id", *(quote_name(each.id) for each in asked.definitions)])
    parts = [f"SELECT {columns} FROM {_kept(asked, same, answered, earlier)}"]  # noqa: S608 - Quoted names.
    if changed:
        parts.append(f"SELECT {columns} FROM ({outcomes_sql(asked.definitions, rows_sql(changed, asked.period))})")  # noqa: S608
    return f"{' UNION ALL '.join(parts)} ORDER BY item_id"


def _kept(asked: Question, same: Sequence[Path], answered: Sequence[Definition], earlier: Earlier) -> str:
    """Return what stands after FROM for the segments that are the same: old answers, and new ones for other tests."""
    vector = segments_sql([(earlier.results / f"{asked.population}.parquet").resolve()])
    codes = ", ".join(f"{quote_name(each.id)}::SMALLINT AS {quote_name(each.id)}" for each in answered)
    old = f"(SELECT item_id, {codes} FROM {vector})"  # noqa: S608 - Quoted names.
    others = [each for each in asked.definitions if each not in answered]
    rows = rows_sql(same, asked.period)
    here = f"({outcomes_sql(others, rows)})" if others else f"(SELECT item_id FROM {rows})"  # noqa: S608 - As above.
    return f"{here} JOIN {old} USING (item_id)"


def _is_same(asked: Question, file: Path, earlier: Earlier) -> bool:
    name = f"{asked.population}/{file.name}"
    return earlier.evaluation.segments.get(name) == asked.digests[name]


def _is_answered(definition: Definition, period: PeriodView, earlier: Earlier) -> bool:
    told = {test.test_id: test for test in earlier.evaluation.tests}.get(definition.id)
    if told is None or told.definition_sha256 != definition.sha256:
        return False
    before = earlier.evaluation
    then = PeriodView(start=before.period.start, end=before.period.end, as_of=before.as_of)
    return all(getattr(then, name) == getattr(period, name) for name in _read_of_period(definition))


def _read_of_period(definition: Definition) -> Iterator[str]:
    """Yield the fields of the period that a test reads."""
    for expression in definition.expressions:
        for path in reads(expression.tree):
            first, _, name = path.partition(".")
            if first == "period" and name:
                yield name
