# SPDX-License-Identifier: Apache-2.0

"""Check that the documents under ``controls/`` fit together and speak of things that exist.

Pure: converted documents in, problems out. Each check is one small generator; ``problems_of`` lists them all.
"""

import re
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator
from typing import Final, TypeVar

from app.controls.applicability import OWN, catalogue_hint, statement_problems
from app.controls.convert import Loaded, Placed
from app.controls.expressions import expression_problems
from app.controls.metric_checks import metric_problems
from app.controls.model import CatalogControl, ControlTest, Example, Mapping, MappingEntry
from app.controls.overlay_checks import looser_problems, overlay_problems
from app.controls.paths import UnknownPath, fields, look_up, unwrap
from app.controls.problems import Problem, nearest
from app.controls.rule_checks import rule_problems
from app.controls.sampling_checks import sampling_problems
from app.records.model import RecordType
from app.trails.populations import POPULATIONS, Row

T = TypeVar("T")

NEEDED: Final = ("pass", "fail", "no_evidence")
_RECORD_TYPES: Final = tuple(str(kind) for kind in RecordType)
_PARAMETER = re.compile(r"[a-z][a-z0-9_]*\Z")


def problems_of(loaded: Loaded) -> Iterator[Problem]:
    """Yield everything that is wrong between and inside the converted documents."""
    yield from _duplicates(loaded)
    for test in loaded.tests:
        yield from test_problems(test)
    for catalog in loaded.catalogs:
        yield from _catalog(loaded, catalog.item.id)
    for mapping in loaded.mappings:
        yield from _framework(loaded, mapping)
    for framework in loaded.entries:
        yield from _mapping(loaded, framework)
    tests = {test.item.id: test.item for test in loaded.tests}
    for test in loaded.tests if not loaded.broken else ():
        yield from _reverse(test, {*tests, *loaded.claimed})
    yield from rule_problems(loaded.rules)
    for metric in loaded.metrics:
        yield from metric_problems(metric, tests, loaded.claimed, broken=loaded.broken)
    yield from overlay_problems(loaded)
    yield from statement_problems(loaded)
    yield from sampling_problems(loaded.plans)


def test_problems(test: Placed[ControlTest]) -> Iterator[Problem]:
    """Yield what is wrong with one test alone."""
    yield from _parameters(test)
    yield from looser_problems(test)
    yield from _examples(test)
    yield from _records(test)
    row = POPULATIONS.get(test.item.population)
    if row is None:
        hint = nearest(test.item.population, POPULATIONS, f"It is one of {', '.join(POPULATIONS)}.")
        yield test.problem(("population",), f"there is no population '{test.item.population}'", hint)
        return
    yield from _columns(test, row)
    yield from _required_fields(test, row)
    for index, example in enumerate(test.item.examples):
        yield from _given(test, ("examples", index, "given"), example.given, row)
    if all(_PARAMETER.match(name) for name in test.item.parameters):
        yield from expression_problems(test, row)


def _duplicates(loaded: Loaded) -> Iterator[Problem]:
    yield from _twice(loaded.tests, lambda test: test.id, ("id",), "test")
    yield from _twice(loaded.metrics, lambda metric: metric.id, ("id",), "metric")
    yield from _twice(loaded.catalogs, lambda catalog: catalog.id, ("id",), "catalog")
    yield from _twice(loaded.bundles, lambda bundle: bundle.id, ("id",), "bundle")
    yield from _twice([each.overlay for each in loaded.overlays], lambda overlay: overlay.id, ("id",), "overlay")
    for stated in loaded.stated.values():
        yield from _twice(stated, lambda entry: entry.control, ("control",), "statement on control")
    yield from _twice(loaded.rules, lambda rule: rule.id, ("id",), "rule")
    for controls in loaded.controls.values():
        yield from _twice(controls, lambda control: control.id, ("id",), "control")
    for entries in loaded.entries.values():
        yield from _twice(entries, lambda entry: f"{entry.control} to {entry.test}", (), "mapping from")
    taken: dict[str, str] = {}
    for catalog in loaded.catalogs:
        for name in (catalog.item.id, *catalog.item.short_names):
            owner = taken.setdefault(name, catalog.item.id)
            if owner != catalog.item.id:
                hint = "Choose another short name."
                yield catalog.problem(("short_names",), f"the name '{name}' already belongs to '{owner}'", hint)


