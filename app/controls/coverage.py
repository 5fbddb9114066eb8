# SPDX-License-Identifier: Apache-2.0

"""How far the tests reach: which controls of a framework are tested, by what, and why the others are not.

In:  loaded controls and a framework. Out: one row per control of the catalogue, in its order, and counts. Pure.
A control is ``tested`` when a test of primary strength is mapped to it, ``partly`` when all its tests are partial.
This is about definitions only; what the evidence shows of a control is for an evaluation to say.
"""

from collections.abc import Sequence
from enum import StrEnum
from typing import Literal

import msgspec

from app.controls.loader import Controls
from app.controls.model import CatalogControl, MappingEntry
from app.controls.statements import Applicability

_PRIMARY = "primary"


class CoverageStatus(StrEnum):
    """How far a control is tested."""

    TESTED = "tested"
    PARTLY = "partly"
    NOT_TESTED = "not_tested"


class CoveringTest(msgspec.Struct, frozen=True, kw_only=True):
    """A test that is mapped to a control, and how strongly it bears on it."""

    test_id: str
    strength: Literal["primary", "partial"]


class CoveredControl(msgspec.Struct, frozen=True, kw_only=True):
    """One control of the catalogue.

    Attributes:
        aliases: its ids in older editions.
        tests: the tests mapped to it, in order of id.
        not_tested_because: why nothing is tested; None for a control that is, if only partly.
        applicability: what the organisation states of it; None = not stated. It changes no status.
        text: the framework's own words, where they were asked for and an own folder holds them.
    """

    control_id: str
    label: str
    aliases: tuple[str, ...]
    status: CoverageStatus
    tests: tuple[CoveringTest, ...]
    not_tested_because: str | None
    applicability: Applicability | None
    text: str | None


class Coverage(msgspec.Struct, frozen=True, kw_only=True):
    """The rows of a framework; ``counts`` holds every status word, and adds up to the number of rows.

    ``is_stated`` says that the organisation has a Statement of Applicability for it.
    """

    framework: str
    title: str
    counts: dict[str, int]
    is_stated: bool
    controls: tuple[CoveredControl, ...]


def coverage(controls: Controls, framework: str, names: Sequence[str] = (), *, with_text: bool = False) -> Coverage:
    """Return how far a framework is tested.

    Args:
        controls: everything that was loaded.
        framework: its id or a short name.
        names: ids or aliases of the controls to show; all of them when empty.
        with_text: show licensed text too; only for the terminal of whoever holds it.

    Raises:
        NotFound: there is no such framework, or it has no such control.
    """
    catalog = controls.resolve_framework(framework)
    wanted = {controls.resolve_control(catalog.id, name).id for name in names}
    stated = controls.applicability.get(catalog.id, {})
    public = {control.id: control.text for control in catalog.controls if control.text is not None}
    texts = {**public, **controls.texts.get(catalog.id, {})} if with_text else {}
    rows = tuple(
        _row(control, controls.entries_for(catalog.id, control.id), stated.get(control.id), texts.get(control.id))
        for control in catalog.controls
        if not names or control.id in wanted
    )
    counts = {status.value: sum(row.status is status for row in rows) for status in CoverageStatus}
    return Coverage(framework=catalog.id, title=catalog.title, counts=counts, is_stated=bool(stated), controls=rows)


def _row(
    control: CatalogControl, entries: Sequence[MappingEntry], stated: Applicability | None, text: str | None
) -> CoveredControl:
    ordered = sorted(entries, key=lambda entry: entry.test)
    return CoveredControl(
        control_id=control.id,
        label=control.label,
        aliases=control.aliases,
        status=_status(ordered),
        tests=tuple(CoveringTest(test_id=entry.test, strength=entry.strength) for entry in ordered),
        # An own mapping may test what the shipped catalogue gives a reason for.
        not_tested_because=None if entries else control.not_tested_because,
        applicability=stated,
        text=text,
    )


def _status(entries: Sequence[MappingEntry]) -> CoverageStatus:
    if any(entry.strength == _PRIMARY for entry in entries):
        return CoverageStatus.TESTED
    return CoverageStatus.PARTLY if entries else CoverageStatus.NOT_TESTED
