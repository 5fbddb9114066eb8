# SPDX-License-Identifier: Apache-2.0

"""Ask only what was not answered: take outcomes over from an earlier evaluation, where nothing they rest on changed.

In:  definitions, segments with their digests, an earlier evaluation with its result vectors. Out: two queries.
An outcome rests on its row, on its test with all parameters, and on what the test asks about the period. A row is that
of its segment, so equal digests are equal rows. As time goes on, few questions about the period get another answer:
those of items whose time was running out. What is taken over is what would be computed, to the byte.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path

import msgspec

from app.cel.sql import to_sql
from app.cel.sqltext import quote_name
from app.cel.substitute import questions_about, with_values
from app.digests import sha256_of
from app.evaluation.definition import Definition
from app.evaluation.model import Evaluation
from app.evaluation.questions import outcomes_sql, rows_sql, segments_sql
from app.evaluation.slices import sliced_source
from app.signing.canonical import canonical_json
from app.trails.populations import PeriodView


class Earlier(msgspec.Struct, frozen=True, kw_only=True):
    """What was answered before: an evaluation, and the folder of its result vectors."""

    evaluation: Evaluation
    results: Path


def state_digests(results: Path) -> None:
    """Write down, beside a folder of result vectors, the SHA-256 of each, for those that would take it over."""
    _digests(results).write_bytes(canonical_json({file.name: sha256_of(file) for file in results.glob("*.parquet")}))


def is_as_written(results: Path, name: str) -> bool:
    """Tell whether a result vector is there, and still as it was when its digest was written down."""
    try:
        stated = msgspec.json.decode(_digests(results).read_bytes(), type=dict[str, str])
        return stated.get(name) == sha256_of(results / name)
    except (OSError, msgspec.MsgspecError):
        return False


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


def moved_sql(asked: Question, earlier: Earlier) -> str | None:
    """Return a query for the names of the segments in which the period that it is now may change an answer.

    Returns:
        The query, or None if no question is asked about what is another period now.

    Raises:
        CelError: an expression is too complex.
    """
    before = earlier.evaluation
    then = PeriodView(start=before.period.start, end=before.period.end, as_of=before.as_of)
    known = [each for each in asked.definitions if _is_known(each, earlier)]
    other = {sql for each in known for sql in _other_sql(each, then, asked.period)}
    files = [file for file in asked.files if _is_same(asked, file, earlier)]
    if not other or not files:
        return None
    rows = sliced_source(known, rows_sql(files, asked.period, named=True))
    return f"SELECT DISTINCT filename FROM {rows} WHERE {' OR '.join(sorted(other))}"  # noqa: S608 - Compiled.


def remaining_sql(asked: Question, earlier: Earlier, moved: Collection[Path] = ()) -> str | None:
    """Return a query that gives what ``asked.in_full`` gives and asks less, or None where nothing can be taken over.

    Args:
        asked: what is to be answered.
        earlier: what was.
        moved: the segments that ``moved_sql`` finds.

    Raises:
        CelError: an expression is too complex.
    """
    same = [file for file in asked.files if file not in moved and _is_same(asked, file, earlier)]
    answered = [each for each in asked.definitions if _is_known(each, earlier)]
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


def _is_known(definition: Definition, earlier: Earlier) -> bool:
    told = {test.test_id: test for test in earlier.evaluation.tests}.get(definition.id)
    return told is not None and told.definition_sha256 == definition.sha256


def _other_sql(definition: Definition, then: PeriodView, now: PeriodView) -> Iterator[str]:
    """Yield SQL, never NULL, that tells of a row whether a question about the period has another answer."""
    if then == now:
        return
    for expression in definition.expressions:
        for question in questions_about(expression.tree, "period"):
            answers = [
                to_sql(msgspec.structs.replace(expression, tree=with_values(question, "period", values)))
                for values in (msgspec.structs.asdict(then), msgspec.structs.asdict(now))
            ]
            if answers[0] != answers[1]:
                yield f"({answers[0]}) IS DISTINCT FROM ({answers[1]})"


def _digests(results: Path) -> Path:
    """Return the file of the digests; it is not in the folder, for all of that goes into packs."""
    return results.with_name(f"{results.name}-digests.json")
