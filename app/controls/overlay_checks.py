# SPDX-License-Identifier: Apache-2.0

"""Check overlays and bundles: they change what exists, to values that fit, and nobody loosens a test alone.

Pure: converted documents in, problems out. A value that asks less than the test's own needs a reason, somebody who
asked for it, somebody else who approved it, and the day of that, not after the day it came into force.
"""

from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Final

from app.cel.check import check
from app.cel.errors import CelError
from app.cel.schema import ListType, ScalarType, parameters_of
from app.controls.changes import BundleUse, ParameterBundle, ParameterChange
from app.controls.convert import Loaded, Placed
from app.controls.model import ControlTest, ParameterValue
from app.controls.overlays import Entry, ancestors, entries, is_looser, looser_values, span
from app.controls.problems import Problem, nearest
from app.trails.populations import POPULATIONS, Row

MOST_CHANGES: Final = 200
"""Changes of one test; more would be a register of exceptions, which waivers are."""
_SHOWN: Final = 3
_DIRECTIONS: Final = {
    ScalarType.SPAN: ("longer", "shorter"),
    ScalarType.INT: ("higher", "lower", "more", "fewer"),
    ScalarType.DOUBLE: ("higher", "lower"),
    ScalarType.BOOL: ("on", "off"),
}
_APPROVAL: Final = ("reason", "requested_by", "approved_by", "approved_on")


def looser_problems(test: Placed[ControlTest]) -> Iterator[Problem]:
    """Yield directions of a test that name no parameter, or cannot be the direction of such a value."""
    for name, direction in test.item.looser.items():
        own = test.item.parameters.get(name)
        if own is None:
            hint = nearest(name, test.item.parameters, "Name one of its parameters.")
            yield test.problem(("looser", name), f"the test has no parameter '{name}'", hint, key=True)
            continue
        kind = _kind(name, own)
        fitting = ("more", "fewer") if isinstance(kind, ListType) else _DIRECTIONS.get(kind or ScalarType.STRING, ())
        if kind is not None and direction not in (*fitting, "either"):
            hint = f"It is one of {', '.join((*fitting, 'either'))}."
            yield test.problem(("looser", name), f"'{direction}' is no direction for '{name}'", hint)


def overlay_problems(loaded: Loaded) -> Iterator[Problem]:
    """Yield what is wrong with bundles and overlays."""
    tests = {placed.item.id: placed.item for placed in loaded.tests}
    for bundle in loaded.bundles:
        yield from _bundle(bundle, tests, loaded)
    yield from _references(loaded)
    for overlay in loaded.overlays:
        for change in overlay.changes:
            yield from _dates(change)
            yield from _change(change, tests, loaded)
        for use in overlay.uses:
            yield from _dates(use)
    found = [entry for entry in entries(loaded) if entry.test in tests]
    for entry in found:
        yield from _scope(entry, tests[entry.test])
        yield from _approval(entry, tests[entry.test])
    yield from _conflicts(loaded, found)


def _bundle(bundle: Placed[ParameterBundle], tests: Mapping[str, ControlTest], loaded: Loaded) -> Iterator[Problem]:
    for name, values in bundle.item.values.items():
        if name in tests:
            yield from _values(bundle, ("values", name), tests[name], values)
        elif name not in loaded.claimed and not loaded.broken:
            hint = nearest(name, tests, "'proofroom controls list' shows the tests.")
            yield bundle.problem(("values", name), f"there is no test '{name}'", hint, key=True)


def _change(change: Placed[ParameterChange], tests: Mapping[str, ControlTest], loaded: Loaded) -> Iterator[Problem]:
    name = change.item.test
    if name in tests:
        if not change.item.parameters:
            yield change.problem(("parameters",), "the change changes nothing", "Name a parameter and its value.")
        yield from _values(change, ("parameters",), tests[name], change.item.parameters)
    elif name not in loaded.claimed and not loaded.broken:
        hint = nearest(name, tests, "'proofroom controls list' shows the tests.")
        yield change.problem(("test",), f"there is no test '{name}'", hint)


