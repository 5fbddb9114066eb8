# SPDX-License-Identifier: Apache-2.0

"""A control test made ready to be asked: its expressions checked, its parameters typed, its digest taken."""

import hashlib
from functools import lru_cache

import msgspec

from app.cel.check import check
from app.cel.expression import CheckedExpression
from app.cel.schema import ListType, Type, ViewType, view_type
from app.controls.model import ControlTest
from app.errors import InvalidInput
from app.trails.populations import POPULATIONS, Row


class Definition(msgspec.Struct, frozen=True, kw_only=True):
    """A test that can be asked of rows.

    Attributes:
        applies, undecidable, holds: the three questions, in this order.
        records: evidence flags that must be true.
        fields: dotted paths that must be there; a path through a list must be there in every element.
        sha256: digest of the definition with its parameter values, without the examples.
    """

    id: str
    population: str
    row: type[Row]
    applies: CheckedExpression
    undecidable: CheckedExpression
    holds: CheckedExpression
    records: tuple[str, ...]
    fields: tuple[str, ...]
    sha256: str


def define(test: ControlTest) -> Definition:
    """Check a test's expressions.

    Raises:
        InvalidInput: there is no such population, or a required field or record type does not exist.
        CelError: an expression cannot be used.
    """
    return _define(msgspec.json.encode(msgspec.structs.replace(test, examples=()), order="sorted"))


@lru_cache(maxsize=1024)
def _define(canonical: bytes) -> Definition:
    test = msgspec.json.decode(canonical, type=ControlTest)
    row = POPULATIONS.get(test.population)
    if row is None:
        raise InvalidInput(f"there is no population '{test.population}'", where=test.id)
    view = view_type(row)
    for path in (*test.requires.fields, *(f"evidence.{kind}" for kind in test.requires.records)):
        if not _exists(view, path):
            raise InvalidInput(f"there is no '{path}' in population '{test.population}'", where=test.id)
    required = test.requires.fields
    return Definition(
        id=test.id,
        population=test.population,
        row=row,
        applies=check(test.applies_when, row=row, parameters=test.parameters),
        undecidable=check(test.no_evidence_when, row=row, parameters=test.parameters, required=required),
        holds=check(test.assertion, row=row, parameters=test.parameters, required=required),
        records=test.requires.records,
        fields=required,
        sha256=hashlib.sha256(canonical).hexdigest(),
    )


def _exists(view: ViewType, path: str) -> bool:
    here: Type = view
    for word in path.split("."):
        inner = here.element if isinstance(here, ListType) else here
        if not isinstance(inner, ViewType) or word not in inner.fields:
            return False
        here = inner.fields[word].type
    return True
