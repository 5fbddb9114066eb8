# SPDX-License-Identifier: Apache-2.0

"""Check that metrics fit together: known populations, tests and paths, CEL that can be used, keys that belong together.

Pure: converted metrics in, problems out, each at its line and column.
"""

import re
from collections.abc import Collection, Iterator
from typing import Final

import msgspec

from app.cel.ast import type_of
from app.cel.check import check, check_value
from app.cel.errors import CelError
from app.cel.expression import CheckedExpression
from app.cel.schema import ListType, ScalarType, view_type
from app.controls.convert import Placed
from app.controls.metrics import EACH, Measure, Metric, Unit, row_with_each
from app.controls.model import ControlTest
from app.controls.paths import UnknownPath, fields, look_up, unwrap
from app.controls.problems import Problem, nearest
from app.records.model import RecordType
from app.trails.populations import DAILY, POPULATIONS

_RECORD_TYPES: Final = tuple(str(kind) for kind in RecordType)
_NEEDS: Final[dict[Measure, tuple[str, ...]]] = {
    "count": (),
    "distinct": ("of",),
    "sum": ("of",),
    "ratio": ("of",),
    "quotient": ("of", "out_of"),
    "quantiles": ("of",),
    "outcome_ratio": ("test", "counted", "among"),
}
_OWN_KEYS: Final = ("of", "out_of", "test", "counted", "among")
_DESCRIBED: Final = ("population", "measure")
_UNITS: Final[dict[Measure, tuple[Unit, ...]]] = {
    "count": ("items",),
    "distinct": ("items",),
    "sum": ("items", "duration"),
    "ratio": ("ratio",),
    "quotient": ("ratio", "per_100"),
    "quantiles": ("items", "duration"),
    "outcome_ratio": ("ratio",),
}
_SCALARS: Final = (ScalarType.STRING, ScalarType.BOOL, ScalarType.INT)


def metric_problems(
    metric: Placed[Metric], tests: dict[str, ControlTest], claimed: Collection[str], *, broken: bool
) -> Iterator[Problem]:
    """Yield what is wrong with one metric.

    Args:
        metric: the metric and where it stands.
        tests: the tests that loaded, by id.
        claimed: ids of tests that did not load and are reported elsewhere.
        broken: a file could not be read, so an unknown test may be in it.
    """
    said = metric.item
    if said.not_measured_because is not None:
        yield from _not_measured(metric)
        return
    for key in _DESCRIBED:
        if getattr(said, key) is None:
            hint = "Add it, or say 'not_measured_because: ...'."
            yield metric.problem((), f"metric '{said.id}' has no '{key}'", hint)
    if said.population is None or said.measure is None:
        return
    yield from _keys(metric, said.measure)
    row = POPULATIONS.get(said.population)
    if row is None:
        hint = nearest(said.population, POPULATIONS, f"It is one of {', '.join(POPULATIONS)}.")
        yield metric.problem(("population",), f"there is no population '{said.population}'", hint)
        return
    yield from _records(metric)
    yield from _trend(metric)
    yield from _test(metric, tests, claimed, broken=broken)
    seen: type[msgspec.Struct] = row
    if said.each is not None:
        try:
            seen = row_with_each(row, said.each)
        except KeyError:
            lists = [name for name, kind in fields(row).items() if _is_list_of_views(kind)]
            hint = nearest(said.each, lists, f"It is one of {', '.join(lists) or 'none'}.")
            yield metric.problem(("each",), f"'{said.population}' has no list '{said.each}'", hint)
            return
    yield from _paths(metric, seen)
    yield from _expressions(metric, seen, said.measure)


def _is_list_of_views(annotation: object) -> bool:
    element, _, is_list = unwrap(annotation)
    return is_list and bool(fields(element))


def _not_measured(metric: Placed[Metric]) -> Iterator[Problem]:
    for key in (*_DESCRIBED, *_OWN_KEYS):
        if getattr(metric.item, key):
            yield metric.problem((key,), f"the metric is not measured, but has '{key}'", "Remove one.", key=True)


def _keys(metric: Placed[Metric], measure: Measure) -> Iterator[Problem]:
    needed = _NEEDS[measure]
    for key in _OWN_KEYS:
        given = bool(getattr(metric.item, key))
        if given and key not in needed:
            hint = f"It takes {', '.join(needed) or 'nothing of its own'}."
            yield metric.problem((key,), f"the measure '{measure}' takes no '{key}'", hint, key=True)
        elif not given and key in needed:
            yield metric.problem(("measure",), f"the measure '{measure}' needs '{key}'", f"Write '{key}:'.")
    if metric.item.unit not in _UNITS[measure]:
        hint = f"It is one of {', '.join(_UNITS[measure])}."
        yield metric.problem(("unit",), f"the measure '{measure}' does not come in '{metric.item.unit}'", hint)
    spoken = " ".join((metric.item.where, metric.item.of or "", metric.item.out_of or ""))
    for name in metric.item.parameters:
        if not re.search(rf"\bp\.{re.escape(name)}\b", spoken):
            hint = f"Use it as 'p.{name}', or remove it."
            yield metric.problem(("parameters", name), f"the parameter '{name}' is never used", hint, key=True)


def _records(metric: Placed[Metric]) -> Iterator[Problem]:
    for key, names in (("records", metric.item.requires.records), ("complete", metric.item.requires.complete)):
        for index, name in enumerate(names):
            if name not in _RECORD_TYPES:
                hint = nearest(name, _RECORD_TYPES, f"It is one of {', '.join(_RECORD_TYPES)}.")
                yield metric.problem(("requires", key, index), f"there is no record type '{name}'", hint)


