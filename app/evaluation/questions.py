# SPDX-License-Identifier: Apache-2.0

"""The one query that judges a population: a result code per item and test.

In:  definitions and the segments' names. Out: SQL. Pure; nothing runs here.

The inner query answers each test's questions as TRUE, FALSE or NULL (an error); the outer one turns them into the codes
of ``ItemOutcome``. Counts and deviations are read from the codes, so no expression is evaluated twice for them.
"""

from collections.abc import Sequence
from pathlib import Path

import msgspec

from app.cel.schema import ListType, Type, ViewType, view_type
from app.cel.shared import Shared
from app.cel.sql import to_sql
from app.cel.sqltext import quote_name, quote_text
from app.evaluation.definition import Definition
from app.evaluation.model import ItemOutcome
from app.evaluation.slices import sliced_source, unclear_sql, undated_sql
from app.trails.populations import PeriodView


def outcomes_sql(definitions: Sequence[Definition], source: str) -> str:
    """Return a query with a column ``item_id`` and one SMALLINT column per test, named by its id, sorted by item.

    Args:
        definitions: tests of one population.
        source: what stands after FROM: ``rows_sql``, or the name of a table.

    Raises:
        CelError: an expression is too complex.
    """
    shared = Shared()
    asked = [column for number, each in enumerate(definitions) for column in _questions(number, each, shared)]
    codes = [_code(number, definition.id) for number, definition in enumerate(definitions)]
    inner = ",\n    ".join(["item_id", "flatten(list_transform(waivers, lambda w: w.test_ids)) AS waived", *asked])
    outer = ",\n  ".join(["item_id", *codes])
    rows = shared.source(sliced_source(definitions, source))
    return f"SELECT\n  {outer}\nFROM (\n  SELECT\n    {inner}\n  FROM {rows}\n)\nORDER BY item_id"


def rows_sql(files: Sequence[Path], period: PeriodView, *, named: bool = False) -> str:
    """Return the rows of segments, each with the period it is judged for; ``named`` as for ``segments_sql``."""
    fields = ", ".join(f"'{name}': {value}::BIGINT" for name, value in msgspec.structs.asdict(period).items())
    return f"(SELECT *, {{{fields}}} AS period FROM {segments_sql(files, named=named)})"  # noqa: S608 - Numbers, and quoted names.


def segments_sql(files: Sequence[Path], *, named: bool = False) -> str:
    """Return the table function that reads Parquet files; nothing is guessed from their names.

    Args:
        files: the files.
        named: give each row its file's name as well, as the column ``filename``.
    """
    names = ", ".join(quote_text(str(file)) for file in files)
    told = "true" if named else "false"
    return f"read_parquet([{names}], hive_partitioning = false, union_by_name = false, filename = {told})"


def _questions(number: int, definition: Definition, shared: Shared) -> list[str]:
    missing = [undated_sql(definition)] if definition.slices else []
    missing += [f"NOT evidence.{quote_name(kind)}" for kind in definition.records]
    missing += [missing_sql(definition.row, path) for path in definition.fields]
    return [
        f"{unclear_sql(definition)} AS e{number}",
        f"{to_sql(definition.applies, shared)} AS a{number}",
        f"({' OR '.join(missing) or 'false'}) AS m{number}",
        f"{to_sql(definition.undecidable, shared)} AS u{number}",
        f"{to_sql(definition.holds, shared)} AS h{number}",
    ]


def _code(number: int, test_id: str) -> str:
    waived = f"list_contains(waived, {quote_text(test_id)})"
    return (
        f"(CASE WHEN e{number} OR a{number} IS NULL THEN {ItemOutcome.ERROR:d}"
        f" WHEN NOT a{number} THEN {ItemOutcome.NOT_APPLICABLE:d}"
        f" WHEN m{number} THEN {ItemOutcome.NO_EVIDENCE:d}"
        f" WHEN u{number} IS NULL THEN {ItemOutcome.ERROR:d}"
        f" WHEN u{number} THEN {ItemOutcome.NO_EVIDENCE:d}"
        f" WHEN h{number} THEN {ItemOutcome.PASS:d}"
        f" WHEN h{number} IS NULL THEN {ItemOutcome.ERROR:d}"
        f" WHEN {waived} THEN {ItemOutcome.WAIVED:d}"
        f" ELSE {ItemOutcome.FAIL:d} END)::SMALLINT AS {quote_name(test_id)}"
    )


def missing_sql(row: type[msgspec.Struct], path: str) -> str:
    """Return SQL, never NULL, that tells whether a required field is missing; of a list, in any element."""
    first, *words = path.split(".")
    return _missing_below(quote_name(first), view_type(row).fields[first].type, words, 0)


def _missing_below(sql: str, kind: Type, words: Sequence[str], depth: int) -> str:
    if isinstance(kind, ListType) and words:
        name = f"m{depth}"
        inner = _missing_below(name, kind.element, words, depth + 1)
        return f"({sql} IS NULL OR len(list_filter({sql}, lambda {name}: {inner})) > 0)"
    if isinstance(kind, ViewType) and words:
        field = kind.fields[words[0]]
        return _missing_below(f"{sql}.{quote_name(field.name)}", field.type, words[1:], depth)
    if isinstance(kind, ViewType) and kind.witness is not None:
        return f"{sql}.{quote_name(kind.witness)} IS NULL"
    return f"{sql} IS NULL"
