# SPDX-License-Identifier: Apache-2.0

"""Turn the plain values of one YAML document into the structs of ``app.controls.model``.

A wrong part is reported at its own line and left out; the parts beside it are still converted, so that one mistake does
not hide the next. Parts that were left out still claim their ids, or they would be reported again as unknown.
"""

import re
from collections.abc import Sequence
from typing import Any, Final, Generic, Literal, TypeVar, get_args, get_origin

import msgspec

from app.controls.document import Document, PathKey, Value
from app.controls.metrics import Metric, Metrics
from app.controls.model import (
    Catalog,
    CatalogControl,
    ControlTest,
    ControlTests,
    Mapping,
    MappingEntry,
)
from app.controls.paths import unwrap
from app.controls.problems import Problem, nearest

T = TypeVar("T")

_KINDS: Final = ("Catalog", "ControlTests", "Mapping", "Metrics")
_WHERE = re.compile(r"^(?P<what>.*?)(?: - at `\$?(?P<path>[^`]*)`)?$", re.DOTALL)
_REGEX = re.compile("matching regex")
_WORDS: Final = {
    "`object`": "a mapping",
    "`array`": "a list",
    "`str`": "a text",
    "`int`": "a whole number",
    "`float`": "a number",
    "`null`": "nothing",
    "`bool`": "true or false",
    "`bool | int | float | str | array`": "a single value or a list of texts",
}
_ADVICE: Final = (
    (_REGEX, "Use capital letters, a hyphen and two digits, such as APR-01."),
    (re.compile("^Expected `array`"), "Write [a, b], or '- ' before each item."),
    (re.compile("^Expected `object`"), "Write 'key: value' lines below it."),
    (re.compile("^Expected `str`"), "Put it in quotes if it is meant as a text."),
    (re.compile("^Expected `bool"), "Write one value, such as 60s or 3, or a list such as [a, b]."),
)
_STEP = re.compile(r"\.(?P<name>[^.\[\]]+)|\[(?P<index>\d+)\]|(?P<unknown>\[\.\.\.\])")
_UNKNOWN_KEY = re.compile(r"^Object contains unknown field `(?P<key>.*)`$", re.DOTALL)
_MISSING_KEY = re.compile(r"^Object missing required field `(?P<key>.*)`$")


class Placed(msgspec.Struct, Generic[T], frozen=True, kw_only=True):
    """An item and where it stands."""

    item: T
    document: Document
    path: PathKey

    def problem(self, below: Sequence[str | int], message: str, hint: str, *, key: bool = False) -> Problem:
        """Return a problem at a value below the item, or at its key."""
        path = (*self.path, *below)
        at = self.document.key_position(path) if key else self.document.position(path)
        return self.document.problem(at, message, hint)


class Loaded(msgspec.Struct, kw_only=True):
    """Everything that could be converted, with the ids that broken parts claim."""

    tests: list[Placed[ControlTest]] = []
    catalogs: list[Placed[Catalog]] = []
    controls: dict[str, list[Placed[CatalogControl]]] = {}
    mappings: list[Placed[Mapping]] = []
    entries: dict[str, list[Placed[MappingEntry]]] = {}
    metrics: list[Placed[Metric]] = []
    claimed: set[str] = set()
    broken: bool = False


def convert(document: Document, into: Loaded) -> list[Problem]:
    """Add what a document holds to ``into`` and return what is wrong with it."""
    value = document.value
    if not isinstance(value, dict):
        into.broken = True
        hint = f"Start with 'kind:' and one of {', '.join(_KINDS)}."
        return [document.problem(document.position(()), "the file must be a mapping with a 'kind'", hint)]
    match value.get("kind"):
        case "ControlTests":
            return _of_one_kind(document, "tests", ControlTests, ControlTest, into, into.tests)
        case "Metrics":
            return _of_one_kind(document, "metrics", Metrics, Metric, into, into.metrics)
        case "Catalog":
            catalog, problems = _struct(document, (), {**value, "controls": []}, Catalog)
            controls, more = _items(document, "controls", CatalogControl, into)
            into.broken |= catalog is None
            if catalog is not None:
                into.catalogs.append(Placed(item=catalog, document=document, path=()))
                into.controls.setdefault(catalog.id, []).extend(controls)
            return problems + more
        case "Mapping":
            mapping, problems = _struct(document, (), {**value, "entries": []}, Mapping)
            entries, more = _items(document, "entries", MappingEntry, into)
            into.broken |= mapping is None
            if mapping is not None:
                into.mappings.append(Placed(item=mapping, document=document, path=()))
                into.entries.setdefault(mapping.framework, []).extend(entries)
            return problems + more
        case kind:
            hint = nearest(str(kind), _KINDS, f"It is one of {', '.join(_KINDS)}.")
            what = "the file has no 'kind'" if "kind" not in value else f"there is no kind '{kind}'"
            into.broken = True
            return [document.problem(document.position(("kind",)), what, hint)]


