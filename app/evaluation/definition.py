# SPDX-License-Identifier: Apache-2.0

"""A control test made ready to be asked: its expressions checked, its parameters typed, its digest taken."""

import hashlib
from collections.abc import Sequence
from functools import lru_cache

import msgspec

from app.cel.check import check
from app.cel.expression import CheckedExpression
from app.cel.schema import ListType, Parameter, Type, ViewType, parameters_of, view_type
from app.controls.model import ControlTest
from app.controls.overlays import Slice, definition_bytes
from app.errors import InvalidInput
from app.trails.populations import POPULATIONS, Row


class DefinedSlice(msgspec.Struct, frozen=True, kw_only=True):
    """Other values for the items of a scope, from ``start`` until before ``end`` (epoch ms; None = open)."""

    start: int
    end: int | None
    scope: CheckedExpression
    parameters: dict[str, Parameter]


class Definition(msgspec.Struct, frozen=True, kw_only=True):
    """A test that can be asked of rows.

    Attributes:
        applies, undecidable, holds: the three questions, in this order.
        records: evidence flags that must be true.
        fields: dotted paths that must be there; a path through a list must be there in every element.
        slices: what overlays change, in order; of several that set a parameter for an item, the last one counts.
        own: the test's own values of the parameters that some slice sets; columns: where the SQL finds them.
        sha256: digest of the definition with its parameter values and slices, without the examples.
    """

    id: str
    population: str
    row: type[Row]
    applies: CheckedExpression
    undecidable: CheckedExpression
    holds: CheckedExpression
    records: tuple[str, ...]
    fields: tuple[str, ...]
    slices: tuple[DefinedSlice, ...]
    own: dict[str, Parameter]
    columns: dict[str, str]
    sha256: str

    @property
    def expressions(self) -> tuple[CheckedExpression, ...]:
        """Return everything that is asked of a row."""
        return (self.applies, self.undecidable, self.holds, *(each.scope for each in self.slices))


def define(test: ControlTest, slices: Sequence[Slice] = ()) -> Definition:
    """Check a test's expressions, and those of what overlays change of it.

    Raises:
        InvalidInput: there is no such population, or a required field or record type does not exist.
        CelError: an expression cannot be used.
    """
    return _define(definition_bytes(test, slices), with_slices=bool(slices))


class _Sliced(msgspec.Struct, frozen=True):
    test: ControlTest
    slices: tuple[Slice, ...]


@lru_cache(maxsize=1024)
def _define(canonical: bytes, *, with_slices: bool) -> Definition:
    if with_slices:
        sliced = msgspec.json.decode(canonical, type=_Sliced)
    else:
        sliced = _Sliced(msgspec.json.decode(canonical, type=ControlTest), ())
    test, slices = sliced.test, sliced.slices
    row = POPULATIONS.get(test.population)
    if row is None:
        raise InvalidInput(f"there is no population '{test.population}'", where=test.id)
    view = view_type(row)
    for path in (*test.requires.fields, *(f"evidence.{kind}" for kind in test.requires.records)):
        if not _exists(view, path):
            raise InvalidInput(f"there is no '{path}' in population '{test.population}'", where=test.id)
    changed = {name for each in slices for name in each.parameters}
    columns = {name: f"{test.id} {name}" for name in sorted(changed)}

    def checked(expression: str, required: Sequence[str]) -> CheckedExpression:
        return check(expression, row=row, parameters=test.parameters, required=required, columns=columns)

    return Definition(
        id=test.id,
        population=test.population,
        row=row,
        applies=checked(test.applies_when, ()),
        undecidable=checked(test.no_evidence_when, test.requires.fields),
        holds=checked(test.assertion, test.requires.fields),
        records=test.requires.records,
        fields=test.requires.fields,
        slices=tuple(_slice(test, row, each) for each in slices),
        own=parameters_of({name: test.parameters[name] for name in columns}),
        columns=columns,
        sha256=hashlib.sha256(canonical).hexdigest(),
    )


def _slice(test: ControlTest, row: type[Row], said: Slice) -> DefinedSlice:
    values = parameters_of(said.parameters)
    own = parameters_of(test.parameters)
    for name, value in values.items():
        if name not in own or own[name].type != value.type:
            raise InvalidInput(f"'{name}' is no parameter of this type", where=f"{said.overlay}, {test.id}")
    scope = check(said.where, row=row, parameters={})
    return DefinedSlice(start=said.start, end=said.end, scope=scope, parameters=values)


def _exists(view: ViewType, path: str) -> bool:
    here: Type = view
    for word in path.split("."):
        inner = here.element if isinstance(here, ListType) else here
        if not isinstance(inner, ViewType) or word not in inner.fields:
            return False
        here = inner.fields[word].type
    return True
