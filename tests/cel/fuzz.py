# SPDX-License-Identifier: Apache-2.0

"""Random well-typed expressions over a small row that has every kind of field, and rows to ask them of."""

import random
from typing import Annotated

import msgspec
from hypothesis import strategies as st

Instant = Annotated[int, msgspec.Meta(extra={"cel": "timestamp"})]
Span = Annotated[int, msgspec.Meta(extra={"cel": "duration"})]

DAY = 86_400_000
JANUARY = 1_767_225_600_000
LAST_INSTANT = 253_402_300_799_999
FIRST_INSTANT = -62_135_596_800_000
PARAMETERS = {"n": 2, "f": 0.5, "text": "b", "span": "36h", "texts": ("a", "it's"), "none": (), "flag": True}

INTS = [0, 1, 2, 3, -7, 2**63 - 1, -(2**63), 2**62]
DOUBLES = [0.0, -0.0, 0.5, 0.99, 1.0, float("nan"), float("inf"), -1e300]
STRINGS = ["", "a", "b", "ab", "it's", 'q"x', "é", "e\u0301", "\U0001f600z", "null", "back\\slash", "\n"]
INSTANTS = [-1, JANUARY, JANUARY + DAY, JANUARY + 2 * DAY, 0, LAST_INSTANT, LAST_INSTANT - DAY, FIRST_INSTANT]
# Not within a second of the limit of a span, 292 years: see LONGEST_SPAN in app/cel/sql.py.
SPANS = [0, 1, 60_000, DAY, -DAY, 4_611_686_000_000, 9_223_300_000_000]


class Child(msgspec.Struct, frozen=True, kw_only=True):
    """An element of a list."""

    id: str
    mode: str | None
    at: Instant | None
    wait: Span | None
    score: float | None
    seq: int | None
    good: bool
    maybe: bool | None
    tags: list[str]


class View(msgspec.Struct, frozen=True, kw_only=True):
    """A nested view."""

    id: str
    role: str | None
    begin: Instant
    end: Instant | None
    span: Span
    limit: Span | None
    count: int
    rank: int | None
    ratio: float
    share: float | None
    on: bool
    maybe: bool | None
    names: list[str]
    others: list[str] | None


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """One of everything."""

    key: str
    when: Instant | None
    numbers: list[int]
    main: View
    side: View | None
    first: list[Child]
    second: list[Child]


def rows(count: int, seed: int) -> list[Row]:
    """Return random rows: a sixth of what may be missing is missing, a third of the lists are empty."""
    pick = random.Random(seed)  # noqa: S311 - Rows for a test are no secret.

    def maybe(values):
        return None if pick.random() < 0.15 else pick.choice(values)

    def texts():
        return [pick.choice(STRINGS) for _ in range(pick.choice([0, 1, 3]))]

    def child():
        return Child(
            id=pick.choice(STRINGS),
            mode=maybe(STRINGS),
            at=maybe(INSTANTS),
            wait=maybe(SPANS),
            score=maybe(DOUBLES),
            seq=maybe(INTS),
            good=pick.random() < 0.5,
            maybe=maybe([True, False]),
            tags=texts(),
        )

    def view():
        return View(
            id=pick.choice(STRINGS),
            role=maybe(STRINGS),
            begin=pick.choice(INSTANTS),
            end=maybe(INSTANTS),
            span=pick.choice(SPANS),
            limit=maybe(SPANS),
            count=pick.choice(INTS),
            rank=maybe(INTS),
            ratio=pick.choice(DOUBLES),
            share=maybe(DOUBLES),
            on=pick.random() < 0.5,
            maybe=maybe([True, False]),
            names=texts(),
            others=None if pick.random() < 0.15 else texts(),
        )

    def children():
        return [child() for _ in range(pick.choice([0, 1, 3]))]

    return [
        Row(
            key=str(number),
            when=maybe(INSTANTS),
            numbers=[pick.choice(INTS) for _ in range(pick.choice([0, 1, 3]))],
            main=view(),
            side=view() if pick.random() > 0.15 else None,
            first=children(),
            second=children(),
        )
        for number in range(count)
    ]


