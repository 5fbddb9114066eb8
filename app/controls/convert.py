# SPDX-License-Identifier: Apache-2.0

"""Turn the plain values of one YAML document into the structs of ``app.controls.model``.

A wrong part is reported at its own line and left out; the parts beside it are still converted, so that one mistake does
not hide the next. Parts that were left out still claim their ids, or they would be reported again as unknown.
"""

import re
from collections.abc import Callable, Sequence
from inspect import get_annotations
from typing import Any, Final, Generic, Literal, TypeVar, get_args, get_origin

import msgspec

from app.controls.changes import BundleUse, Overlay, ParameterBundle, ParameterChange
from app.controls.document import Document, PathKey, Value
from app.controls.metrics import Metric, Metrics
from app.controls.model import (
    Catalog,
    CatalogControl,
    ControlTest,
    ControlTests,
    Mapping,
    MappingEntry,
    RiskRule,
    RiskRules,
)
from app.controls.paths import unwrap
from app.controls.problems import Problem, nearest
from app.controls.sampling import SamplingPlan
from app.controls.statements import Applicability, CatalogText, StatementOfApplicability

T = TypeVar("T")

_WHERE = re.compile(r"^(?P<what>.*?)(?: - at `\$?(?P<path>[^`]*)`)?$", re.DOTALL)
_REGEX = re.compile("matching regex")
_RULE_REGEX = re.compile(r"matching regex '\^\[a-z\]")
_WORDS: Final = {
    "`object`": "a mapping",
    "`array`": "a list",
    "`str`": "a text",
    "`int`": "a whole number",
    "`float`": "a number",
    "`null`": "nothing",
    "`bool`": "true or false",
    "`bool | int | float | str | array`": "a single value or a list of texts",
    "`date`": "a day",
    "`date | null`": "a day",
    "`str | null`": "a text",
    "RFC3339 encoded date": "day",
}
_ADVICE: Final = (
    (_RULE_REGEX, "Write the family, a dot and a name in lower case, such as data.export."),
    (_REGEX, "Use capital letters, a hyphen and two digits, such as APR-01."),
    (re.compile("^Expected `array`"), "Write [a, b], or '- ' before each item."),
    (re.compile("^Expected `object`"), "Write 'key: value' lines below it."),
    (re.compile("^Expected `str`"), "Put it in quotes if it is meant as a text."),
    (re.compile("^Expected `date|encoded date"), "Write a day, such as 2026-07-01."),
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


class PlacedOverlay(msgspec.Struct, frozen=True, kw_only=True):
    """An overlay, and where each of its uses and changes stands."""

    overlay: Placed[Overlay]
    uses: tuple[Placed[BundleUse], ...]
    changes: tuple[Placed[ParameterChange], ...]


class Loaded(msgspec.Struct, kw_only=True):
    """Everything that could be converted, with the ids that broken parts claim."""

    tests: list[Placed[ControlTest]] = []
    catalogs: list[Placed[Catalog]] = []
    controls: dict[str, list[Placed[CatalogControl]]] = {}
    mappings: list[Placed[Mapping]] = []
    entries: dict[str, list[Placed[MappingEntry]]] = {}
    metrics: list[Placed[Metric]] = []
    rules: list[Placed[RiskRule]] = []
    bundles: list[Placed[ParameterBundle]] = []
    overlays: list[PlacedOverlay] = []
    statements: list[Placed[StatementOfApplicability]] = []
    stated: dict[str, list[Placed[Applicability]]] = {}
    texts: list[Placed[CatalogText]] = []
    plans: list[Placed[SamplingPlan]] = []
    claimed: set[str] = set()
    broken: bool = False


def convert(document: Document, into: Loaded) -> list[Problem]:
    """Add what a document holds to ``into`` and return what is wrong with it."""
    value = document.value
    if not isinstance(value, dict):
        into.broken = True
        hint = f"Start with 'kind:' and one of {', '.join(_READERS)}."
        return [document.problem(document.position(()), "the file must be a mapping with a 'kind'", hint)]
    kind = value.get("kind")
    if isinstance(kind, str) and kind in _READERS:
        return _READERS[kind](document, value, into)
    hint = nearest(str(kind), _READERS, f"It is one of {', '.join(_READERS)}.")
    what = "the file has no 'kind'" if "kind" not in value else f"there is no kind '{kind}'"
    into.broken = True
    return [document.problem(document.position(("kind",)), what, hint)]


def _tests(document: Document, value: dict[str, Value], into: Loaded) -> list[Problem]:
    _, problems = _struct(document, (), {**value, "tests": []}, ControlTests)
    tests, more = _items(document, "tests", ControlTest, into)
    into.tests += tests
    return problems + more


def _metrics(document: Document, value: dict[str, Value], into: Loaded) -> list[Problem]:
    _, problems = _struct(document, (), {**value, "metrics": []}, Metrics)
    metrics, more = _items(document, "metrics", Metric, into)
    into.metrics += metrics
    return problems + more


def _rules(document: Document, value: dict[str, Value], into: Loaded) -> list[Problem]:
    _, problems = _struct(document, (), {**value, "rules": []}, RiskRules)
    rules, more = _items(document, "rules", RiskRule, into)
    into.rules += rules
    return problems + more


def _catalog(document: Document, value: dict[str, Value], into: Loaded) -> list[Problem]:
    catalog, problems = _struct(document, (), {**value, "controls": []}, Catalog)
    controls, more = _items(document, "controls", CatalogControl, into)
    into.broken |= catalog is None
    if catalog is not None:
        into.catalogs.append(Placed(item=catalog, document=document, path=()))
        into.controls.setdefault(catalog.id, []).extend(controls)
    return problems + more


def _mapping(document: Document, value: dict[str, Value], into: Loaded) -> list[Problem]:
    mapping, problems = _struct(document, (), {**value, "entries": []}, Mapping)
    entries, more = _items(document, "entries", MappingEntry, into)
    into.broken |= mapping is None
    if mapping is not None:
        into.mappings.append(Placed(item=mapping, document=document, path=()))
        into.entries.setdefault(mapping.framework, []).extend(entries)
    return problems + more


def _bundle(document: Document, value: dict[str, Value], into: Loaded) -> list[Problem]:
    bundle, problems = _struct(document, (), value, ParameterBundle)
    into.broken |= bundle is None
    into.bundles += [Placed(item=bundle, document=document, path=())] if bundle else []
    return problems


def _statement(document: Document, value: dict[str, Value], into: Loaded) -> list[Problem]:
    statement, problems = _struct(document, (), {**value, "entries": []}, StatementOfApplicability)
    stated, more = _items(document, "entries", Applicability, into)
    if statement is not None:
        into.statements.append(Placed(item=statement, document=document, path=()))
        into.stated.setdefault(statement.framework, []).extend(stated)
    return problems + more


def _text(document: Document, value: dict[str, Value], into: Loaded) -> list[Problem]:
    text, problems = _struct(document, (), value, CatalogText)
    into.texts += [Placed(item=text, document=document, path=())] if text else []
    return problems


def _plan(document: Document, value: dict[str, Value], into: Loaded) -> list[Problem]:
    plan, problems = _struct(document, (), value, SamplingPlan)
    into.plans += [Placed(item=plan, document=document, path=())] if plan else []
    return problems


def _overlay(document: Document, value: dict[str, Value], into: Loaded) -> list[Problem]:
    """Convert an overlay; it may use bundles and change nothing itself, but not do neither."""
    overlay, problems = _struct(document, (), {**value, "use": [], "changes": []}, Overlay)
    into.broken |= overlay is None
    uses: list[Placed[BundleUse]] = []
    changes: list[Placed[ParameterChange]] = []
    if "use" in value:
        uses, more = _items(document, "use", BundleUse, into)
        problems += more
    if "changes" in value or "use" not in value:
        changes, more = _items(document, "changes", ParameterChange, into)
        problems += more
    if overlay is not None:
        placed = Placed(item=overlay, document=document, path=())
        into.overlays.append(PlacedOverlay(overlay=placed, uses=tuple(uses), changes=tuple(changes)))
    return problems


def _items(document: Document, key: str, kind: type[T], into: Loaded) -> tuple[list[Placed[T]], list[Problem]]:
    value = document.value[key] if isinstance(document.value, dict) and key in document.value else None
    if not isinstance(value, list) or not value:
        into.broken = True
        what = f"'{key}' must be a list with at least one item"
        hint = f"Write '{key}:' and below it '- {next(iter(get_annotations(kind)))}: ...'."
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
        what = "this is not an id of a rule" if _RULE_REGEX.search(what) else "this is not an id of a test"
    return what[:1].lower() + what[1:]


def _advice(what: str, annotation: Any, value: Value) -> str:  # noqa: ANN401 - a type
    if get_origin(annotation) is Literal:
        choices = [str(choice) for choice in get_args(annotation)]
        return nearest(str(value), choices, f"It is one of {', '.join(choices)}.")
    return next((advice for pattern, advice in _ADVICE if pattern.search(what)), "Look at its type in the schema.")


_READERS: Final[dict[str, Callable[[Document, dict[str, Value], Loaded], list[Problem]]]] = {
    "Catalog": _catalog,
    "ControlTests": _tests,
    "Mapping": _mapping,
    "Metrics": _metrics,
    "Overlay": _overlay,
    "ParameterBundle": _bundle,
    "StatementOfApplicability": _statement,
    "CatalogText": _text,
    "RiskRules": _rules,
    "SamplingPlan": _plan,
}
"""Kind of a document to what takes it in."""
