# SPDX-License-Identifier: Apache-2.0

"""Random well-typed expressions over any row class: what can be written is read from the class."""

from collections.abc import Callable
from functools import lru_cache
from typing import NamedTuple

from hypothesis import strategies as st

from app.cel.schema import ListType, ScalarType, Type, ViewType, view_type

PARAMETERS = {"n": 2, "f": 0.5, "text": "b", "span": "36h", "texts": ("a", "it's"), "none": (), "flag": True}

_LITERALS = {
    ScalarType.STRING: ['""', '"a"', '"b"', "'it\\'s'", '"é"', "p.text", '"null"', '"back\\\\slash"'],
    ScalarType.INSTANT: ['timestamp("2026-01-02T00:00:00Z")', 'timestamp("9999-12-31T00:00:00Z")'],
    ScalarType.SPAN: ['duration("24h")', 'duration("1m30s")', "p.span"],
    ScalarType.INT: ["0", "1", "-7", "9223372036854775807", "p.n"],
    ScalarType.DOUBLE: ["0.5", "1.0", "-1e300", "p.f"],
    ScalarType.BOOL: ["true", "false", "p.flag"],
}
_CLOCK = ["getHours", "getDayOfWeek"]
_SUMS = {
    ScalarType.STRING: [("+", ScalarType.STRING, ScalarType.STRING)],
    ScalarType.INT: [("+", ScalarType.INT, ScalarType.INT), ("-", ScalarType.INT, ScalarType.INT)],
    ScalarType.INSTANT: [
        ("+", ScalarType.INSTANT, ScalarType.SPAN),
        ("+", ScalarType.SPAN, ScalarType.INSTANT),
        ("-", ScalarType.INSTANT, ScalarType.SPAN),
    ],
    ScalarType.SPAN: [
        ("-", ScalarType.INSTANT, ScalarType.INSTANT),
        ("+", ScalarType.SPAN, ScalarType.SPAN),
        ("-", ScalarType.SPAN, ScalarType.SPAN),
    ],
}
ALWAYS = 4
"""Of four times."""
_ORDERED = [kind for kind in ScalarType if kind != ScalarType.BOOL]


class Guard(NamedTuple):
    """What may be missing, and the ways to say that it is there; for a list of the row itself there is none."""

    path: str
    spellings: tuple[str, ...]


class Way(NamedTuple):
    """A path, and the guards it needs, from the outside in; ``own`` says that the last one is of the path itself."""

    path: str
    type: Type
    guards: tuple[Guard, ...]
    own: bool


def ways(text, view, guards=()):
    """Return every path below a view."""
    found = []
    for name, field in view.fields.items():
        path = f"{text}.{name}" if text else name
        is_list = isinstance(field.type, ListType)
        spellings = (f"{path} != null",) * (not is_list) + (f"has({path})",) * bool(text)
        needed = (*guards, Guard(path, spellings)) if field.nullable else guards
        found.append(Way(path, field.type, needed, field.nullable))
        if isinstance(field.type, ViewType):
            found += ways(path, field.type, needed)
    return found


@lru_cache(maxsize=64)
def ways_of(row):
    """Return every path of a row class."""
    return tuple(ways("", view_type(row)))


@lru_cache(maxsize=64)
def requirable(row):
    """Return what ``requires.fields`` may name: what may be missing, also in the elements of a list."""
    inner = [
        way
        for each in ways_of(row)
        if isinstance(each.type, ListType) and isinstance(each.type.element, ViewType)
        for way in ways(each.path, each.type.element)
    ]
    return [way.path for way in (*ways_of(row), *inner) if way.own]