def _twice(
    items: Iterable[Placed[T]], name: Callable[[T], str], below: tuple[str, ...], what: str
) -> Iterator[Problem]:
    first: dict[str, Placed[T]] = {}
    for placed in items:
        key = name(placed.item)
        if key not in first:
            first[key] = placed
            continue
        other = first[key]
        line = other.document.position((*other.path, *below)).line
        hint = f"Rename or remove one; the first is at {other.document.name}:{line}."
        if placed.document.name.startswith(OWN) and not other.document.name.startswith(OWN):
            hint = f"It is shipped, at {other.document.name}:{line}: choose another id, or change it with an overlay."
        yield placed.problem(below, f"the {what} '{key}' is here a second time", hint)


def _parameters(test: Placed[ControlTest]) -> Iterator[Problem]:
    spoken = f"{test.item.applies_when} {test.item.no_evidence_when} {test.item.assertion}"
    for name in test.item.parameters:
        if not _PARAMETER.match(name):
            hint = "Use lower-case letters, digits and underscores."
            yield test.problem(("parameters", name), f"'{name}' cannot be the name of a parameter", hint, key=True)
        elif not re.search(rf"\bp\.{name}\b", spoken):
            hint = f"Use it as 'p.{name}', or remove it."
            yield test.problem(("parameters", name), f"the parameter '{name}' is never used", hint, key=True)


def _examples(test: Placed[ControlTest]) -> Iterator[Problem]:
    counts = Counter(example.expect for example in test.item.examples)
    missing = [outcome for outcome in NEEDED if not counts[outcome]]
    if missing:
        what = f"{test.item.id} has no example that expects {' or '.join(missing)}"
        yield test.problem(("examples",), what, "Add one of each: pass, fail and no_evidence.", key=True)
    names = Counter(example.name for example in test.item.examples)
    for index, example in enumerate(test.item.examples):
        if names[example.name] > 1:
            yield test.problem(("examples", index, "name"), "two examples have this name", "Say what is special.")
        yield from _example_parameters(test, index, example)


def _example_parameters(test: Placed[ControlTest], index: int, example: Example) -> Iterator[Problem]:
    for name, value in example.parameters.items():
        below = ("examples", index, "parameters", name)
        if name not in test.item.parameters:
            hint = nearest(name, test.item.parameters, "Declare it under 'parameters' of the test.")
            yield test.problem(below, f"the test has no parameter '{name}'", hint, key=True)
        elif type(value) is not type(test.item.parameters[name]):
            hint = "Give it the same type as the test does."
            yield test.problem(below, f"the parameter '{name}' has another type here", hint)


def _records(test: Placed[ControlTest]) -> Iterator[Problem]:
    for key, names in (("records", test.item.requires.records), ("complete", test.item.requires.complete)):
        for index, name in enumerate(names):
            if name not in _RECORD_TYPES:
                hint = nearest(name, _RECORD_TYPES, f"It is one of {', '.join(_RECORD_TYPES)}.")
                yield test.problem(("requires", key, index), f"there is no record type '{name}'", hint)


def _reverse(test: Placed[ControlTest], known: Collection[str]) -> Iterator[Problem]:
    for index, name in enumerate(test.item.reverse):
        if name not in known or name == test.item.id:
            hint = nearest(name, known, "'proofroom controls list' shows the tests.")
            yield test.problem(("reverse", index), f"there is no other test '{name}'", hint)


def _columns(test: Placed[ControlTest], row: type[Row]) -> Iterator[Problem]:
    for index, path in enumerate(test.item.columns):
        try:
            kind = look_up(row, path).type
        except UnknownPath as error:
            yield _unknown_path(test, ("columns", index), path, error)
            continue
        if fields(kind):
            hint = f"Name one of its fields, such as '{path}.{next(iter(fields(kind)))}'."
            yield test.problem(("columns", index), f"'{path}' is not a single value", hint)


def _required_fields(test: Placed[ControlTest], row: type[Row]) -> Iterator[Problem]:
    for index, path in enumerate(test.item.requires.fields):
        below = ("requires", "fields", index)
        try:
            info = look_up(row, path)
        except UnknownPath as error:
            yield _unknown_path(test, below, path, error)
            continue
        if not info.nullable:
            yield test.problem(below, f"'{path}' is never missing", "Leave it out.")