def _of_one_kind(
    document: Document, key: str, file: type[Any], kind: type[T], into: Loaded, found: list[Placed[T]]
) -> list[Problem]:
    """Convert a file that has a title and a list of one kind of item."""
    value = document.value if isinstance(document.value, dict) else {}
    _, problems = _struct(document, (), {**value, key: []}, file)
    items, more = _items(document, key, kind, into)
    found += items
    return problems + more


def _items(document: Document, key: str, kind: type[T], into: Loaded) -> tuple[list[Placed[T]], list[Problem]]:
    value = document.value[key] if isinstance(document.value, dict) and key in document.value else None
    if not isinstance(value, list) or not value:
        into.broken = True
        what, hint = f"'{key}' must be a list with at least one item", f"Write '{key}:' and below it '- id: ...'."
        return [], [document.problem(document.key_position((key,)), what, hint)]
    items: list[Placed[T]] = []
    problems: list[Problem] = []
    for index, part in enumerate(value):
        item, found = _struct(document, (key, index), part, kind)
        problems += found
        if item is not None:
            items.append(Placed(item=item, document=document, path=(key, index)))
        elif isinstance(part, dict):
            into.claimed |= {str(part[name]) for name in ("id", "control") if name in part}
    return items, problems


def _struct(document: Document, path: PathKey, value: Value, kind: type[T]) -> tuple[T | None, list[Problem]]:
    try:
        return msgspec.convert(value, kind), []
    except msgspec.ValidationError as error:
        return None, [_explain(document, path, value, kind, str(error))]


def _explain(document: Document, path: PathKey, value: Value, kind: Any, error: str) -> Problem:  # noqa: ANN401 - a type
    """Say a conversion error in our words, at the line of the value it is about."""
    found = _WHERE.match(error)
    what, dotted = (found["what"], found["path"] or "") if found else (error, "")
    steps, annotation = _walk(dotted, value, kind)
    at = (*path, *steps)
    if unknown := _UNKNOWN_KEY.match(what):
        key = unknown["key"]
        known = _keys(annotation)
        hint = nearest(key, known, f"Known here: {', '.join(known)}.")
        return document.problem(document.key_position((*at, key)), f"there is no key '{key}' here", hint)
    if missing := _MISSING_KEY.match(what):
        hint = f"Write '{missing['key']}:'; controls/README.md shows a whole example."
        return document.problem(document.position(at), f"the key '{missing['key']}' is missing", hint)
    for step in steps:
        value = _step(value, step)
    return document.problem(document.position(at), _plainly(what), _advice(what, annotation, value))


def _walk(dotted: str, value: Value, kind: Any) -> tuple[PathKey, Any]:  # noqa: ANN401 - a type
    """Follow the path of a msgspec message; where it says ``[...]``, find the first entry that does not fit."""
    steps: list[str | int] = []
    annotation = kind
    for step in _STEP.finditer(dotted):
        if step["unknown"]:
            annotation = get_args(annotation)[-1]
            steps.append(next((key for key, part in _entries(value) if not _fits(part, annotation)), ""))
        elif step["index"]:
            annotation = get_args(annotation)[0]
            steps.append(int(step["index"]))
        else:
            field = {f.encode_name: f for f in msgspec.structs.fields(annotation)}[step["name"]]
            annotation = unwrap(field.type)[0]
            steps.append(step["name"])
        value = _step(value, steps[-1])
    return tuple(steps), annotation


def _entries(value: Value) -> list[tuple[str, Value]]:
    return list(value.items()) if isinstance(value, dict) else []


def _step(value: Value, step: str | int) -> Value:
    if isinstance(value, dict) and isinstance(step, str):
        return value.get(step)
    if isinstance(value, list) and isinstance(step, int) and step < len(value):
        return value[step]
    return None


def _fits(value: Value, annotation: Any) -> bool:  # noqa: ANN401 - a type
    try:
        msgspec.convert(value, annotation)
    except msgspec.ValidationError:
        return False
    return True


def _keys(annotation: Any) -> list[str]:  # noqa: ANN401 - a type
    known = [field.encode_name for field in msgspec.structs.fields(annotation)]
    return known if annotation.__struct_config__.tag is None else ["kind", *known]


def _plainly(what: str) -> str:
    for theirs, ours in _WORDS.items():
        what = what.replace(theirs, ours)
    if _REGEX.search(what):
        what = "this is not an id of a test"
    return what[:1].lower() + what[1:]


def _advice(what: str, annotation: Any, value: Value) -> str:  # noqa: ANN401 - a type
    if get_origin(annotation) is Literal:
        choices = [str(choice) for choice in get_args(annotation)]
        return nearest(str(value), choices, f"It is one of {', '.join(choices)}.")
    return next((advice for pattern, advice in _ADVICE if pattern.search(what)), "Look at its type in the schema.")