def _values(
    placed: Placed[ParameterBundle] | Placed[ParameterChange],
    below: tuple[str, ...],
    test: ControlTest,
    values: Mapping[str, ParameterValue],
) -> Iterator[Problem]:
    for name, value in values.items():
        if name not in test.parameters:
            hint = nearest(name, test.parameters, f"It has: {', '.join(test.parameters) or 'none'}.")
            yield placed.problem((*below, name), f"{test.id} has no parameter '{name}'", hint, key=True)
            continue
        try:
            kind = parameters_of({name: value})[name].type
        except CelError as error:
            yield placed.problem((*below, name), error.message, error.hint or "Choose another value.")
            continue
        if kind != _kind(name, test.parameters[name]):
            hint = f"Write it as the test does: {value_text(test.parameters[name])}."
            yield placed.problem((*below, name), f"'{name}' of {test.id} has another type", hint)


def _fits(test: ControlTest, name: str, value: ParameterValue) -> bool:
    return name in test.parameters and _kind(name, value) == _kind(name, test.parameters[name])


def _kind(name: str, value: ParameterValue) -> ScalarType | ListType | None:
    try:
        return parameters_of({name: value})[name].type
    except CelError:
        return None


def _references(loaded: Loaded) -> Iterator[Problem]:
    by_id = {placed.overlay.item.id: placed for placed in loaded.overlays}
    bundles = [placed.item.id for placed in loaded.bundles]
    for placed in loaded.overlays:
        overlay = placed.overlay
        for index, base in enumerate(overlay.item.extends):
            if base not in by_id and not loaded.broken:
                hint = nearest(base, by_id, f"Known: {', '.join(by_id)}.")
                yield overlay.problem(("extends", index), f"there is no overlay '{base}'", hint)
        for use in placed.uses:
            if use.item.bundle not in bundles and not loaded.broken:
                hint = nearest(use.item.bundle, bundles, f"Known: {', '.join(bundles) or 'none'}.")
                yield use.problem(("bundle",), f"there is no bundle '{use.item.bundle}'", hint)
    yield from _cycles(loaded)


def _cycles(loaded: Loaded) -> Iterator[Problem]:
    """Yield one problem for each cycle, at the overlay of it that comes first."""
    by_id = {placed.overlay.item.id: placed for placed in loaded.overlays}
    told: set[str] = set()
    for placed in loaded.overlays:
        name = placed.overlay.item.id
        cycle = _way_back({key: each.overlay.item.extends for key, each in by_id.items()}, name)
        if cycle and name not in told:
            told.update(cycle)
            what = f"overlays extend each other in a circle: {' -> '.join(cycle)}"
            yield placed.overlay.problem(("extends",), what, "Remove one of the steps.")


def _way_back(extends: Mapping[str, tuple[str, ...]], start: str) -> list[str]:
    """Return the shortest way from an overlay over those it extends back to itself; empty if there is none."""
    ways = [[start]]
    seen: set[str] = set()
    for way in ways:
        for base in extends.get(way[-1], ()):
            if base == start:
                return [*way, base]
            if base not in seen:
                seen.add(base)
                ways.append([*way, base])
    return []


def _dates(placed: Placed[ParameterChange] | Placed[BundleUse]) -> Iterator[Problem]:
    said = placed.item
    if said.until is not None and said.until < said.from_:
        yield placed.problem(("until",), "the change ends before it begins", f"It begins on {said.from_}.")


@lru_cache(maxsize=4096)
def _scope_error(where: str, row: type[Row]) -> CelError | None:
    try:
        check(where, row=row, parameters={})
    except CelError as error:
        return error
    return None


def _scope(entry: Entry, test: ControlTest) -> Iterator[Problem]:
    row = POPULATIONS.get(test.population)
    error = _scope_error(entry.decision.item.where, row) if row else None
    if error is not None:
        placed = entry.decision
        at = placed.document.text_position((*placed.path, "where"), error.line or 1, error.column or 1)
        hint = (error.hint or "It is CEL over one item.").replace(", or list it under requires.fields", "")
        yield placed.document.problem(
            at, f"where, for {test.id} of population {test.population}: {error.message}", hint
        )


