# SPDX-License-Identifier: Apache-2.0

"""What a change of the controls changes: definitions, risk rules, mappings, item outcomes, control statuses.

In:  two sets of controls, each with its evaluation over the same populations. Out: a ``Comparison``. Pure.
A test is changed when its definition digest is, so every difference of a definition is named with its field; examples
are no part of it, nor are the hits and misses of a risk rule. Outcomes are compared as they were found, also of tests
whose definition did not change.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Literal, TypeVar

import msgspec

from app.controls.loader import Controls
from app.controls.model import MappingEntry, RiskRule
from app.controls.overlays import Slice, struct_bytes
from app.evaluation.engine import QUIET
from app.evaluation.model import Evaluation, ItemOutcome, Period
from app.records.times import format_instant

Change = Literal["added", "removed", "changed"]
Outcomes = Callable[[str], Mapping[str, ItemOutcome]]
"""Test id to the outcome of every item that the test was asked of; empty for a test that was not asked."""
_Transition = tuple[str | None, str | None]
_Document = TypeVar("_Document", bound=msgspec.Struct | dict[str, Any])


class Side(msgspec.Struct, frozen=True, kw_only=True):
    """One of the two: its controls, what was concluded with them, and the outcomes behind that."""

    controls: Controls
    evaluation: Evaluation
    outcomes: Outcomes


class FieldChange(msgspec.Struct, frozen=True, kw_only=True):
    """One field that differs, such as ``parameters.max_duration``; None where a side does not have it."""

    field: str
    old: Any
    new: Any


class DefinitionChange(msgspec.Struct, frozen=True, kw_only=True):
    """A test that only one side has, or that both define differently.

    Attributes:
        asked: the test is mapped to the framework on a side, so its outcomes are among those compared.
        old_sha256, new_sha256: definition digests; None where a side does not have the test.
        fields: what differs; empty for a test that was added or removed.
    """

    test_id: str
    change: Change
    asked: bool
    old_sha256: str | None
    new_sha256: str | None
    fields: tuple[FieldChange, ...]


class MappingChange(msgspec.Struct, frozen=True, kw_only=True):
    """A mapping of the framework that only one side has, or that says something else."""

    control_id: str
    test_id: str
    change: Change
    fields: tuple[FieldChange, ...]


class RuleChange(msgspec.Struct, frozen=True, kw_only=True):
    """A risk rule that only one side has, or that flags in another way; it may change what any test of flags finds."""

    rule_id: str
    change: Change
    fields: tuple[FieldChange, ...]


class OutcomeCount(msgspec.Struct, frozen=True, kw_only=True):
    """How many items of a test go from one outcome to another; None where the test was not asked of the item."""

    test_id: str
    old: str | None
    new: str | None
    items: int


class OutcomeChange(msgspec.Struct, frozen=True, kw_only=True):
    """One item of one test whose outcome changes; None where the test was not asked of the item."""

    test_id: str
    item_id: str
    old: str | None
    new: str | None


class StatusChange(msgspec.Struct, frozen=True, kw_only=True):
    """A control whose status moves; None where a side's catalogue does not have the control."""

    control_id: str
    label: str
    old: str | None
    new: str | None