def _unknown_path(test: Placed[ControlTest], below: tuple[str | int, ...], path: str, error: UnknownPath) -> Problem:
    known = ", ".join(error.known) or "nothing is below it"
    hint = nearest(error.word, error.known, f"Known there: {known}.")
    return test.problem(below, f"the population '{test.item.population}' has no '{path}'", hint)


def _given(test: Placed[ControlTest], below: tuple[str | int, ...], given: object, kind: object) -> Iterator[Problem]:
    """Yield the keys of an example's row that the population does not have."""
    known = fields(kind)
    if isinstance(given, list):
        for index, part in enumerate(given):
            yield from _given(test, (*below, index), part, kind)
    elif isinstance(given, dict) and known:
        for key, value in given.items():
            if key in known:
                yield from _given(test, (*below, key), value, unwrap(known[key])[0])
            else:
                hint = nearest(str(key), known, f"Known there: {', '.join(known)}.")
                yield test.problem(
                    (*below, key), f"the population '{test.item.population}' has no '{key}' here", hint, key=True
                )
    elif known and given is not None:
        yield test.problem(below, "this must be a mapping", f"Known there: {', '.join(known)}.")


def _catalog(loaded: Loaded, framework: str) -> Iterator[Problem]:
    entries = loaded.entries.get(framework, ())
    mapped = {entry.item.control for entry in entries} | loaded.claimed
    # An own mapping tests what the shipped catalogue says is not tested; nobody can take the reason out there.
    shipped = {entry.item.control for entry in entries if not entry.document.name.startswith(OWN)} | loaded.claimed
    catalog = next(placed for placed in loaded.catalogs if placed.item.id == framework)
    for control in loaded.controls.get(framework, ()):
        if control.item.text is not None and catalog.item.text_licence == "own-words":
            hint = "Say it in your own words in 'summary'; the owner's text may not be copied."
            yield control.problem(("text",), "this catalogue must not quote text", hint, key=True)
        own = control.document.name.startswith(OWN)
        yield from _reason(control, mapped, mapped if own else shipped, known=not loaded.broken)


def _reason(
    control: Placed[CatalogControl], mapped: set[str], contradicting: set[str], *, known: bool
) -> Iterator[Problem]:
    name, reason = control.item.id, control.item.not_tested_because
    if reason is None and known and name not in mapped:
        hint = "Map a test to it, or say 'not_tested_because: ...'."
        yield control.problem(("id",), f"no test is mapped to control '{name}', and nothing says why", hint)
    if reason is not None and name in contradicting:
        hint = "Remove the reason, or the mapping."
        yield control.problem(("not_tested_because",), f"control '{name}' is tested, but says why not", hint, key=True)


def _framework(loaded: Loaded, mapping: Placed[Mapping]) -> Iterator[Problem]:
    framework, catalogs = mapping.item.framework, [placed.item.id for placed in loaded.catalogs]
    if framework not in catalogs and not loaded.broken:
        hint = catalogue_hint(loaded, framework)
        yield mapping.problem(("framework",), f"there is no catalogue '{framework}'", hint)


def _mapping(loaded: Loaded, framework: str) -> Iterator[Problem]:
    if framework not in [placed.item.id for placed in loaded.catalogs] and not loaded.broken:
        return
    controls = {control.item.id: control.item for control in loaded.controls.get(framework, ())}
    tests = {test.item.id for test in loaded.tests}
    for entry in loaded.entries.get(framework, ()):
        yield from _entry(entry, controls, tests, loaded)


def _entry(
    entry: Placed[MappingEntry], controls: dict[str, CatalogControl], tests: set[str], loaded: Loaded
) -> Iterator[Problem]:
    control, test = entry.item.control, entry.item.test
    if control not in controls and control not in loaded.claimed and not loaded.broken:
        owner = next((name for name, known in controls.items() if control in known.aliases), None)
        hint = (
            f"It is an alias; write '{owner}'." if owner else nearest(control, controls, "Ids are as in the catalogue.")
        )
        yield entry.problem(("control",), f"there is no control '{control}' in this framework", hint)
    if test not in tests and test not in loaded.claimed and not loaded.broken:
        hint = nearest(test, tests, "'proofroom controls list' shows the tests.")
        yield entry.problem(("test",), f"there is no test '{test}'", hint)
