# SPDX-License-Identifier: Apache-2.0

"""Put overlays in order, and say which values a test asks with, where and when.

In:  converted overlays and bundles. Out: the slices of each test, in order: where several set one parameter for one
     item, the last one counts. Pure.
An overlay comes after those it extends, and otherwise in the order of the files, shipped ones first. In an overlay, the
values of bundles come before its own changes.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

import msgspec

from app.cel.schema import parse_span
from app.controls.changes import BundleUse, Overlay, ParameterBundle, ParameterChange
from app.controls.convert import Loaded, Placed, PlacedOverlay
from app.controls.model import ControlTest, Looser, ParameterValue
from app.records.times import first_instant

DAY: Final = 86_400_000
_RISING: Final = ("longer", "higher", "more")
_FALLING: Final = ("shorter", "lower", "fewer")


class Slice(msgspec.Struct, frozen=True, kw_only=True):
    """Other values of one test, for some items and some time. Part of the test's definition, and so of its digest.

    Attributes:
        overlay: id of the overlay. bundle: title and source of the bundle that the values come from, if they do.
        where: CEL over the row. start, end: epoch ms, UTC; ``end`` is exclusive, None = until further notice.
        looser: the parameters whose value asks less than the test's own.
    """

    overlay: str
    bundle: str | None
    parameters: dict[str, ParameterValue]
    where: str
    start: int
    end: int | None
    reason: str | None
    requested_by: str | None
    approved_by: str | None
    approved_on: str | None
    looser: tuple[str, ...]

    def touches(self, start: int, end: int) -> bool:
        """Tell whether it is in force at any instant from ``start`` until before ``end``."""
        return self.start < end and (self.end is None or self.end > start)


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """The values that one line of an overlay gives one test; ``bundle`` is where a use takes them from."""

    test: str
    parameters: dict[str, ParameterValue]
    overlay: Overlay
    decision: Placed[ParameterChange] | Placed[BundleUse]
    bundle: ParameterBundle | None


def entries(loaded: Loaded) -> Iterator[Entry]:
    """Yield what all overlays set, in the order in which it counts; unknown bundles are left out."""
    bundles = {placed.item.id: placed.item for placed in loaded.bundles}
    for overlay in in_order(loaded.overlays):
        for use in overlay.uses:
            bundle = bundles.get(use.item.bundle)
            for test, values in bundle.values.items() if bundle else ():
                yield Entry(test=test, parameters=values, overlay=overlay.overlay.item, decision=use, bundle=bundle)
        for change in overlay.changes:
            said = change.item
            yield Entry(
                test=said.test, parameters=said.parameters, overlay=overlay.overlay.item, decision=change, bundle=None
            )


def in_order(overlays: Sequence[PlacedOverlay]) -> list[PlacedOverlay]:
    """Return overlays, each after those it extends, else in the order given; what would be a cycle is cut."""
    by_id = {placed.overlay.item.id: placed for placed in overlays}
    done: dict[str, PlacedOverlay] = {}
    for placed in overlays:
        for name in (*ancestors(by_id, placed.overlay.item.id), placed.overlay.item.id):
            done.setdefault(name, by_id[name])
    return list(done.values())


def ancestors(by_id: Mapping[str, PlacedOverlay], name: str) -> list[str]:
    """Return the ids of all overlays that one extends, also by others, deepest first; unknown ones are left out."""
    found: list[str] = []
    open_, stack = {name}, [(name, iter(by_id[name].overlay.item.extends))]
    while stack:
        here, rest = stack[-1]
        following = next((base for base in rest if base in by_id and base not in open_), None)
        if following is None:
            stack.pop()
            found.append(here)
        else:
            open_.add(following)
            stack.append((following, iter(by_id[following].overlay.item.extends)))
    return found[:-1]


def slices_of(loaded: Loaded) -> dict[str, tuple[Slice, ...]]:
    """Return test id to what overlays change of it, in the order in which it counts; for checked documents only."""
    tests = {placed.item.id: placed.item for placed in loaded.tests}
    found: dict[str, list[Slice]] = {}
    for entry in entries(loaded):
        found.setdefault(entry.test, []).append(_slice(entry, tests[entry.test]))
    return {test: tuple(slices) for test, slices in sorted(found.items())}


def _slice(entry: Entry, test: ControlTest) -> Slice:
    said = entry.decision.item
    start, end = span(said)
    return Slice(
        overlay=entry.overlay.id,
        bundle=_title(entry.bundle) if entry.bundle else None,
        parameters=entry.parameters,
        where=said.where,
        start=start,
        end=end,
        reason=said.reason,
        requested_by=said.requested_by,
        approved_by=said.approved_by,
        approved_on=said.approved_on.isoformat() if said.approved_on else None,
        looser=tuple(looser_values(test, entry.parameters)),
    )


def _title(bundle: ParameterBundle) -> str:
    proposed = "; proposed, not in force" if bundle.proposed else ""
    return f"{bundle.title} ({bundle.source}{proposed})"


def span(said: ParameterChange | BundleUse) -> tuple[int, int | None]:
    """Return from which instant until before which instant a change is in force, epoch ms."""
    return first_instant(said.from_), None if said.until is None else first_instant(said.until) + DAY


def looser_values(test: ControlTest, values: Mapping[str, ParameterValue]) -> list[str]:
    """Return the parameters whose value asks less than the test's own, or might."""
    return [
        name
        for name, value in values.items()
        if name in test.parameters and is_looser(test.looser.get(name, "either"), test.parameters[name], value)
    ]


def is_looser(direction: Looser, own: ParameterValue, value: ParameterValue) -> bool:
    """Tell whether a value asks less than the test's own; where that cannot be told, it does."""
    if value == own:
        return False
    if isinstance(own, tuple) and isinstance(value, tuple):
        added, removed = set(value) - set(own), set(own) - set(value)
        return bool(added) if direction == "more" else bool(removed) if direction == "fewer" else bool(added | removed)
    if isinstance(own, bool) and isinstance(value, bool):
        return direction not in {"on", "off"} or value == (direction == "on")
    before, after = _size(own), _size(value)
    if before is None or after is None or direction not in _RISING + _FALLING:
        return True
    return after > before if direction in _RISING else after < before


def _size(value: ParameterValue) -> float | int | None:
    if isinstance(value, str):
        return parse_span(value)
    return value if isinstance(value, int | float) and not isinstance(value, bool) else None


def definition_bytes(test: ControlTest, slices: Sequence[Slice] = ()) -> bytes:
    """Return what a test asks, and with which values, in one spelling; its examples are no part of it."""
    bare = msgspec.structs.replace(test, examples=())
    return struct_bytes({"test": bare, "slices": slices} if slices else bare)


def struct_bytes(value: object) -> bytes:
    """Return the one JSON spelling of a struct: keys sorted, so that equal definitions have equal digests."""
    return msgspec.json.encode(value, order="sorted")
