# SPDX-License-Identifier: Apache-2.0

"""Small cases of what is told before and after a freeze, frozen side by side in one world.

In:  cases. Out: per case, what differs between going on from the first freeze and freezing all from the beginning.
Each case has names and days of its own, so none of them makes anything again that another one needs; together they
cost three freezes. Cases that change what concerns every item, such as waivers, need a world of their own.
"""

import re
import typing
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from app.connectors.base import Window
from app.records.model import AccessRecord, RecordType
from app.trails.bulk.model import Keep
from app.trails.populations import PeriodView
from tests.trails.freezing import differences, freeze_continued, other_tables, sources_of

DAY = 86_400_000
AFTER = 6000 * DAY
"""An instant after the period of every case, and before it is judged."""
PERIOD = PeriodView(start=0, end=5000 * DAY, as_of=7000 * DAY)
_DAYS_OF_A_CASE = 5
_KEY = re.compile(r"\b([A-Z]+-[0-9]+)\b")

Told = Mapping[str, Sequence[AccessRecord]]
"""Source to the records that it tells."""


class Case(NamedTuple):
    """What is told before the first freeze, and after it."""

    rule: str
    before: Told
    after: Told


class Group(NamedTuple):
    """Cases that are frozen side by side.

    Attributes:
        cases: each with a rule of its own.
        as_of: the instants of the first judgment and of the second.
        boxes: what is special about the completeness box of everything, at the first freeze and at the second.
    """

    cases: Sequence[Case]
    as_of: tuple[int, int] = (PERIOD.as_of, PERIOD.as_of)
    boxes: tuple[Mapping[str, object], Mapping[str, object]] = ({}, {})


class Outcome(NamedTuple):
    """The segments by going on and from the beginning; all differences of rows and tables; and those of each rule."""

    again: dict[str, str]
    full: dict[str, str]
    found: list[str]
    differences: dict[str, list[str]]


def go_on(world, group: Group, folder: Path) -> Outcome:
    """Freeze what all cases tell before, go on with what they tell after, and compare with all from the beginning.

    Args:
        world: an empty one.
        group: the cases.
        folder: an empty one.
    """
    begin(world, group, folder)
    tell(world, group, 1)
    again = frozen(world, group, 1, folder, Keep(file=folder / "kept", name="again", made_for="test"))
    full = frozen(world, group, 1, folder, Keep(file=folder / "anew", name="full", made_for="test"))
    return compared(group, folder, again, full)


def begin(world, group: Group, folder: Path) -> None:
    """Make the first freeze."""
    tell(world, group, 0)
    frozen(world, group, 0, folder, Keep(file=folder / "kept", name="begun", made_for="test"))


def frozen(world, group: Group, part: int, folder: Path, keep: Keep) -> dict[str, str]:
    """Freeze a world as it is at the first freeze or at the second."""
    produced = dict.fromkeys(map(str, RecordType), 1)
    # One source speaks for everything from before the period until after it, so that evidence is not what differs.
    everything = {"produced": produced, "covered": Window(start=-DAY, end=PERIOD.as_of), "finished_at": PERIOD.as_of}
    world.boxes = [world.box("all", **{**everything, **group.boxes[part]})]
    as_of = group.as_of[part]
    period = msgspec.structs.replace(PERIOD, as_of=as_of)
    return freeze_continued(sources_of(world, as_of), period, folder / keep.name, keep)


def compared(group: Group, folder: Path, again: dict[str, str], full: dict[str, str]) -> Outcome:
    """Return how the freeze that went on differs."""
    rows = differences(folder, full, again, ("full", "again"))
    found = [*rows, *other_tables(folder / "kept", folder / "anew")]
    of_case = {case.rule: [each for each in found if _mark(number) in each] for number, case in enumerate(group.cases)}
    return Outcome(again, full, found, of_case)


def tell(world, group: Group, part: int) -> None:
    """Let all cases tell what they tell before the first freeze, or before the second."""
    for number, case in enumerate(group.cases):
        for source, records in (case.before, case.after)[part].items():
            own = [_own(record, number) for record in records]
            world.tell(_name(source, number), *own, at=_instant(part, number))


def _own(record: AccessRecord, number: int) -> AccessRecord:
    """Return a record with the names and days of its case."""
    hints = typing.get_type_hints(type(record), include_extras=True)
    said = {field: _value(field, getattr(record, field), hints[field], number) for field in record.__struct_fields__}
    return type(record)(**said)


def _value(field: str, value: Any, hint: object, number: int) -> Any:
    if value is None or isinstance(value, bool) or "Literal" in str(hint):
        return value
    if isinstance(value, int):
        return _instant(value, number) if field == "at" or field.endswith("_at") else value
    if isinstance(value, tuple):
        return tuple(_value(field, each, type(each), number) for each in value)
    if isinstance(value, msgspec.Struct):
        said = {each: _name(getattr(value, each), number) for each in value.__struct_fields__}
        return msgspec.structs.replace(value, **said)
    if field == "purpose":
        return _KEY.sub(lambda key: _name(key[1], number), value)
    return _name(value, number) if isinstance(value, str) else value


def _name(name: str, number: int) -> str:
    """Return a name, a ticket's key or a whole item id as a case's own."""
    kinds = {*RecordType, "*"}
    return "/".join(part if part in kinds else f"{part}{_mark(number)}" for part in name.split("/"))


def _mark(number: int) -> str:
    return f"9{number:03}9"


def _instant(instant: int, number: int) -> int:
    """Return an instant on the days of a case, unless it lies outside of the period."""
    return instant + number * _DAYS_OF_A_CASE * DAY if 0 <= instant < PERIOD.end else instant