def _approval(entry: Entry, test: ControlTest) -> Iterator[Problem]:
    fitting = {name: value for name, value in entry.parameters.items() if _fits(test, name, value)}
    loose = looser_values(test, fitting)
    placed, said = entry.decision, entry.decision.item
    if not loose:
        return
    name = loose[0]
    missing = [key for key in _APPROVAL if not str(getattr(said, key) or "").strip()]
    if missing:
        own, value = value_text(test.parameters[name]), value_text(entry.parameters[name])
        compared = "is looser than" if _surely(test, name, entry) else "may ask less than"
        what = f"{test.id}: '{name}: {value}' {compared} the test's own {own}, without {' and '.join(missing)}"
        below = ("parameters", name) if isinstance(said, ParameterChange) else ("bundle",)
        hint = f"Add {', '.join(missing)}, or choose a value that asks as much."
        yield placed.problem(below, what, hint)
    if said.approved_by and said.requested_by and _same(said.approved_by, said.requested_by):
        what = f"{test.id} would ask less, and who requested that approved it"
        yield placed.problem(("approved_by",), what, "Somebody else must approve a looser value.")
    if said.approved_on and said.approved_on > said.from_:
        what = f"{test.id} would ask less from {said.from_} on, but that was approved on {said.approved_on}"
        hint = "Begin on the day of the approval; what deviated before stays a deviation, or gets a waiver."
        yield placed.problem(("approved_on",), what, hint)


def _surely(test: ControlTest, name: str, entry: Entry) -> bool:
    direction = test.looser.get(name, "either")
    return direction != "either" and is_looser(direction, test.parameters[name], entry.parameters[name])


def _same(one: str, other: str) -> bool:
    return " ".join(one.casefold().split()) == " ".join(other.casefold().split())


def _conflicts(loaded: Loaded, found: list[Entry]) -> Iterator[Problem]:
    """Yield pairs that set one parameter for the same scope and time, unless the later one says that it may."""
    by_id = {placed.overlay.item.id: placed for placed in loaded.overlays}
    bases = {name: frozenset(ancestors(by_id, name)) for name in by_id}
    by_test: dict[str, list[Entry]] = {}
    for entry in found:
        by_test.setdefault(entry.test, []).append(entry)
    for test, mine in by_test.items():
        if len(mine) > MOST_CHANGES:
            hint = "Join changes by scope, or use waivers for single deviations."
            yield mine[-1].decision.problem((), f"{test} is changed more than {MOST_CHANGES} times", hint)
            continue
        for later, entry in enumerate(mine):
            for earlier in mine[:later]:
                yield from _conflict(earlier, entry, bases)


def _conflict(earlier: Entry, later: Entry, bases: Mapping[str, frozenset[str]]) -> Iterator[Problem]:
    shared = [name for name in later.parameters if name in earlier.parameters]
    if not shared or not _meet(earlier, later) or _may_replace(earlier, later, bases):
        return
    line = earlier.decision.document.position(earlier.decision.path).line
    where = f"{earlier.decision.document.name}:{line}"
    names = ", ".join(shared[:_SHOWN])
    hint = f"The first is at {where}: end it before, narrow 'where', or name '{earlier.overlay.id}' under 'extends'."
    below = ("parameters", shared[0]) if isinstance(later.decision.item, ParameterChange) else ("bundle",)
    what = f"{names} of {later.test} is set twice for the same items and days"
    yield later.decision.problem(below, what, hint, key=isinstance(later.decision.item, ParameterChange))


def _meet(one: Entry, other: Entry) -> bool:
    (start, end), (start2, end2) = span(one.decision.item), span(other.decision.item)
    same = one.decision.item.where.split() == other.decision.item.where.split()
    return same and (end2 is None or start < end2) and (end is None or start2 < end)


def _may_replace(earlier: Entry, later: Entry, bases: Mapping[str, frozenset[str]]) -> bool:
    if earlier.overlay.id == later.overlay.id:
        return earlier.bundle is not None and later.bundle is None
    return earlier.overlay.id in bases[later.overlay.id]


def value_text(value: ParameterValue) -> str:
    """Return a parameter's value as people read it."""
    match value:
        case bool():
            return "true" if value else "false"
        case tuple():
            return f"[{', '.join(value)}]"
        case _:
            return str(value)