class Writer:
    """Draws the text of an expression.

    Args:
        row: the class of the rows.
        guarded: how often, of four times, a read of a field that may be missing is guarded.
        required: paths that need no guard.
    """

    def __init__(self, draw, row, guarded: int, required=()) -> None:
        self._draw = draw
        self._guarded = guarded
        self._variables: list[tuple[Way, ...]] = []
        self._known = {path for each in required for path in _on_the_way(each)}
        self._row = [way for way in ways_of(row) if guarded < ALWAYS or all(each.spellings for each in self.needs(way))]

    def pick(self, values):
        return self._draw(st.sampled_from(values))

    def often(self) -> bool:
        return self.pick([True, True, False])

    def seldom(self) -> bool:
        return self.pick([False, False, True])

    def way(self, fits) -> Way | None:
        """Return some path whose type fits, rather of a variable than of the row, and of each of its parts alike."""
        bound = [[way for way in below if fits(way.type)] for below in self._variables]
        parts: dict[str, list[Way]] = {}
        for way in self._row:
            if fits(way.type):
                parts.setdefault(way.path.split(".")[0], []).append(way)
        bound = [*filter(None, bound)]
        sources = [source for source in (bound, bound, [*parts.values()]) if source]
        return self.pick(self.pick(self.pick(sources))) if sources else None

    def needs(self, way: Way) -> list[Guard]:
        """Return the guards of a path, but for what is known to be there."""
        return [guard for guard in way.guards if guard.path not in self._known]

    def path(self, fits, guards: list[Guard]) -> str | None:
        """Return some path whose type fits, and note the guards it needs."""
        way = self.way(fits)
        if way is None:
            return None
        guards.extend(self.needs(way))
        return way.path

    def sure(self, kind: ScalarType) -> str:
        """Return a value that is never missing."""
        return self.pick([*_LITERALS[kind], *(way.path for way in self._row if way.type == kind and not way.guards)])

    def leaf(self, kind: ScalarType, guards: list[Guard]) -> str:
        path = self.path(lambda each: each == kind, guards) if self.pick([True, True, True, False]) else None
        return path or self.pick(_LITERALS[kind])

    def value(self, kind: ScalarType, depth: int, guards: list[Guard]) -> str:
        if depth <= 0 or self.often():
            return self.leaf(kind, guards)
        if self.seldom():
            return f"({self.truth(depth - 1)} ? {self.sure(kind)} : {self.sure(kind)})"
        return self.composed(kind, depth - 1, guards)

    def composed(self, kind: ScalarType, depth: int, guards: list[Guard]) -> str:
        """Return a value that is computed from others."""

        def part(kind):
            return self.value(kind, depth, guards)

        match kind:
            case ScalarType.INT if self.seldom():
                return f"{part(ScalarType.INSTANT)}.{self.pick(_CLOCK)}()"
            case ScalarType.INT if self.pick([True, False]):
                return f"size({self.sized(depth, guards)})"
            case ScalarType.BOOL | ScalarType.DOUBLE:
                return self.leaf(kind, guards)
        sign, left, right = self.pick(_SUMS[kind])
        return f"({part(left)} {sign} {part(right)})"

    def sized(self, depth: int, guards: list[Guard]) -> str:
        if self.seldom():
            return self.leaf(ScalarType.STRING, guards)
        source = self.filtered(depth, guards)
        return source[0] if source else "p.texts"

    def filtered(self, depth: int, guards: list[Guard]) -> tuple[str, ListType, set[str]] | None:
        """Return a list, perhaps what filters left of it, its type, and what its elements are known to have."""
        way = self.way(lambda each: isinstance(each, ListType))
        return self.elements(way, depth, guards) if way else None

    def elements(self, way: Way, depth: int, guards: list[Guard]) -> tuple[str, ListType, set[str]]:
        """Return a list, perhaps what filters left of it; see ``filtered``."""
        guards.extend(self.needs(way))
        text, below = way.path, f"{way.path}."
        known = {each.removeprefix(below) for each in self._known if each.startswith(below)}
        while depth > 0 and self.pick([True, False]):
            depth -= 1
            asked, there = self.bound(way.type, known, depth, guard=self.seldom())
            text, known = f"{text}.filter({asked})", known | there
        return text, way.type, known

    def bound(
        self,
        kind: ListType,
        known: set[str],
        depth: int,
        *,
        guard: bool = False,
        condition: Callable[[int], str] | None = None,
    ) -> tuple[str, set[str]]:
        """Return a variable with a condition of it, and what the condition says is there, if it is to ask for that."""
        name = f"v{len(self._variables)}"
        inner = ways(name, kind.element) if isinstance(kind.element, ViewType) else []
        self._variables.append((Way(name, kind.element, (), own=False), *inner))
        before, self._known = self._known, self._known | {f"{name}.{each}" for each in known}
        may = [way.guards for way in inner if guard and way.own and len(way.guards) == 1]
        asked = self.pick(may) if may else ()
        there = "".join(f"{self.pick(each.spellings)} && " for each in asked)
        self._known = self._known | {each.path for each in asked}
        body = f"{name}, {there}{(condition or self.truth)(depth)}"
        self._known = before
        self._variables.pop()
        return body, {each.path.removeprefix(f"{name}.") for each in asked}

    def guard(self, atom: str, guards: list[Guard]) -> str:
        """Return a condition with the guards it needs, or with none, or with wrong ones."""
        needed = [self.pick(guard.spellings) for guard in dict.fromkeys(guards) if guard.spellings]
        if not needed:
            return f"({atom})"
        there, absent = " && ".join(needed), " || ".join(map(_negated, needed))
        other = self.pick(_LITERALS[ScalarType.BOOL])
        if self.pick(range(ALWAYS)) < self._guarded:
            return self.pick([f"({there} && {atom})", f"({absent} || {atom})", f"({there} ? {atom} : {other})"])
        wrong = [f"({there} || {atom})", f"(({absent}) && {atom})", f"({there} ? {other} : {atom})"]
        return self.pick([f"({atom})", f"({atom})", f"(({there} || {other}) && {atom})", *wrong])

    def truth(self, depth: int) -> str:
        """Return a condition."""
        deep = ["and", "or", "not", "choose", "quantifier", "quantifier", "quantifier"] * 2 if depth > 0 else []
        shape = self.pick(
            ["compare", "compare", "same", "member", "text", "clock", "size", "present", "field", "literal", *deep]
        )
        if shape in deep and shape != "quantifier":
            return f"({self.joined(shape, depth - 1)})"
        guards: list[Guard] = []
        return self.present() if shape == "present" else self.guard(self.atom(shape, depth, guards), guards)

    def joined(self, shape: str, depth: int) -> str:
        """Return conditions put together."""
        match shape:
            case "and":
                return f"{self.truth(depth)} && {self.truth(depth)}"
            case "or":
                return f"{self.truth(depth)} || {self.truth(depth)}"
            case "not":
                return f"!{self.truth(depth)}"
            case _:
                return f"{self.truth(depth)} ? {self.truth(depth)} : {self.truth(depth)}"

    def atom(self, shape: str, depth: int, guards: list[Guard]) -> str:  # noqa: PLR0911 - One for each shape.
        match shape:
            case "compare":
                kind = self.pick([*_ORDERED, ScalarType.INSTANT])
                operator = self.pick(["==", "!=", "<", "<=", ">", ">="])
                return f"{self.value(kind, depth, guards)} {operator} {self.value(kind, depth, guards)}"
            case "same":
                kind = ScalarType.BOOL
                return f"{self.leaf(kind, guards)} {self.pick(['==', '!='])} {self.leaf(kind, guards)}"
            case "member":
                return self.member(depth, guards)
            case "text":
                question = self.pick(["startsWith", "endsWith", "contains"])
                text, part = self.leaf(ScalarType.STRING, guards), self.value(ScalarType.STRING, depth, guards)
                return f"{text}.{question}({part})"
            case "clock":
                instant = self.leaf(ScalarType.INSTANT, guards)
                return f"{instant}.{self.pick(_CLOCK)}() {self.pick(['==', '<'])} {self.pick([0, 3, 23])}"
            case "size":
                return f"size({self.sized(depth - 1, guards)}) {self.pick(['==', '>'])} {self.pick([0, 1, 2])}"
            case "quantifier" if source := self.filtered(depth - 1, guards):
                text, kind, known = source
                return f"{text}.{self.pick(['exists', 'all'])}({self.bound(kind, known, depth - 1)[0]})"
            case "field":
                return self.path(lambda each: each == ScalarType.BOOL, guards) or "true"
            case _:
                return self.pick(_LITERALS[ScalarType.BOOL])

    def related(self, depth: int) -> str:
        """Return a macro over a list of the row whose condition is a macro over one, so that the two are compared."""
        lists = [way for way in self._row if isinstance(way.type, ListType)]
        if not lists or len(self._variables) > depth + 1:
            return self.truth(0)
        guards: list[Guard] = []
        text, kind, known = self.elements(self.pick(lists), self.pick([0, 0, 1]), guards)
        asked = self.bound(kind, known, depth, condition=self.inner)[0]
        if self._variables and self.pick([True, False]):
            return self.guard(f"size({text}.filter({asked})) {self.pick(['==', '>'])} {self.pick([1, 2])}", guards)
        return self.guard(f"{text}.{self.pick(['exists', 'all'])}({asked})", guards)

    def inner(self, depth: int) -> str:
        """Return conditions of which some are about both elements, some about one, one may be a macro."""
        shapes = self.pick(["same", "same", "both", "related"]), self.pick(["truth", "both"]), self.pick(["truth", ""])
        made = [getattr(self, shape)(depth - 1) for shape in shapes if shape]
        if len(self._variables) == 1:
            made.append(self.related(depth - 1))
        first, *others = self._draw(st.permutations(made))
        return first + "".join(f" {self.pick(['&&', '||'])} {each}" for each in others)

    def both(self, _depth: int) -> str:
        """Return a comparison of the elements of two macros, or of what there is."""
        return self.pair(["==", "!=", "<", ">="])

    def same(self, _depth: int) -> str:
        """Return whether elements of two macros agree in a field."""
        return self.pair(["==", "==", "!="])

    def pair(self, operators: list[str]) -> str:
        inner, outer = self._variables[-1], self._variables[0]
        kinds = [kind for kind in _ORDERED if all(any(way.type == kind for way in each) for each in (inner, outer))]
        if not kinds:
            return self.truth(0)
        kind = self.pick(kinds)
        guards: list[Guard] = []
        left, right = (self.pick([way for way in each if way.type == kind]) for each in (inner, outer))
        guards += [*self.needs(left), *self.needs(right)]
        sides = self.pick([(left.path, right.path), (right.path, left.path)])
        return self.guard(f" {self.pick(operators)} ".join(sides), guards)

    def member(self, depth: int, guards: list[Guard]) -> str:
        shape = self.pick(["written", "parameter", "path", "path"])
        if shape == "written":
            kind = self.pick([each for each in ScalarType if each != ScalarType.DOUBLE])
            items = ", ".join(self.leaf(kind, guards) for _ in range(self.pick([1, 2, 3])))
            return f"{self.item(kind, depth, guards)} in [{items}]"
        way = self.way(_has_members) if shape == "path" else None
        if way is None:
            return f"{self.item(ScalarType.STRING, depth, guards)} in {self.pick(['p.texts', 'p.none'])}"
        guards.extend(self.needs(way))
        return f"{self.item(way.type.element, depth, guards)} in {way.path}"

    def item(self, kind: ScalarType, depth: int, guards: list[Guard]) -> str:
        """Return a leaf, or for texts sometimes a sum."""
        if kind == ScalarType.STRING and depth > 0 and self.pick([True, False]):
            return f"({self.leaf(kind, guards)} + {self.leaf(kind, guards)})"
        return self.leaf(kind, guards)

    def present(self) -> str:
        """Return whether something is there, of what may be missing."""
        bound = [way for below in self._variables for way in below]
        may = [way for way in (*self._row, *bound) if way.own and way.guards[-1].spellings]
        if not may:
            return self.pick(_LITERALS[ScalarType.BOOL])
        way = self.pick(may)
        asked = self.pick(way.guards[-1].spellings)
        outer = [guard for guard in self.needs(way) if guard.path != way.path]
        return self.guard(asked if self.pick([True, False]) else _negated(asked), outer)


def _has_members(kind: Type) -> bool:
    return isinstance(kind, ListType) and isinstance(kind.element, ScalarType) and kind.element != ScalarType.DOUBLE


def _on_the_way(path: str) -> list[str]:
    words = path.split(".")
    return [".".join(words[:length]) for length in range(1, len(words) + 1)]


def _negated(guard: str) -> str:
    return guard.replace("!=", "==") if "!=" in guard else f"!{guard}"


@st.composite
def expressions(draw, row, guarded: int = 1, required=()):
    """Draw expressions over a row class; ``guarded`` of four reads that need a guard have one."""
    return Writer(draw, row, guarded, required).truth(draw(st.sampled_from([1, 2, 3, 3])))


@st.composite
def related(draw, row, guarded: int = ALWAYS, required=()):
    """Draw expressions with a macro inside a macro, both over lists of the row."""
    return Writer(draw, row, guarded, required).related(2)