# Type to the paths of it: (text, may be missing itself, guard of what it belongs to).
_VIEW = {
    "string": ["id", "role?"],
    "instant": ["begin", "end?"],
    "span": ["span", "limit?"],
    "int": ["count", "rank?"],
    "double": ["ratio", "share?"],
    "bool": ["on", "maybe?"],
    "strings": ["names", "others?"],
}
_CHILD = {
    "string": ["id", "mode?"],
    "instant": ["at?"],
    "span": ["wait?"],
    "int": ["seq?"],
    "double": ["score?"],
    "bool": ["good", "maybe?"],
    "strings": ["tags"],
}
_LITERALS = {
    "string": ['""', '"a"', '"b"', "'it\\'s'", '"é"', "p.text", '"null"', '"back\\\\slash"'],
    "instant": ['timestamp("2026-01-02T00:00:00Z")', 'timestamp("9999-12-31T00:00:00Z")'],
    "span": ['duration("24h")', 'duration("1m30s")', "p.span"],
    "int": ["0", "1", "-7", "9223372036854775807", "p.n"],
    "double": ["0.5", "1.0", "-1e300", "p.f"],
    "bool": ["true", "false", "p.flag"],
}


class Writer:
    """Draws the text of an expression.

    Args:
        guarded: how often, of four times, a read of a field that may be missing is guarded.
    """

    def __init__(self, draw, guarded: int) -> None:
        self._draw = draw
        self._guarded = guarded
        self._variables: list[str] = []

    def pick(self, values):
        return self._draw(st.sampled_from(values))

    def path(self, kind: str) -> tuple[str, list[str]]:
        """Return a path and the guards it needs."""
        owners = ["main", "side", "when", *self._variables]
        owner = self.pick(owners)
        if owner == "when":
            if kind == "instant":
                return "when", ["when != null"]
            owner = "main"
        fields = _CHILD if owner in self._variables else _VIEW
        field = self.pick(fields[kind])
        guards = ["side != null"] if owner == "side" else []
        text = f"{owner}.{field.rstrip('?')}"
        if field.endswith("?"):
            guards.append(f"has({text})" if kind == "strings" or self.pick([True, False]) else f"{text} != null")
        return text, guards

    def sure(self, kind: str) -> str:
        """Return a value that is never missing."""
        return self.pick([*_LITERALS[kind], *(f"main.{name}" for name in _VIEW[kind] if not name.endswith("?"))])

    def leaf(self, kind: str, guards: list[str]) -> str:
        if self.pick([True, True, False]):
            text, needed = self.path(kind)
            guards.extend(needed)
            return text
        return self.pick(_LITERALS[kind])

    def value(self, kind: str, depth: int, guards: list[str]) -> str:  # noqa: PLR0911
        if depth <= 0 or self.pick([True, True, False]):
            return self.leaf(kind, guards)
        if self.pick([False, False, True]):
            return f"({self.truth(depth - 1)} ? {self.sure(kind)} : {self.sure(kind)})"
        if kind == "string":
            return f"({self.value('string', depth - 1, guards)} + {self.value('string', depth - 1, guards)})"
        if kind == "int":
            if self.pick([True, False, False]):
                question = self.pick(["getHours", "getDayOfWeek"])
                return f"{self.value('instant', depth - 1, guards)}.{question}()"
            if self.pick([True, False]):
                return f"size({self.sized(depth - 1, guards)})"
            return f"({self.value('int', depth - 1, guards)} {self.pick('+-')} {self.value('int', depth - 1, guards)})"
        if kind == "instant":
            sign = self.pick("+-")
            return f"({self.value('instant', depth - 1, guards)} {sign} {self.value('span', depth - 1, guards)})"
        if kind == "span":
            operand = self.pick(["instant", "span"])
            sign = "-" if operand == "instant" else self.pick("+-")
            return f"({self.value(operand, depth - 1, guards)} {sign} {self.value(operand, depth - 1, guards)})"
        return self.leaf(kind, guards)

    def sized(self, depth: int, guards: list[str]) -> str:
        match self.pick(["text", "list", "children", "numbers"]):
            case "text":
                return self.leaf("string", guards)
            case "list":
                text, needed = self.path("strings")
                guards.extend(needed)
                return text
            case "children":
                return self.children(depth)
            case _:
                return self.pick(["numbers", "p.texts"])

    def children(self, depth: int) -> str:
        source = self.pick(["first", "second"])
        while depth > 0 and self.pick([True, False, False]):
            source = f"{source}.filter({self.bound(depth - 1)})"
            depth -= 1
        return source

    def bound(self, depth: int) -> str:
        name = f"v{len(self._variables)}"
        self._variables.append(name)
        body = self.truth(depth)
        self._variables.pop()
        return f"{name}, {body}"

    def guard(self, atom: str, guards: list[str]) -> str:
        needed = list(dict.fromkeys(guards))
        if not needed or self.pick([0, 1, 2, 3]) >= self._guarded:
            return f"({atom})"
        there = " && ".join(needed)
        absent = " || ".join(_negated(guard) for guard in needed)
        return self.pick(
            [f"({there} && {atom})", f"({absent} || {atom})", f"({there} ? {atom} : {self.pick(['true', 'false'])})"]
        )

    def truth(self, depth: int) -> str:  # noqa: C901, PLR0912, PLR0915
        """Return a condition."""
        deep = ["and", "or", "not", "choose", "quantifier", "quantifier", "quantifier"] if depth > 0 else []
        guards: list[str] = []
        match self.pick(
            ["compare", "compare", "same", "member", "text", "clock", "present", "field", "literal", *deep]
        ):
            case "compare":
                kind = self.pick(["string", "instant", "instant", "span", "int", "double"])
                operator = self.pick(["==", "!=", "<", "<=", ">", ">="])
                atom = f"{self.value(kind, depth, guards)} {operator} {self.value(kind, depth, guards)}"
            case "same":
                atom = f"{self.leaf('bool', guards)} {self.pick(['==', '!='])} {self.leaf('bool', guards)}"
            case "member":
                atom = self.member(depth, guards)
            case "text":
                question = self.pick(["startsWith", "endsWith", "contains"])
                atom = f"{self.leaf('string', guards)}.{question}({self.value('string', depth, guards)})"
            case "clock":
                question = self.pick(["getHours", "getDayOfWeek"])
                atom = f"{self.leaf('instant', guards)}.{question}() {self.pick(['==', '<'])} {self.pick([0, 3, 23])}"
            case "present":
                return self.present()
            case "field":
                atom, guards = self.path("bool")
            case "literal":
                atom = self.pick(_LITERALS["bool"])
            case "and":
                atom = f"{self.truth(depth - 1)} && {self.truth(depth - 1)}"
            case "or":
                atom = f"{self.truth(depth - 1)} || {self.truth(depth - 1)}"
            case "not":
                atom = f"!{self.truth(depth - 1)}"
            case "choose":
                atom = f"{self.truth(depth - 1)} ? {self.truth(depth - 1)} : {self.truth(depth - 1)}"
            case _:
                atom = f"{self.children(depth - 1)}.{self.pick(['exists', 'all'])}({self.bound(depth - 1)})"
        return self.guard(atom, guards)

    def member(self, depth: int, guards: list[str]) -> str:
        match self.pick(["written", "parameter", "path", "numbers"]):
            case "written":
                kind = self.pick(["string", "int", "instant"])
                items = ", ".join(self.leaf(kind, guards) for _ in range(self.pick([1, 2, 3])))
                return f"{self.joined(kind, depth, guards)} in [{items}]"
            case "parameter":
                return f"{self.joined('string', depth, guards)} in {self.pick(['p.texts', 'p.none'])}"
            case "path":
                text, needed = self.path("strings")
                guards.extend(needed)
                return f"{self.joined('string', depth, guards)} in {text}"
            case _:
                return f"{self.leaf('int', guards)} in numbers"

    def joined(self, kind: str, depth: int, guards: list[str]) -> str:
        """Return a leaf, or for texts sometimes a sum."""
        if kind == "string" and depth > 0 and self.pick([True, False]):
            return f"({self.leaf('string', guards)} + {self.leaf('string', guards)})"
        return self.leaf(kind, guards)

    def present(self) -> str:
        kind = self.pick(list(_VIEW))
        _, guards = self.path(kind)
        if not guards:
            return self.pick(["(side == null)", "(side != null)", "(when == null)", "has(main.role)"])
        *outer, own = guards
        return self.guard(own if self.pick([True, False]) else _negated(own), outer)


def _negated(guard: str) -> str:
    return guard.replace("!=", "==") if "!=" in guard else f"!{guard}"


@st.composite
def expressions(draw, guarded: int = 1):
    """Draw expressions; ``guarded`` of four reads that need a guard have one."""
    return Writer(draw, guarded).truth(draw(st.sampled_from([1, 2, 3])))