class Comparison(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that differs for one framework and period, statuses in the catalogue's order and all else by id.

    Attributes:
        counts: all outcomes that change, per test.
        items: the items behind ``counts``, except those that a test asked on one side only finds in order or not
            applicable: a new test would otherwise list its whole population.
    """

    framework: str
    period: Period
    as_of: int
    ledger_size: int
    old_controls_sha256: str
    new_controls_sha256: str
    tests: tuple[DefinitionChange, ...]
    mappings: tuple[MappingChange, ...]
    rules: tuple[RuleChange, ...]
    counts: tuple[OutcomeCount, ...]
    items: tuple[OutcomeChange, ...]
    statuses: tuple[StatusChange, ...]


def compare(old: Side, new: Side) -> Comparison:
    """Return what differs; both sides are evaluations of one framework over the same populations."""
    asked = sorted({test.test_id for side in (old, new) for test in side.evaluation.tests})
    counts: list[OutcomeCount] = []
    items: list[OutcomeChange] = []
    for test_id in asked:
        changes = list(_outcome_changes(test_id, old.outcomes(test_id), new.outcomes(test_id)))
        counts += _counted(test_id, changes)
        items += [change for change in changes if not _is_quiet(change)]
    return Comparison(
        framework=new.evaluation.framework,
        period=new.evaluation.period,
        as_of=new.evaluation.as_of,
        ledger_size=new.evaluation.ledger_size,
        old_controls_sha256=old.controls.sha256,
        new_controls_sha256=new.controls.sha256,
        tests=tuple(_definitions(old, new, asked)),
        mappings=tuple(_mappings(old, new)),
        rules=tuple(_rules(old, new)),
        counts=tuple(counts),
        items=tuple(items),
        statuses=tuple(_statuses(old.evaluation, new.evaluation)),
    )


def _definitions(old: Side, new: Side, asked: list[str]) -> Iterator[DefinitionChange]:
    def digest(side: Side, test_id: str) -> str | None:
        test = side.controls.tests.get(test_id)
        return side.controls.definition_sha256(test, _slices(side, test_id)) if test else None

    for test_id, change, fields in _changes(_without_examples(old), _without_examples(new)):
        yield DefinitionChange(
            test_id=test_id,
            change=change,
            asked=test_id in asked,
            old_sha256=digest(old, test_id),
            new_sha256=digest(new, test_id),
            fields=fields,
        )


def _without_examples(side: Side) -> dict[str, dict[str, Any]]:
    """Return test id to the fields of the test, and of what overlays change of it in the period."""
    found = {}
    for name, test in side.controls.tests.items():
        found[name] = msgspec.to_builtins(msgspec.structs.replace(test, examples=()))
        for each in _slices(side, name):
            told = msgspec.to_builtins(each.parameters) | {"decided": _decided(each)}
            found[name] |= {f"{key} [{_label(each)}]": value for key, value in told.items() if value != ""}
    return found


def _decided(each: Slice) -> str:
    """Return why and on whose word values change; empty where nobody says."""
    told = [
        each.reason,
        each.requested_by and f"requested by {each.requested_by}",
        each.approved_by and f"approved by {each.approved_by}",
        each.approved_on and f"on {each.approved_on}",
    ]
    return ", ".join(part for part in told if part)


def _slices(side: Side, test_id: str) -> tuple[Slice, ...]:
    period = side.evaluation.period
    return side.controls.slices_in(test_id, period.start, period.end)


def _label(each: Slice) -> str:
    """Return a name for a slice that says where and when it is in force."""
    until = "" if each.end is None else f" until {format_instant(each.end - 1)[:10]}"
    scope = "" if each.where == "true" else f" where {' '.join(each.where.split())}"
    source = f" with {each.bundle}" if each.bundle else ""
    return f"{each.overlay}{source}: from {format_instant(each.start)[:10]}{until}{scope}"


def _mappings(old: Side, new: Side) -> Iterator[MappingChange]:
    for name, change, fields in _changes(_entries(old), _entries(new)):
        control_id, _, test_id = name.partition("\n")
        yield MappingChange(control_id=control_id, test_id=test_id, change=change, fields=fields)


def _entries(side: Side) -> dict[str, MappingEntry]:
    entries = side.controls.entries_for(side.evaluation.framework)
    return {f"{entry.control}\n{entry.test}": entry for entry in entries}


def _rules(old: Side, new: Side) -> Iterator[RuleChange]:
    for name, change, fields in _changes(_without_samples(old), _without_samples(new)):
        yield RuleChange(rule_id=name, change=change, fields=fields)


def _without_samples(side: Side) -> dict[str, RiskRule]:
    return {name: msgspec.structs.replace(rule, hits=(), misses=()) for name, rule in side.controls.rules.items()}


def _changes(
    old: Mapping[str, _Document], new: Mapping[str, _Document]
) -> Iterator[tuple[str, Change, tuple[FieldChange, ...]]]:
    """Yield name, kind of change and differing fields of every document that is not the same on both sides."""
    for name in sorted({*old, *new}):
        if name not in old:
            yield name, "added", ()
        elif name not in new:
            yield name, "removed", ()
        elif fields := _field_changes(old[name], new[name]):
            yield name, "changed", fields


def _field_changes(old: _Document, new: _Document) -> tuple[FieldChange, ...]:
    before, after = dict(_flat(msgspec.to_builtins(old))), dict(_flat(msgspec.to_builtins(new)))
    return tuple(
        FieldChange(field=name, old=before.get(name), new=after.get(name))
        for name in dict.fromkeys((*before, *after))
        # As bytes, like the digest: 1, 1.0 and true are different values.
        if name not in before or name not in after or struct_bytes(before[name]) != struct_bytes(after[name])
    )


def _flat(value: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for name, part in value.items():
        if isinstance(part, dict):
            yield from _flat(part, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", part


def _outcome_changes(
    test_id: str, old: Mapping[str, ItemOutcome], new: Mapping[str, ItemOutcome]
) -> Iterator[OutcomeChange]:
    for item_id in sorted({*old, *new}):
        before, after = old.get(item_id), new.get(item_id)
        if before is not after:
            yield OutcomeChange(test_id=test_id, item_id=item_id, old=_word(before), new=_word(after))


def _counted(test_id: str, changes: list[OutcomeChange]) -> Iterator[OutcomeCount]:
    found: Counter[_Transition] = Counter((change.old, change.new) for change in changes)
    for (old, new), items in sorted(found.items(), key=lambda each: (-each[1], each[0][0] or "", each[0][1] or "")):
        yield OutcomeCount(test_id=test_id, old=old, new=new, items=items)


def _is_quiet(change: OutcomeChange) -> bool:
    quiet = {None, *(outcome.word for outcome in QUIET)}
    return None in {change.old, change.new} and {change.old, change.new} <= quiet


def _word(outcome: ItemOutcome | None) -> str | None:
    return None if outcome is None else outcome.word


def _statuses(old: Evaluation, new: Evaluation) -> Iterator[StatusChange]:
    before = {control.control_id: control for control in old.controls}
    after = {control.control_id: control for control in new.controls}
    for control_id, control in (before | after).items():
        moved = tuple(side[control_id].status.value if control_id in side else None for side in (before, after))
        if moved[0] != moved[1]:
            yield StatusChange(control_id=control_id, label=control.label, old=moved[0], new=moved[1])
