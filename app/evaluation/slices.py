# SPDX-License-Identifier: Apache-2.0

"""The SQL of parameters that overlays change: which values count for which row.

In:  definitions. Out: SQL. Pure. Where no overlay changes a test, nothing is added, and the query is what it was.

Two queries are put below the judging one. The first asks of each row, for each slice, whether it is in force there:
TRUE, FALSE, or NULL where its scope errs. The second has a column for each changed parameter, with the value of the
last slice in force or the test's own. The judging query reads these columns where it would have had constants.
"""

from collections.abc import Iterator, Sequence

from app.cel.ast import Literal
from app.cel.schema import Parameter, ScalarType
from app.cel.sql import to_sql
from app.cel.sqltext import literal_sql, quote_name, quote_text
from app.evaluation.definition import DefinedSlice, Definition

_AT = quote_name("at")


def sliced_source(definitions: Sequence[Definition], source: str) -> str:
    """Return what stands after FROM: ``source``, with the columns that changed definitions read."""
    changed = [definition for definition in definitions if definition.slices]
    if not changed:
        return source
    asked = ",\n      ".join(column for definition in changed for column in _in_force(definition))
    chosen = ",\n    ".join(column for definition in changed for column in _values(definition))
    return f"(SELECT *,\n    {chosen}\n  FROM (SELECT *,\n      {asked}\n    FROM {source}))"  # noqa: S608 - Quoted below.


def undated_sql(definition: Definition) -> str:
    """Return SQL, never NULL: the row has no instant, and a slice may be for it, so nobody knows which value counts."""
    return quote_name(f"{definition.id} undated")


def unclear_sql(definition: Definition) -> str:
    """Return SQL, never NULL: the scope of a slice erred for the row."""
    erred = [f"{_name(definition, number)} IS NULL" for number in range(len(definition.slices))]
    return f"({' OR '.join(erred) or 'false'})"


def _in_force(definition: Definition) -> Iterator[str]:
    for number, each in enumerate(definition.slices):
        yield f"(CASE WHEN {_during(each)} THEN {to_sql(each.scope)} ELSE false END) AS {_name(definition, number)}"
    # An instant that is not known is no error; a scope that errs for it may still mean the row.
    scopes = " OR ".join(f"coalesce({to_sql(each.scope)}, true)" for each in definition.slices)
    yield f"({_AT} IS NULL AND ({scopes})) AS {undated_sql(definition)}"


def _during(each: DefinedSlice) -> str:
    until = "" if each.end is None else f" AND {_AT} < {each.end}"
    return f"{_AT} >= {each.start}{until}"


def _values(definition: Definition) -> Iterator[str]:
    for name, column in definition.columns.items():
        cases = [
            f" WHEN {_name(definition, number)} THEN {_value_sql(each.parameters[name])}"
            for number, each in reversed(list(enumerate(definition.slices)))
            if name in each.parameters
        ]
        yield f"(CASE{''.join(cases)} ELSE {_value_sql(definition.own[name])} END) AS {quote_name(column)}"


def _name(definition: Definition, number: int) -> str:
    return quote_name(f"{definition.id} slice {number}")


def _value_sql(parameter: Parameter) -> str:
    if isinstance(parameter.value, tuple):
        return f"[{', '.join(map(quote_text, parameter.value))}]::VARCHAR[]"
    assert isinstance(parameter.type, ScalarType)  # noqa: S101 - Only tuples have a list type.
    return literal_sql(Literal(at=0, value=parameter.value, type=parameter.type))