def _paths(metric: Placed[Metric], row: type[msgspec.Struct]) -> Iterator[Problem]:
    named: list[tuple[tuple[str | int, ...], str]] = [
        (("by", index), path) for index, path in enumerate(metric.item.by)
    ]
    if metric.item.measure == "distinct" and metric.item.of:
        named.append((("of",), metric.item.of))
    for below, path in named:
        yield from _path(metric, below, path, row, may_be_list=below[0] == "by")
    for index, path in enumerate(metric.item.requires.fields):
        try:
            nullable = look_up(row, path).nullable
        except UnknownPath as error:
            yield _unknown(metric, ("requires", "fields", index), path, error)
            continue
        if not nullable:
            yield metric.problem(("requires", "fields", index), f"'{path}' is never missing", "Leave it out.")


def _path(
    metric: Placed[Metric], below: tuple[str | int, ...], path: str, row: type[msgspec.Struct], *, may_be_list: bool
) -> Iterator[Problem]:
    try:
        found = look_up(row, path)
    except UnknownPath as error:
        yield _unknown(metric, below, path, error)
        return
    if fields(found.type):
        hint = f"Name one of its fields, such as '{path}.{next(iter(fields(found.type)))}'."
        yield metric.problem(below, f"'{path}' is not a single value", hint)
    elif _scalar(row, path) not in _SCALARS:
        yield metric.problem(below, f"the values of '{path}' are too many to tell apart", "Name a text or yes or no.")
    elif found.many and not may_be_list:
        yield metric.problem(below, f"'{path}' goes through a list", "Count the items of another population.")


def _scalar(row: type[msgspec.Struct], path: str) -> object:
    kind: object = view_type(row)
    for word in path.split("."):
        kind = kind.element if isinstance(kind, ListType) else kind
        kind = kind.fields[word].type  # type: ignore[attr-defined]  # look_up has been there.
    return kind.element if isinstance(kind, ListType) else kind


def _unknown(metric: Placed[Metric], below: tuple[str | int, ...], path: str, error: UnknownPath) -> Problem:
    hint = nearest(error.word, error.known, f"Known there: {', '.join(error.known) or 'nothing is below it'}.")
    return metric.problem(below, f"the population '{metric.item.population}' has no '{path}'", hint)


def _trend(metric: Placed[Metric]) -> Iterator[Problem]:
    said = metric.item
    if said.trend == "at" and said.population not in DAILY:
        hint = "Say 'trend: snapshot' or 'trend: none'."
        yield metric.problem(("trend",), f"items of '{said.population}' have no instant of their own", hint)
    if said.test is not None and said.each is not None:
        hint = "Leave 'each' out."
        yield metric.problem((EACH,), "a test judges whole items, not the elements of a list", hint, key=True)
    if said.trend == "snapshot" and said.measure == "outcome_ratio":
        hint = "Say 'trend: at' or 'trend: none'."
        yield metric.problem(("trend",), "outcomes are known for the whole period only", hint)


def _test(
    metric: Placed[Metric], tests: dict[str, ControlTest], claimed: Collection[str], *, broken: bool
) -> Iterator[Problem]:
    name = metric.item.test
    if name is None:
        return
    if name in tests:
        if tests[name].population != metric.item.population:
            hint = f"Write 'population: {tests[name].population}'."
            yield metric.problem(("population",), f"the test '{name}' is about another population", hint)
    elif name not in claimed and not broken:
        hint = nearest(name, tests, "'proofroom controls list' shows the tests.")
        yield metric.problem(("test",), f"there is no test '{name}'", hint)
    for index, word in enumerate(metric.item.counted):
        if word not in metric.item.among:
            yield metric.problem(("counted", index), f"'{word}' is counted, but not among", "Add it to 'among'.")


def _expressions(metric: Placed[Metric], row: type[msgspec.Struct], measure: Measure) -> Iterator[Problem]:
    said = metric.item
    try:
        where = check(said.where, row=row, parameters=said.parameters)
    except CelError as error:
        yield _cel(metric, "where", error)
        return
    if measure in {"count", "distinct", "outcome_ratio"}:
        return
    for key, expression in (("of", said.of), ("out_of", said.out_of)):
        if expression is None or key not in _NEEDS[measure]:
            continue
        try:
            value = check_value(
                expression, row=row, parameters=said.parameters, required=said.requires.fields, where=where
            )
        except CelError as error:
            yield _cel(metric, key, error)
            continue
        yield from _type_problems(metric, key, measure, value)


def _type_problems(metric: Placed[Metric], key: str, measure: Measure, value: CheckedExpression) -> Iterator[Problem]:
    kind = type_of(value.tree)
    if (measure == "ratio") != (kind == ScalarType.BOOL):
        wanted = "true or false" if measure == "ratio" else "a number or a duration"
        yield metric.problem((key,), f"the measure '{measure}' asks for {wanted} here", "Choose another measure.")
    elif metric.item.unit in {"items", "duration"}:
        unit = "duration" if kind == ScalarType.SPAN else "items"
        if unit != metric.item.unit:
            yield metric.problem((key,), f"this comes in '{unit}', the metric in '{metric.item.unit}'", "Change one.")


def _cel(metric: Placed[Metric], key: str, error: CelError) -> Problem:
    at = metric.document.text_position((*metric.path, key), error.line or 1, error.column or 1)
    return metric.document.problem(
        at, f"{key}: {error.message}", error.hint or "controls/README.md shows the language."
    )
